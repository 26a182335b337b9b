//! The selector of the Rollout's pods.

use super::{
    labels::{self, is_key, is_value},
    notes::Notes,
};
use crate::argo::wire::{Requirement, RolloutSpec, Selector};
use alloc::{collections::BTreeMap, format, vec::Vec};
use serde_json::Value;

/// Reports the errors in the selector; returns whether it can be compared with labels.
pub(super) fn check(spec: &RolloutSpec, notes: &mut Notes) -> bool {
    let Some(selector) = &spec.selector else {
        if spec.workload_ref.is_none() {
            let message = "Rollout has missing field '.spec.selector'";
            notes.error(
                "spec.selector",
                message,
                "write `selector: {matchLabels: {app: …}}`, as in the template's labels",
            );
        }
        return true;
    };
    if is_empty(selector) {
        notes.error(
            "spec.selector",
            "empty selector is invalid for deployment",
            "name at least one label of the template",
        );
    }
    let before = notes.findings.len();
    for (key, value) in selector.match_labels.iter().flatten() {
        if !is_key(key) {
            notes.error(
                "spec.selector.matchLabels",
                labels::KEY,
                format!("the key {key:?} cannot be a label"),
            );
        }
        if !is_value(value) {
            notes.error(
                "spec.selector.matchLabels",
                labels::VALUE,
                format!("{value:?} cannot be a label's value"),
            );
        }
    }
    for (index, requirement) in selector.match_expressions.iter().flatten().enumerate() {
        check_requirement(&format!("spec.selector.matchExpressions[{index}]"), requirement, notes);
    }
    let readable = notes.findings.len() == before;
    if !readable {
        notes.error("spec.selector", "invalid label selector", "fix the errors in it");
    }
    readable
}

fn is_empty(selector: &Selector) -> bool {
    selector.match_labels.as_ref().is_none_or(BTreeMap::is_empty)
        && selector.match_expressions.as_ref().is_none_or(Vec::is_empty)
}

fn check_requirement(path: &str, requirement: &Requirement, notes: &mut Notes) {
    let values = requirement.values.as_deref().unwrap_or_default();
    match requirement.operator.as_deref().unwrap_or_default() {
        "In" | "NotIn" if values.is_empty() => notes.error(
            format!("{path}.values"),
            "must be specified when `operator` is 'In' or 'NotIn'",
            "list the values",
        ),
        "Exists" | "DoesNotExist" if !values.is_empty() => notes.error(
            format!("{path}.values"),
            "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            "leave `values` out",
        ),
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        _ => notes.error(
            format!("{path}.operator"),
            "not a valid selector operator",
            "write In, NotIn, Exists or DoesNotExist",
        ),
    }
    if !is_key(requirement.key.as_deref().unwrap_or_default()) {
        notes.error(format!("{path}.key"), labels::KEY, "write the label's name, such as `app`");
    }
    for (index, _) in values.iter().enumerate().filter(|(_, value)| !is_value(value)) {
        notes.error(
            format!("{path}.values[{index}]"),
            labels::VALUE,
            "write letters, digits, `-`, `_` and `.`",
        );
    }
}

/// Returns whether the selector matches the labels. No selector matches none, an empty one all.
pub(super) fn matches(selector: Option<&Selector>, labels: Option<&Value>) -> bool {
    let Some(selector) = selector else { return false };
    let label = |key: &str| labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
    let expression = |requirement: &Requirement| {
        let found = label(requirement.key.as_deref().unwrap_or_default());
        let listed = requirement.values.iter().flatten().any(|value| Some(value.as_str()) == found);
        match requirement.operator.as_deref().unwrap_or_default() {
            "In" => listed,
            "NotIn" => !listed,
            "Exists" => found.is_some(),
            _ => found.is_none(),
        }
    };
    selector.match_labels.iter().flatten().all(|(key, value)| label(key) == Some(value))
        && selector.match_expressions.iter().flatten().all(expression)
}
