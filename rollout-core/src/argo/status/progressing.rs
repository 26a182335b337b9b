//! The condition `Progressing`: what clients show as the state of an update.

use super::{
    conditions::{Conditions, Said},
    facts::Facts,
};
use crate::AbortReason;
use alloc::{format, string::String};
use serde_json::Value;

const KIND: &str = "Progressing";
/// The reason while the ReplicaSet of an update is not created yet; the message is then about the Rollout.
const NOT_MADE: &str = "ReplicaSetUpdated";

/// Returns whether an update is complete and every pod of it is available.
pub(super) fn is_healthy(facts: &Facts<'_>, next: &Value) -> bool {
    let count = |key: &str| next.get(key).and_then(Value::as_u64).unwrap_or(0);
    let wanted = facts.replicas();
    !facts.paused()
        && facts.status.is_done()
        && !facts.leads_to_canary()
        && count("updatedReplicas") == wanted
        && count("availableReplicas") == wanted
        && count("replicas") == wanted
}

/// Reports the progress of the update; `next` is the new status with its counts.
pub(super) fn say(conditions: &mut Conditions, facts: &Facts<'_>, next: &Value) {
    let status = facts.status;
    let canary = facts.workload(status.canary.as_ref());
    let subject = canary.map_or_else(
        || format!("Rollout {:?}", facts.name()),
        |workload| format!("ReplicaSet {:?}", workload.name),
    );
    let before = String::from(conditions.reason(KIND));
    if let Some(aborted) = &status.aborted {
        let cause = match &aborted.why {
            AbortReason::ProgressDeadline => format!(": {subject} has timed out progressing."),
            AbortReason::Command => String::new(),
            AbortReason::Analysis(message) => format!(": {message}"),
            AbortReason::Cluster(cluster) => format!(": it was aborted in cluster {cluster}"),
        };
        let number = canary.map_or(0, |workload| workload.number);
        let message = format!("Rollout aborted update to revision {number}{cause}");
        conditions.set(&Said::new(KIND, "False", "RolloutAborted", message));
    } else if facts.paused() && !status.is_done() {
        conditions.set(&Said::new(KIND, "Unknown", "RolloutPaused", "Rollout is paused"));
    } else if is_healthy(facts, next) {
        let message = format!("{subject} has successfully progressed.");
        conditions.set(&Said::new(KIND, "True", "NewReplicaSetAvailable", message));
    } else if status.progress.as_ref().is_some_and(|progress| progress.exceeded) {
        let message = format!("{subject} has timed out progressing.");
        conditions.set(&Said::new(KIND, "False", "ProgressDeadlineExceeded", message));
    } else if before == "RolloutPaused" && !has_progress(facts, next) {
        conditions.set(&Said::new(KIND, "Unknown", "RolloutResumed", "Rollout is resumed"));
    } else if before == "RolloutAborted" {
        conditions.set(&Said::new(KIND, "Unknown", "RolloutRetry", "Retrying Rollout after abort"));
    } else if let (Some((revision, why)), None) = (facts.refused, canary)
        && status.canary.as_ref() == Some(revision)
    {
        let name = format!("{}-{revision}", facts.name());
        let message = format!("Failed to create new replica set {name:?}: {why}");
        conditions.set(&Said::new(KIND, "False", "ReplicaSetCreateError", message));
    } else if canary.is_none() && !status.is_done() {
        // The status is stored before the ReplicaSet is created, which may be refused.
        conditions.set(&Said::new(KIND, "True", NOT_MADE, format!("{subject} is progressing.")));
    } else if before == NOT_MADE && conditions.message(KIND).starts_with("Rollout ") {
        let name = canary.map_or("", |workload| workload.name.as_str());
        let message = format!("Created new replica set {name:?}");
        conditions.set(&Said::new(KIND, "True", "NewReplicaSetCreated", message));
    } else if changed(facts, next, "currentPodHash") {
        let name = canary.map_or("", |workload| workload.name.as_str());
        let message = format!("Found new replica set {name:?}");
        conditions.set(&Said::new(KIND, "True", "FoundNewReplicaSet", message));
    } else if status.is_done() && before == "NewReplicaSetAvailable" {
        let message = "Rollout does not have minimum availability";
        conditions.set(&Said::new(KIND, "True", "ReplicaSetNotAvailable", message));
    } else if has_progress(facts, next) || before.is_empty() {
        conditions.renew(&Said::new(KIND, "True", "ReplicaSetUpdated", format!("{subject} is progressing.")));
    }
}

/// Returns whether there is progress: other pods are wanted or gone, more are ready or available, or the step or stable
/// changed.
fn has_progress(facts: &Facts<'_>, next: &Value) -> bool {
    let count = |status: &Value, key: &str| status.get(key).and_then(Value::as_u64).unwrap_or(0);
    let old = facts.rollout.get("status").unwrap_or(&Value::Null);
    let of_old = |status: &Value| count(status, "replicas").saturating_sub(count(status, "updatedReplicas"));
    let rose = |key: &str| count(next, key) > count(old, key);
    ["stableRS", "currentStepIndex", "currentStepHash", "updatedReplicas"]
        .into_iter()
        .any(|key| changed(facts, next, key))
        || rose("readyReplicas")
        || rose("availableReplicas")
        || of_old(next) < of_old(old)
}

fn changed(facts: &Facts<'_>, next: &Value, key: &str) -> bool {
    facts.old(key) != next.get(key).unwrap_or(&Value::Null)
}
