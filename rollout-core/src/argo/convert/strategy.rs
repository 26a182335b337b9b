use super::{count::count, steps};
use crate::{
    Finding, Strategy, StrategyBuilder, Threshold,
    argo::{
        header_conditions::HeaderConditions,
        pods::int_or_percent,
        wire::{Canary, ProgressThreshold},
    },
};
use alloc::{string::String, vec::Vec};
use core::time::Duration;

/// Converts the strategy, if every step is supported.
pub(super) fn of(
    canary: &Canary,
    conditions: &HeaderConditions,
    unsupported: &mut Vec<Finding>,
) -> Option<Strategy> {
    let steps = steps::all(canary, conditions, unsupported)?;
    let beside = canary.analysis.as_ref().map(super::analysis::beside);
    let builder = around(canary).steps(steps).background(beside).step_hash(&step_hash(canary));
    routing(builder, canary)?.build().ok()
}

/// Converts the settings of a strategy other than its steps and its traffic routing.
pub(super) fn around(canary: &Canary) -> StrategyBuilder {
    let is_named = |service: &Option<String>| service.as_ref().is_some_and(|name| !name.is_empty());
    let by_turns = canary.ping_pong.is_some();
    Strategy::builder()
        .ping_pong(by_turns)
        .canary_service(by_turns || is_named(&canary.canary_service))
        .stable_service(by_turns || is_named(&canary.stable_service))
        .max_surge(int_or_percent(canary.max_surge.as_ref()))
        .max_unavailable(int_or_percent(canary.max_unavailable.as_ref()))
        .min_pods_per_replica_set(canary.min_pods_per_replica_set.and_then(positive))
        .replica_progress_threshold(canary.replica_progress_threshold.as_ref().and_then(threshold))
        .scale_down_delay(canary.scale_down_delay_seconds.map(seconds))
        .abort_scale_down_delay(canary.abort_scale_down_delay_seconds.map(abort_delay))
        .scale_down_delay_revision_limit(canary.scale_down_delay_revision_limit.map(count))
        .dynamic_stable_scale(canary.dynamic_stable_scale.unwrap_or(false))
}

/// Computes the hash as Argo Rollouts' controller does, which first serializes the object and reads it again, so that
/// an empty list becomes an absent one.
fn step_hash(canary: &Canary) -> String {
    let is_empty = canary.steps.as_ref().is_none_or(Vec::is_empty);
    if is_empty { Canary::default().step_hash() } else { canary.step_hash() }
}

fn routing(mut builder: StrategyBuilder, canary: &Canary) -> Option<StrategyBuilder> {
    let Some(routing) = &canary.traffic_routing else { return Some(builder) };
    builder = builder.traffic_routing(true);
    for route in routing.managed_routes.iter().flatten() {
        builder = builder.managed_route(route.name.as_deref().unwrap_or_default());
    }
    if let Some(total) = routing.max_traffic_weight {
        builder = builder.max_weight(u32::try_from(total).ok()?);
    }
    Some(builder)
}

fn positive(number: i32) -> Option<u32> {
    u32::try_from(number).ok().filter(|number| *number > 0)
}

fn seconds(number: i32) -> Duration {
    Duration::from_secs(count(number).into())
}

/// Converts the abort delay: an explicit 0 means never; a negative number means at once, which is the next second.
fn abort_delay(number: i32) -> Duration {
    if number < 0 { Duration::from_secs(1) } else { seconds(number) }
}

/// Converts the threshold; one of an unknown type means all pods.
fn threshold(threshold: &ProgressThreshold) -> Option<Threshold> {
    let value = count(threshold.value.unwrap_or(0));
    match threshold.kind.as_deref() {
        Some("Percent") => Some(Threshold::Percent(value)),
        Some("Pods") => Some(Threshold::Pods(value)),
        _ => None,
    }
}
