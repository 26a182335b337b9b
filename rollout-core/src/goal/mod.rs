//! The goal at each position: pods, weight, managed routes. Pure functions.

mod basic;
mod routed;

use crate::{
    CanaryScale, Spec, Status, Step, Strategy,
    reconcile::guard::{Guard, off},
    strategy::managed,
    traffic::{ManagedRoute, Weight},
};
use alloc::{sync::Arc, vec::Vec};

/// The goal at a position, if all resources were available at once.
///
/// ```
/// use rollout_core::{Spec, Status, Step, Strategy, conformance::goal, traffic::Weight};
/// let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(5)).build()?;
/// let mut status = Status::default();
/// status.stable = Some("v1".into());
/// status.canary = Some("v2".into());
/// let goal = goal(&Spec::new(strategy, "v2".into()).replicas(10), &status);
/// assert_eq!((goal.weight, goal.canary, goal.stable), (Weight::new(5, 100), 1, 10));
/// # Ok::<(), rollout_core::InvalidStrategy>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Goal {
    /// The canary's weight.
    pub weight: Weight,
    /// The number of the canary's pods.
    pub canary: u32,
    /// The number of stable's pods.
    pub stable: u32,
}

/// Returns the goal at the position of `status`, if canary and stable are two revisions.
///
/// ```
/// use rollout_core::{Spec, Status, Step, Strategy, conformance::goal};
/// let strategy = Strategy::builder().step(Step::SetWeight(20)).build()?;
/// let mut status = Status::default();
/// (status.stable, status.canary) = (Some("v1".into()), Some("v2".into()));
/// let goal = goal(&Spec::new(strategy, "v2".into()).replicas(10), &status);
/// assert_eq!((goal.canary, goal.stable), (2, 8), "without traffic routing, the weight is a ratio of pods");
/// # Ok::<(), rollout_core::InvalidStrategy>(())
/// ```
#[must_use]
pub fn at(spec: &Spec, status: &Status) -> Goal {
    let strategy = &spec.strategy;
    let weight = weight(strategy, status);
    let scale = scale(strategy, status);
    let (canary, stable) = if strategy.routing().is_some() {
        routed::pods(strategy, spec.replicas, weight, scale)
    } else if let Some(scale) = scale.filter(|_| !off(Guard::OwnScale)) {
        basic::scaled(spec.replicas, scale)
    } else {
        basic::pods(strategy, spec.replicas, weight)
    };
    Goal { weight, canary, stable }
}

/// Returns the goal if there is only one revision: it has all pods and all requests, whatever its role.
pub(crate) fn with_all(spec: &Spec) -> Goal {
    Goal { weight: Weight::all(spec.strategy.max_weight()), canary: spec.replicas, stable: spec.replicas }
}

/// Returns the steps up to and including the current one; `None` past the last one, or if the rest is skipped.
fn so_far<'a>(strategy: &'a Strategy, status: &Status) -> Option<&'a [Step]> {
    let index = usize::try_from(status.step).unwrap_or(usize::MAX);
    if status.promote_full { None } else { strategy.steps().get(..=index) }
}

fn weight(strategy: &Strategy, status: &Status) -> Weight {
    if status.aborted.is_some() {
        return Weight::none(strategy.max_weight());
    }
    weight_of_step(strategy, status)
}

/// Returns the weight of the nearest `setWeight` at or before the current step, whether or not the update was aborted.
pub(crate) fn weight_of_step(strategy: &Strategy, status: &Status) -> Weight {
    let of = if off(Guard::TotalWeight) { 100 } else { strategy.max_weight() };
    let Some(steps) = so_far(strategy, status) else { return Weight::all(of) };
    let set = steps
        .iter()
        .rev()
        .find_map(|step| if let Step::SetWeight(weight) = step { Some(*weight) } else { None });
    set.map_or(Weight::none(of), |weight| Weight::new(weight, of))
}

/// Returns the `setCanaryScale` in force. An abort drops it, unless an aborted canary keeps its pods for good.
fn scale(strategy: &Strategy, status: &Status) -> Option<CanaryScale> {
    if status.aborted.is_some() && strategy.abort_scale_down_delay().is_some() {
        return None;
    }
    let set = so_far(strategy, status)?;
    let set = set
        .iter()
        .rev()
        .find_map(|step| if let Step::SetCanaryScale(scale) = step { Some(*scale) } else { None });
    set.filter(|scale| *scale != CanaryScale::MatchTrafficWeight)
}

/// Returns the managed routes that the steps so far have set and not removed, in the order of `managedRoutes`; past the
/// last step, those that the last step left.
pub(crate) fn managed_routes(strategy: &Strategy, status: &Status) -> Vec<Arc<ManagedRoute>> {
    let Some(routing) = strategy.routing() else { return Vec::new() };
    if status.aborted.is_some() || routing.managed_routes().is_empty() {
        return Vec::new();
    }
    let steps = so_far(strategy, status).unwrap_or(strategy.steps());
    let last = |name: &Arc<str>| {
        steps
            .iter()
            .rev()
            .filter_map(managed)
            .find(|(of, _)| *of == name)
            .and_then(|(_, route)| route.cloned())
    };
    routing.managed_routes().iter().filter_map(last).collect()
}

/// Returns how many pods a weight needs, rounded up.
pub(crate) fn pods_for(replicas: u32, weight: Weight) -> u32 {
    weight.of_count(replicas)
}

/// Returns the number of pods that the rest beside a weight needs, rounded up.
pub(crate) fn pods_for_rest(replicas: u32, weight: Weight) -> u32 {
    pods_for(replicas, Weight::new(weight.rest(), weight.of()))
}

/// Returns how many of `wanted` pods are enough to continue.
pub(crate) fn enough_of(strategy: &Strategy, wanted: u32) -> u32 {
    strategy.progress_threshold.map_or(wanted, |threshold| threshold.of(wanted))
}
