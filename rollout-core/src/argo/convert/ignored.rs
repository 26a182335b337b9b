//! Settings that the engine does not support and a release does not need.

use crate::{Finding, Time, argo::wire::Rollout};
use alloc::vec::Vec;

pub(super) fn find(rollout: &Rollout) -> Vec<Finding> {
    let Some(spec) = &rollout.spec else { return Vec::new() };
    let canary = spec.strategy.as_ref().and_then(|strategy| strategy.canary.as_ref());
    let routing = canary.and_then(|canary| canary.traffic_routing.as_ref());
    let rule = routing.and_then(|routing| routing.istio.as_ref()?.destination_rule.as_ref());
    let subsets = rule.and_then(|rule| rule.additional_subset_names.as_ref());
    let parts = [
        (
            "spec.restartAt",
            spec.restart_at.as_deref().is_some_and(|at| Time::parse_rfc3339(at).is_none()),
            "it is not a time such as 2026-01-31T12:00:00Z, so no pod is restarted; the release continues",
        ),
        ("spec.analysis", spec.analysis.is_some(), "there are no finished analyses to keep"),
        (
            "spec.strategy.canary.trafficRouting.istio.destinationRule.additionalSubsetNames",
            subsets.is_some_and(|names| !names.is_empty()),
            "subsets other than canary and stable are left unchanged",
        ),
    ];
    parts
        .into_iter()
        .filter(|(_, there, _)| *there)
        .map(|(path, _, what)| Finding::ignored(path, what))
        .collect()
}
