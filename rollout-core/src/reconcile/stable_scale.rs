//! `dynamicStableScale`: stable keeps only the pods that its share of the requests needs, and takes requests back as
//! its pods come back.

use super::{
    draft::Closed,
    guard::{Guard, off},
    view::View,
};
use crate::{
    Range,
    goal::{Goal, pods_for_rest},
    traffic::Weight,
    waiting::{Ending, WaitReason},
};

/// Pods of stable.
///
/// It shrinks only while the routes serve a canary that is under way and has pods. The greatest share that it has, or
/// is to have, counts. It keeps one pod before the commit, so that there is always something to go back to.
pub(super) fn stable_pods(serves_canary: bool, goal: Goal, view: &View<'_>) -> u32 {
    let all = view.spec.replicas;
    if !serves_canary || !view.spec.strategy.stable_follows_weight() {
        return all;
    }
    // Routes that could not be read have not changed: stable does not grow for them.
    let is_known = view.knows_traffic() && !off(Guard::StableKeeps);
    let written = if is_known { view.seen.weight().lo() } else { goal.weight.parts() };
    let least = Weight::new(written.min(goal.weight.parts()), goal.weight.of());
    goal.stable.max(pods_for_rest(view.spec.replicas, least)).clamp(1, all.max(1))
}

/// How many ready pods stable needs for what the canary does not get, as the routes stand.
pub(super) fn needed(view: &View<'_>) -> u32 {
    pods_for_rest(view.spec.replicas, view.spec.strategy.weight(view.seen.weight().lo())).max(1)
}

/// The lowest weight of the canary that stable's ready pods allow; it is written only where it raises no object.
pub(super) fn lowest_weight(desired: Weight, ready: Range, view: &View<'_>) -> Result<Weight, Closed> {
    let carried = u64::from(desired.of()) * u64::from(ready.lo()) / u64::from(view.spec.replicas.max(1));
    let carried = u32::try_from(carried).unwrap_or(u32::MAX);
    let lowest = desired.parts().max(desired.of().saturating_sub(carried));
    let seen = view.seen.weight();
    if lowest < seen.hi() && lowest <= seen.lo() {
        return Ok(Weight::new(lowest, desired.of()));
    }
    let ends = if ready.lo() < 1 { Ending::PodsReady } else { Ending::StableCarries };
    Err(Closed::new(
        WaitReason::StableCannotCarry { need: pods_for_rest(view.spec.replicas, desired), seen: ready },
        ends,
    ))
}
