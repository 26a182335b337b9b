//! From a position to what is wanted there: pods, weight, managed routes. Functions without state.

/// ⌈n · share / of⌉, without overflow; `of` 0 counts as 1.
#[must_use]
pub fn share_up(n: u32, share: u32, of: u32) -> u32 {
    let product = u64::from(n) * u64::from(share);
    u32::try_from(product.div_ceil(u64::from(of.max(1)))).unwrap_or(u32::MAX)
}
