//! Labels and annotations of canary and stable pods.

use super::{
    labels::{self, is_key, is_value},
    notes::Notes,
};
use crate::argo::{
    path::child,
    wire::{Metadata, RolloutSpec},
};
use alloc::format;
use serde_json::Value;

/// The label with which ReplicaSets select their pods.
const REVISION: &str = "rollouts-pod-template-hash";
/// The most bytes of labels and annotations. A ReplicaSet records them twice beside its template, and the API server
/// refuses more than 256 KiB of annotations.
const MOST: usize = 48 << 10;
/// What each of them costs in a record, beside its key and its value.
const EACH: usize = 8;

pub(super) fn check(spec: &RolloutSpec, notes: &mut Notes) {
    let Some(canary) = spec.strategy.as_ref().and_then(|strategy| strategy.canary.as_ref()) else { return };
    for (field, metadata) in
        [("canaryMetadata", &canary.canary_metadata), ("stableMetadata", &canary.stable_metadata)]
    {
        if let Some(metadata) = metadata {
            check_metadata(&format!("spec.strategy.canary.{field}"), metadata, spec, notes);
        }
    }
}

fn check_metadata(path: &str, metadata: &Metadata, spec: &RolloutSpec, notes: &mut Notes) {
    let labels_at = format!("{path}.labels");
    let mut bytes = 0;
    for (key, value) in metadata.labels.iter().flatten() {
        bytes += key.len() + value.len() + EACH;
        let place = child(&labels_at, key);
        if !is_key(key) {
            notes.ours(place, labels::KEY, format!("the key {key:?} cannot be a label"));
        } else if !is_value(value) {
            notes.ours(place, labels::VALUE, format!("{value:?} cannot be a label's value"));
        } else if key == REVISION || is_selected(key, value, spec) {
            let what = "a ReplicaSet selects its pods by this label: a pod with another value would leave it";
            notes.ours(place, what, "choose a label that `selector` does not name");
        }
    }
    let annotations_at = format!("{path}.annotations");
    for (key, value) in metadata.annotations.iter().flatten() {
        // Control characters take six bytes in JSON.
        let escaped =
            value.chars().filter(|letter| letter.is_control() || matches!(letter, '"' | '\\')).count();
        bytes += key.len() + value.len() + 5 * escaped + EACH;
        // Kubernetes compares keys of annotations without regard to upper case.
        if !is_key(&key.to_lowercase()) {
            let instead = format!("the key {key:?} cannot be an annotation");
            notes.ours(child(&annotations_at, key), labels::KEY, instead);
        }
    }
    if bytes > MOST {
        notes.ours(
            path,
            "these labels and annotations are too large",
            format!("write {} KiB at most", MOST >> 10),
        );
    }
}

/// Returns whether the selector names this label, and the template has another value for it.
fn is_selected(key: &str, value: &str, spec: &RolloutSpec) -> bool {
    let Some(selector) = &spec.selector else { return false };
    let requires = |requirement: &crate::argo::wire::Requirement| requirement.key.as_deref() == Some(key);
    let template = spec.template.as_ref().and_then(|template| template.pointer("/metadata/labels")?.get(key));
    (selector.match_labels.iter().flatten().any(|(label, _)| label == key)
        || selector.match_expressions.iter().flatten().any(requires))
        && template.and_then(Value::as_str) != Some(value)
}

#[cfg(test)]
mod tests {
    use crate::argo::check;
    use alloc::{string::String, vec::Vec};
    use serde_json::{Value, json};

    fn errors(metadata: &Value) -> Vec<String> {
        let report = check(&json!({"spec": {
            "selector": {
                "matchLabels": {"app": "web"}, "matchExpressions": [{"key": "tier", "operator": "Exists"}]
            },
            "strategy": {"canary": {"canaryMetadata": metadata, "stableMetadata": {"labels": {"role": "stable"}}}},
            "template": {
                "metadata": {"labels": {"app": "web", "tier": "front"}},
                "spec": {"containers": [{"name": "c", "image": "web"}]}
            }
        }}));
        report.errors().map(|error| error.path.replace("spec.strategy.canary.canaryMetadata", "")).collect()
    }

    #[test]
    fn labels_and_annotations_that_pods_can_have_are_valid() {
        let metadata = json!({
            "labels": {"role": "canary", "example.com/track": "", "app": "web"},
            "annotations": {"Example.com/Why": "any text\n✓", "linkerd.io/inject": "enabled"}
        });
        assert_eq!(errors(&metadata), [""; 0]);
    }

    #[test]
    fn what_no_pod_can_have_is_an_error_where_it_stands() {
        for (metadata, place) in [
            (json!({"labels": {"a b": "x"}}), ".labels[a b]"),
            (json!({"labels": {"role": "a b"}}), ".labels.role"),
            (json!({"labels": {"app": "other"}}), ".labels.app"),
            (json!({"labels": {"tier": "back"}}), ".labels.tier"),
            (json!({"labels": {"rollouts-pod-template-hash": "x"}}), ".labels.rollouts-pod-template-hash"),
            (json!({"annotations": {"a/b/c": "x"}}), ".annotations[a/b/c]"),
            (json!({"annotations": {"big": "x".repeat(50_000)}}), ""),
            (json!({"annotations": {"big": "\u{1}".repeat(9_000)}}), ""),
        ] {
            assert_eq!(errors(&metadata), [place], "{metadata}");
        }
    }
}
