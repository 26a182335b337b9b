//! The canary's part of the weight that foreign destinations leave.

use rollout_core::traffic::Weight;

/// The weight that stands for all traffic in a route, unless foreign destinations require another total.
pub(crate) const TOTAL: u64 = 100;

/// Computes the canary's part of `left` for a weight: by largest remainder, with a tie going to stable. A share above 0
/// never becomes 0; `None` if `left` is too small for that.
pub(crate) fn share(weight: Weight, left: u64) -> Option<u64> {
    let of = u128::from(weight.of().max(1));
    let weight = u128::from(weight.parts()).min(of);
    let wide = u128::from(left);
    let (whole, rest) = (weight * wide / of, weight * wide % of);
    let rounded = if rest * 2 > of { whole + 1 } else { whole };
    let least = u128::from(weight > 0);
    let most = wide.checked_sub(u128::from(weight < of))?;
    if least > most {
        return None;
    }
    u64::try_from(rounded.clamp(least, most)).ok()
}

/// Returns the weight out of `of` that these parts represent. `recorded` is the weight that was written; it counts as
/// long as it still results in these parts, because rounding may have made several weights equal.
pub(crate) fn weight(canary: u64, stable: u64, of: u32, recorded: Option<u32>) -> u32 {
    let left = canary.saturating_add(stable);
    if let Some(recorded) =
        recorded.filter(|recorded| share(Weight::new(*recorded, of), left) == Some(canary))
    {
        return recorded.min(of);
    }
    if left == 0 {
        return 0;
    }
    let wide = u128::from(of);
    let nearest = (u128::from(canary) * wide * 2 + u128::from(left)) / (u128::from(left) * 2);
    let least = u128::from(canary > 0).min(wide);
    let most = wide.saturating_sub(u128::from(stable > 0)).max(least);
    u32::try_from(nearest.clamp(least, most)).unwrap_or(of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_hundred_is_exact() {
        for asked in 0..=100 {
            assert_eq!(share(Weight::new(asked, 100), 100), Some(u64::from(asked)));
            assert_eq!(weight(u64::from(asked), u64::from(100 - asked), 100, None), asked);
        }
    }

    #[test]
    fn a_share_above_zero_never_becomes_zero() {
        for left in 2..=120 {
            for asked in 0..=1000 {
                let canary = share(Weight::new(asked, 1000), left).unwrap();
                assert_eq!(canary > 0, asked > 0, "{asked} of 1000 in {left}");
                assert_eq!(canary < left, asked < 1000, "{asked} of 1000 in {left}");
            }
        }
        assert_eq!(share(Weight::new(50, 100), 1), None);
        assert_eq!(share(Weight::new(0, 100), 0), None);
        assert_eq!((share(Weight::new(0, 100), 1), share(Weight::new(100, 100), 1)), (Some(0), Some(1)));
    }

    #[test]
    fn what_was_written_is_read_again() {
        for left in 2..=120 {
            for asked in 0..=100 {
                let canary = share(Weight::new(asked, 100), left).unwrap();
                assert_eq!(weight(canary, left - canary, 100, Some(asked)), asked);
                let unrecorded = weight(canary, left - canary, 100, None);
                assert_eq!(unrecorded == 0, asked == 0);
                assert_eq!(unrecorded == 100, asked == 100);
            }
        }
    }

    #[test]
    fn a_record_does_not_hide_an_edit_by_hand() {
        assert_eq!(weight(50, 45, 100, Some(5)), 53);
        assert_eq!(weight(u64::MAX, u64::MAX, u32::MAX, Some(7)), u32::MAX - 1);
    }
}
