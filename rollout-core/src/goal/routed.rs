use super::{pods_for, pods_for_rest};
use crate::{CanaryScale, Strategy, traffic::Weight};

/// Returns the pods of canary and stable if a traffic manager splits the traffic: stable keeps all its pods, unless it
/// follows the weight (`dynamicStableScale`).
pub(super) fn pods(
    strategy: &Strategy,
    replicas: u32,
    weight: Weight,
    scale: Option<CanaryScale>,
) -> (u32, u32) {
    let minimum = strategy.min_pods.map(|pods| pods.min(replicas));
    let at_least = |pods: u32| if pods == 0 { 0 } else { pods.max(minimum.unwrap_or(0)) };
    let share = match scale {
        Some(CanaryScale::Replicas(_)) => Weight::none(weight.of()),
        Some(CanaryScale::Weight(percent)) => Weight::new(percent, 100),
        Some(CanaryScale::MatchTrafficWeight) | None => weight,
    };
    let canary = match scale {
        Some(CanaryScale::Replicas(pods)) if strategy.dynamic_stable_scale => at_least(pods),
        Some(CanaryScale::Replicas(pods)) => pods,
        Some(CanaryScale::Weight(_) | CanaryScale::MatchTrafficWeight) | None => {
            at_least(pods_for(replicas, share))
        }
    };
    if !strategy.dynamic_stable_scale {
        return (canary, replicas);
    }
    let rest = |weight| pods_for_rest(replicas, weight);
    (canary, at_least(rest(share).max(rest(weight))))
}
