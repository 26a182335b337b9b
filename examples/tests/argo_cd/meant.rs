//! The health that a Rollout means by its spec, its counts and its conditions: without its phase, which Argo CD
//! reads.

use serde_json::Value;

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
}

/// What a Rollout means, after a write of its controller.
pub(crate) fn meant(rollout: &Value) -> &'static str {
    let generation = number(rollout, "/metadata/generation");
    if text(rollout, "/status/observedGeneration").parse().is_ok_and(|seen: u64| seen < generation)
        || rollout.get("status").is_none()
    {
        return "Progressing";
    }
    let workload = text(rollout, "/metadata/annotations/rollout.argoproj.io~1workload-generation");
    let observed = text(rollout, "/status/workloadObservedGeneration");
    let refers = rollout.pointer("/spec/workloadRef").is_some();
    if refers && !workload.is_empty() && !observed.is_empty() && workload != observed {
        return "Progressing";
    }
    let conditions = rollout.pointer("/status/conditions").and_then(Value::as_array);
    let is = |wanted: fn(&Value) -> bool| conditions.into_iter().flatten().any(wanted);
    let failed = |condition: &Value| {
        text(condition, "/type") == "InvalidSpec" || text(condition, "/reason") == "ProgressDeadlineExceeded"
    };
    // Among what is waited for, it need not be one of the few that the condition names.
    let is_stable_gone = text(rollout, "/status/message").contains("there is nothing to go back to");
    let is_aborted = !text(rollout, "/status/abortedAt").is_empty();
    if is(failed) || is_aborted || is_stable_gone {
        return "Degraded";
    }
    let pauses = rollout.pointer("/status/pauseConditions").and_then(Value::as_array);
    if rollout.pointer("/spec/paused") == Some(&Value::Bool(true))
        || pauses.is_some_and(|all| !all.is_empty())
    {
        return "Suspended";
    }
    let wanted = rollout.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1);
    let updated = number(rollout, "/status/updatedReplicas");
    let is_routed = rollout.pointer("/spec/strategy/canary/trafficRouting").is_some();
    let has_others = !is_routed && number(rollout, "/status/replicas") > updated;
    let is_done = text(rollout, "/status/stableRS") == text(rollout, "/status/currentPodHash");
    let has_traffic = number(rollout, "/status/canary/weights/canary/weight") > 0;
    let restarts = text(rollout, "/spec/restartAt") != text(rollout, "/status/restartedAt")
        && !text(rollout, "/spec/restartAt").is_empty();
    let has_pods = updated >= wanted && number(rollout, "/status/availableReplicas") >= updated;
    let is_healthy = is_done && has_pods && !has_others && !has_traffic && !restarts;
    if is_healthy { "Healthy" } else { "Progressing" }
}
