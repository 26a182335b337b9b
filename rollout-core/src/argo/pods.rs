//! `maxSurge` and `maxUnavailable`.

use super::wire::IntOrText;
use crate::{IntOrPercent, strategy::Fenceposts};
use alloc::string::String;

/// Reads `maxSurge` or `maxUnavailable`: absent means 25 per cent, text is a percentage with or without `%`, and text
/// that is not a number counts as 0, as in Argo Rollouts.
///
/// ```
/// use rollout_core::{IntOrPercent, argo::wire::IntOrText, conformance::int_or_percent};
/// assert_eq!(int_or_percent(None), IntOrPercent::Percent(25));
/// assert_eq!(int_or_percent(Some(&IntOrText::Int(2))), IntOrPercent::Int(2));
/// assert_eq!(int_or_percent(Some(&IntOrText::Text("few".into()))), IntOrPercent::Percent(0));
/// ```
#[must_use]
pub fn int_or_percent(value: Option<&IntOrText>) -> IntOrPercent {
    match value {
        None => IntOrPercent::DEFAULT,
        Some(IntOrText::Int(pods)) => IntOrPercent::Int(*pods),
        Some(IntOrText::Text(text)) => {
            let digits: String = text.chars().filter(|c| *c != '%').collect();
            let wide = digits.parse::<i64>().unwrap_or(0);
            let edge = if wide < 0 { i32::MIN } else { i32::MAX };
            IntOrPercent::Percent(i32::try_from(wide).unwrap_or(edge))
        }
    }
}

/// Returns how far the number of pods may differ from `replicas`, from the values as they were written.
///
/// ```
/// use rollout_core::{argo::wire::IntOrText, conformance::fenceposts};
/// let posts = fenceposts(3, Some(&IntOrText::Text("10%".into())), None);
/// assert_eq!((posts.surge, posts.unavailable), (1, 0));
/// ```
#[must_use]
pub fn fenceposts(
    replicas: u32,
    max_surge: Option<&IntOrText>,
    max_unavailable: Option<&IntOrText>,
) -> Fenceposts {
    Fenceposts::resolve(replicas, int_or_percent(max_surge), int_or_percent(max_unavailable))
}
