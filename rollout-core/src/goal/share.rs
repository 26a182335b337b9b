/// Computes ⌈n · share / of⌉ without overflow; `of` 0 counts as 1.
#[must_use]
pub(crate) fn share_up(n: u32, share: u32, of: u32) -> u32 {
    let product = u64::from(n) * u64::from(share);
    u32::try_from(product.div_ceil(u64::from(of.max(1)))).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::share_up;

    #[test]
    fn a_share_is_rounded_up_and_never_overflows() {
        assert_eq!(share_up(10, 5, 100), 1);
        assert_eq!(share_up(10, 0, 100), 0);
        assert_eq!(share_up(u32::MAX, 100, 100), u32::MAX);
        assert_eq!(share_up(3, 1, 0), 3);
    }
}
