//! The phase that clients show, derived from a Rollout and its status.

use crate::Time;
use alloc::{format, string::String};
use serde_json::Value;

/// The phase of a Rollout, as shown to users.
///
/// See [`phase`] for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Phase {
    /// `Healthy`, `Degraded`, `Progressing` or `Paused`.
    pub name: String,
    /// The reason; empty when healthy.
    pub message: String,
}

impl Phase {
    fn new(name: &str, message: impl Into<String>) -> Self {
        Self { name: name.into(), message: message.into() }
    }
}

/// Returns the phase and message that the controller stores, by Argo Rollouts' rules: the first that applies.
///
/// Values that cannot be read count as absent.
///
/// ```
/// use rollout_core::conformance::phase;
/// use serde_json::json;
/// let phase = phase(&json!({
///     "spec": {"replicas": 2},
///     "status": {"updatedReplicas": 1, "availableReplicas": 1}
/// }));
/// assert_eq!((phase.name.as_str(), phase.message.as_str()), ("Progressing", "more replicas need to be updated"));
/// ```
#[must_use]
pub fn phase(rollout: &Value) -> Phase {
    let (spec, status) = (field(rollout, "spec"), field(rollout, "status"));
    degraded(status).or_else(|| paused(spec, status)).unwrap_or_else(|| progress(spec, status))
}

/// Returns the phase and message that a client shows: it first checks whether the controller has seen the newest spec,
/// and then trusts the stored phase.
///
/// ```
/// use rollout_core::conformance::phase_for_clients;
/// use serde_json::json;
/// let seen = phase_for_clients(&json!({
///     "metadata": {"generation": 3},
///     "status": {"observedGeneration": "2", "phase": "Healthy"}
/// }));
/// assert_eq!(seen.message, "waiting for rollout spec update to be observed");
/// ```
#[must_use]
pub fn phase_for_clients(rollout: &Value) -> Phase {
    let (metadata, status) = (field(rollout, "metadata"), field(rollout, "status"));
    let generation = field(metadata, "generation").as_i64().unwrap_or(0);
    let observed = text(status, "observedGeneration").parse::<i64>();
    if observed.is_ok_and(|observed| observed < generation) {
        return Phase::new("Progressing", "waiting for rollout spec update to be observed");
    }
    if field(status, "controllerPause") == &Value::Bool(true) && first_pause(status).is_none() {
        return Phase::new("Progressing", "waiting for rollout to unpause");
    }
    let seen = field(field(metadata, "annotations"), "rollout.argoproj.io/workload-generation");
    let is_referenced = !field(field(rollout, "spec"), "workloadRef").is_null();
    if is_referenced && seen.as_str().unwrap_or_default() != text(status, "workloadObservedGeneration") {
        let message = "waiting for rollout spec update to be observed for the reference workload";
        return Phase::new("Progressing", message);
    }
    match text(status, "phase") {
        "" => phase(rollout),
        stored => Phase::new(stored, text(status, "message")),
    }
}

/// Returns the first condition that reports a problem, in the order of the list.
fn degraded(status: &Value) -> Option<Phase> {
    let conditions = field(status, "conditions").as_array()?;
    conditions.iter().find_map(|condition| {
        let reason = match (text(condition, "type"), text(condition, "reason")) {
            ("InvalidSpec", _) => "InvalidSpec",
            (_, reason @ ("RolloutAborted" | "ProgressDeadlineExceeded")) => reason,
            _ => return None,
        };
        Some(Phase::new("Degraded", format!("{reason}: {}", text(condition, "message"))))
    })
}

fn paused(spec: &Value, status: &Value) -> Option<Phase> {
    if field(spec, "paused") == &Value::Bool(true) {
        return Some(Phase::new("Paused", "manually paused"));
    }
    Some(Phase::new("Paused", text(first_pause(status)?, "reason")))
}

fn progress(spec: &Value, status: &Value) -> Phase {
    let count = |name: &str| field(status, name).as_i64().unwrap_or(0);
    let (all, updated, available) = (count("replicas"), count("updatedReplicas"), count("availableReplicas"));
    let canary = field(field(spec, "strategy"), "canary");
    let by_ratio = !canary.is_null() && field(canary, "trafficRouting").is_null();
    let (stable, target) = (text(status, "stableRS"), text(status, "currentPodHash"));
    let message = if restarts(spec, status) {
        "rollout is restarting"
    } else if updated < field(spec, "replicas").as_i64().unwrap_or(1) {
        "more replicas need to be updated"
    } else if available < updated {
        "updated replicas are still becoming available"
    } else if by_ratio && all > updated {
        "old replicas are pending termination"
    } else if stable.is_empty() || stable != target {
        "waiting for all steps to complete"
    } else {
        return Phase::new("Healthy", "");
    };
    Phase::new("Progressing", message)
}

/// Returns whether a requested restart is outstanding, comparing the times.
fn restarts(spec: &Value, status: &Value) -> bool {
    let (asked, done) = (text(spec, "restartAt"), text(status, "restartedAt"));
    !asked.is_empty() && (done.is_empty() || Time::parse_rfc3339(asked) != Time::parse_rfc3339(done))
}

fn first_pause(status: &Value) -> Option<&Value> {
    field(status, "pauseConditions").as_array()?.first()
}

fn field<'v>(value: &'v Value, name: &str) -> &'v Value {
    value.get(name).unwrap_or(&Value::Null)
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    field(value, name).as_str().unwrap_or_default()
}
