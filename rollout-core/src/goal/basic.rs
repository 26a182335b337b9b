use crate::{CanaryScale, Strategy, strategy::Fenceposts, traffic::Weight};

/// Returns the pods of canary and stable if the weight is a ratio of pods: of the few totals that `maxSurge` allows at
/// rest, the one whose ratio is nearest to the weight.
pub(super) fn pods(strategy: &Strategy, replicas: u32, weight: Weight) -> (u32, u32) {
    if replicas == 0 {
        return (0, 0);
    }
    let surge = Fenceposts::resolve(replicas, strategy.max_surge, strategy.max_unavailable).surge;
    let (n, w) = (u64::from(replicas), u64::from(weight.parts()));
    let (up, down) = ((n * w).div_ceil(100), n * w / 100);
    let zero_allowed = n == 1 && surge == 0;
    let down_allowed = down != 0 || zero_allowed;
    let tie = n * w % 100 == 50;
    let candidates =
        [(up, n, up < n || zero_allowed), (down, n, down_allowed && !tie), (up, n + 1, surge > 0)];
    let mut best: Option<(u64, u64)> = None;
    for (canary, total, allowed) in candidates {
        if allowed && best.is_none_or(|best| distance((canary, total), w, best.1) < distance(best, w, total))
        {
            best = Some((canary, total));
        }
    }
    let (canary, total) = best.unwrap_or((0, n));
    let pods = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    (pods(canary), pods(total.saturating_sub(canary)))
}

/// Returns the pods of canary and stable if `setCanaryScale` says how many the canary has: stable has the others, so that
/// their ratio is the share of the requests.
pub(super) fn scaled(replicas: u32, scale: CanaryScale) -> (u32, u32) {
    let canary = match scale {
        CanaryScale::Replicas(pods) => pods,
        CanaryScale::Weight(percent) => super::pods_for(replicas, Weight::new(percent, 100)),
        CanaryScale::MatchTrafficWeight => 0,
    };
    let canary = canary.min(replicas);
    (canary, replicas - canary)
}

/// Computes |canary · 100 / total − weight|, times `total` and `other`, so that two can be compared without fractions.
fn distance((canary, total): (u64, u64), weight: u64, other: u64) -> u128 {
    u128::from((canary * 100).abs_diff(weight * total)) * u128::from(other)
}
