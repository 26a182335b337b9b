use super::share_up;
use crate::{CanaryScale, Strategy};

/// Pods of canary and stable where a traffic manager splits the traffic: stable stays whole, unless it
/// follows the weight (`dynamicStableScale`).
pub(super) fn pods(
    strategy: &Strategy,
    replicas: u32,
    weight: u32,
    scale: Option<CanaryScale>,
) -> (u32, u32) {
    let total = strategy.max_weight();
    let minimum = strategy.min_pods.map(|pods| pods.min(replicas));
    let at_least = |pods: u32| if pods == 0 { 0 } else { pods.max(minimum.unwrap_or(0)) };
    let share = match scale {
        Some(CanaryScale::Replicas(_)) => 0,
        Some(CanaryScale::Weight(share)) => share,
        Some(CanaryScale::MatchTrafficWeight) | None => weight,
    };
    let share_of = if matches!(scale, Some(CanaryScale::Weight(_))) { 100 } else { total };
    let canary = match scale {
        Some(CanaryScale::Replicas(pods)) if strategy.dynamic_stable_scale => at_least(pods),
        Some(CanaryScale::Replicas(pods)) => pods,
        Some(CanaryScale::Weight(_) | CanaryScale::MatchTrafficWeight) | None => {
            at_least(share_up(replicas, share, share_of))
        }
    };
    if !strategy.dynamic_stable_scale {
        return (canary, replicas);
    }
    let rest = |share: u32, of: u32| share_up(replicas, of.saturating_sub(share), of);
    (canary, at_least(rest(share, share_of).max(rest(weight, total))))
}
