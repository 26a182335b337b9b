//! The rule that there is exactly one strategy. `written` are the steps as they are in the manifest.

use super::{affinity, delays, names, notes::Notes, ping_pong, routing, services, steps};
use crate::argo::wire::StrategyField;
use serde_json::Value;

const PATH: &str = "spec.strategy.strategy";

pub(super) fn check(strategy: Option<&StrategyField>, written: &[Value], notes: &mut Notes) {
    let canary = strategy.and_then(|strategy| strategy.canary.as_ref());
    let blue_green =
        strategy.and_then(|strategy| strategy.blue_green.as_ref()).is_some_and(|value| !value.is_null());
    match (canary, blue_green) {
        (None, false) => notes.error_at(
            "spec.strategy",
            PATH,
            "Rollout has missing field '.spec.strategy.canary or .spec.strategy.blueGreen'",
            "write `strategy: {canary: {steps: […]}}`",
        ),
        (Some(_), true) => notes.error_at(
            "spec.strategy",
            PATH,
            "Multiple Strategies can not be listed",
            "keep either `canary` or `blueGreen`",
        ),
        (None, true) => {}
        (Some(canary), false) => {
            names::check(canary, notes);
            services::check(canary, notes);
            ping_pong::check(canary, notes);
            delays::check(canary, notes);
            routing::check(canary, notes);
            affinity::check(canary, notes);
            steps::check(canary, written, notes);
        }
    }
}
