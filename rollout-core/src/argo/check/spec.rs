//! The numbers at the top level of the spec, and the referenced workload.

use super::notes::Notes;
use crate::{DnsName, argo::wire::RolloutSpec};
use alloc::{format, string::String};

const NOT_NEGATIVE: &str = "must be greater than or equal to 0";

pub(super) fn check(spec: &RolloutSpec, notes: &mut Notes) {
    let numbers = [
        ("spec.replicas", spec.replicas),
        ("spec.minReadySeconds", spec.min_ready_seconds),
        ("spec.revisionHistoryLimit", spec.revision_history_limit),
        ("spec.progressDeadlineSeconds", spec.progress_deadline_seconds),
    ];
    for (path, value) in numbers {
        if value.is_some_and(|value| value < 0) {
            notes.error(path, NOT_NEGATIVE, "write 0 or more");
        }
    }
    let (deadline, ready) =
        (spec.progress_deadline_seconds.unwrap_or(600), spec.min_ready_seconds.unwrap_or(0));
    if deadline <= ready {
        let instead = format!("write more than {ready}: pods count as progress only after minReadySeconds");
        notes.error("spec.progressDeadlineSeconds", "must be greater than minReadySeconds", instead);
    }
    workload(spec, notes);
}

fn workload(spec: &RolloutSpec, notes: &mut Notes) {
    let Some(workload) = &spec.workload_ref else { return };
    let (version, kind) = (workload.api_version.as_deref(), workload.kind.as_deref());
    let kind = kind.unwrap_or_default();
    if !matches!(kind, "Deployment" | "ReplicaSet" | "PodTemplate") {
        let message = format!("workload of type {}/{kind} is not supported", version.unwrap_or_default());
        notes.error("spec.workloadRef", message, "name a Deployment, a ReplicaSet or a PodTemplate");
    }
    let name = workload.name.as_deref().unwrap_or_default();
    if let Err(error) = DnsName::parse(name) {
        notes.ours("spec.workloadRef.name", format!("{error}"), "write the name of the object");
    }
    let scale_down = workload.scale_down.as_deref().unwrap_or_default();
    if !matches!(scale_down, "" | "never" | "onsuccess" | "progressively") {
        let message = format!("{scale_down:?} is unknown");
        notes.ours("spec.workloadRef.scaleDown", message, "write never, onsuccess or progressively");
    }
    if spec.template.as_ref().is_some_and(|template| !is_blank(template)) {
        let message = String::from("template must be empty for workload reference rollout");
        notes.error("spec.template", message, "keep either `template` or `workloadRef`");
    }
}

/// Returns whether the value contains only empty values, as in a template that an API server filled in.
fn is_blank(value: &serde_json::Value) -> bool {
    use serde_json::Value;
    match value {
        Value::Null => true,
        Value::Object(map) => map.values().all(is_blank),
        Value::Array(items) => items.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}
