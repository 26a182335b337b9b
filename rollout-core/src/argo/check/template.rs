//! The few rules of the pod template that are checked here; the API server checks the others.

use super::{notes::Notes, selector};
use crate::argo::{path::child, wire::RolloutSpec};
use alloc::format;
use serde_json::Value;

const LABELS: &str = "spec.template.metadata.labels";

pub(super) fn check(spec: &RolloutSpec, selector_is_readable: bool, notes: &mut Notes) {
    if spec.workload_ref.is_some() {
        return;
    }
    let none = Value::Null;
    let template = spec.template.as_ref().unwrap_or(&none);
    if template.is_null() {
        notes.error(
            "spec.template",
            "Rollout has missing field '.spec.template'",
            "write the pods' template",
        );
    }
    let labels = template.get("metadata").and_then(|metadata| metadata.get("labels"));
    for (key, value) in labels.and_then(Value::as_object).into_iter().flatten() {
        if !value.is_string() {
            notes.error(child(LABELS, key), "must be text", format!("write \"{value}\" in quotes"));
        }
    }
    if selector_is_readable && !selector::matches(spec.selector.as_ref(), labels) {
        let instead = "the template's labels must have everything that the selector asks for";
        notes.error(LABELS, "`selector` does not match template `labels`", instead);
    }
    pods(template.get("spec").unwrap_or(&none), notes);
}

fn pods(pods: &Value, notes: &mut Notes) {
    let policy = pods.get("restartPolicy").and_then(Value::as_str).unwrap_or_default();
    if !matches!(policy, "" | "Always") {
        notes.error("spec.template.spec.restartPolicy", "supported values: \"Always\"", "leave it out");
    }
    if pods.get("activeDeadlineSeconds").is_some_and(|value| !value.is_null()) {
        let message = "activeDeadlineSeconds in ReplicaSet is not Supported";
        notes.error("spec.template.spec.activeDeadlineSeconds", message, "leave it out");
    }
    let containers = pods.get("containers").and_then(Value::as_array);
    if containers.is_none_or(alloc::vec::Vec::is_empty) {
        let instead = "name at least one container: `containers: [{name: …, image: …}]`";
        notes.error("spec.template.spec.containers", "Required value", instead);
    }
    for (index, container) in containers.into_iter().flatten().enumerate() {
        for field in ["name", "image"] {
            let text = container.get(field).and_then(Value::as_str).unwrap_or_default();
            if text.is_empty() {
                let path = format!("spec.template.spec.containers[{index}].{field}");
                notes.error(path, "Required value", format!("give the container its {field}"));
            }
        }
    }
}
