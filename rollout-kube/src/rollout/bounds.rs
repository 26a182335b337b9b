//! The size limits of a Rollout: a large one would use the worker time of all others.

use crate::replica_set::ReplicaSet;
use serde_json::Value;

/// The most bytes of a Rollout, approximately, as JSON without spaces.
const ROLLOUT: usize = 1 << 20;
/// The most bytes of its strategy, likewise.
const STRATEGY: usize = 128 << 10;
/// The most entries of one list in the strategy.
const ENTRIES: usize = 1_000;
/// The most ReplicaSets of one Rollout.
const REPLICA_SETS: usize = 1_000;

/// Returns why a Rollout is too large, if it is: where, what, and what to write instead. The cost is at most linear in
/// the size. It measures the JSON, because an oversized Rollout must not even be parsed into the wire form.
pub(crate) fn too_large(rollout: &Value) -> Option<String> {
    let strategy = rollout.pointer("/spec/strategy").unwrap_or(&Value::Null);
    let long = |path: &str, most: usize, instead: &str| {
        Some(format!(
            "{path}: larger than the limit of {} KiB, so the Rollout is not processed; {instead}",
            most >> 10
        ))
    };
    if remaining(strategy, STRATEGY).is_none() {
        return long("spec.strategy", STRATEGY, "write fewer steps and routes");
    }
    if remaining(rollout, ROLLOUT).is_none() {
        return long("the Rollout", ROLLOUT, "remove what the pods do not need, including annotations");
    }
    let (path, entries) = longest(strategy, "spec.strategy");
    (entries > ENTRIES).then(|| {
        format!(
            "{path}: {entries} entries, more than the limit, so the Rollout is not processed; write at most \
             {ENTRIES}"
        )
    })
}

/// Returns why a Rollout has too many ReplicaSets, if it has.
pub(super) fn too_many(sets: &[ReplicaSet]) -> Option<String> {
    (sets.len() > REPLICA_SETS).then(|| {
        format!(
            "this Rollout has {} ReplicaSets, more than the limit of {REPLICA_SETS}, so it is not processed; delete \
             those without pods",
            sets.len()
        )
    })
}

/// Returns how many of these bytes remain after a value; `None` if the value is larger.
fn remaining(value: &Value, bytes: usize) -> Option<usize> {
    let bytes = bytes.checked_sub(2)?;
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => bytes.checked_sub(4),
        Value::String(text) => bytes.checked_sub(text.len()),
        Value::Array(list) => list.iter().try_fold(bytes, |bytes, item| remaining(item, bytes)),
        Value::Object(map) => map.iter().try_fold(bytes, |bytes, (key, item)| {
            remaining(item, bytes.checked_sub(key.len().saturating_add(3))?)
        }),
    }
}

/// Returns the path and the length of the longest list.
fn longest(value: &Value, path: &str) -> (String, usize) {
    let own = value.as_array().map_or(0, Vec::len);
    let mut most = (path.to_owned(), own);
    let mut look = |item: &Value, path: String| {
        // A scalar contains no list: skip building its path.
        if matches!(item, Value::Array(_) | Value::Object(_)) {
            let found = longest(item, &path);
            if found.1 > most.1 {
                most = found;
            }
        }
    };
    match value {
        // A longer list is too long anyway.
        Value::Array(list) => {
            for (index, item) in list.iter().take(ENTRIES).enumerate() {
                look(item, format!("{path}[{index}]"));
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                look(item, format!("{path}.{key}"));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn with(strategy: &Value) -> Value {
        json!({"metadata": {"name": "web"}, "spec": {"strategy": strategy, "template": {}}})
    }

    #[test]
    fn a_realistic_strategy_is_small_enough() {
        let steps: Vec<_> =
            (0..100).flat_map(|step| [json!({"setWeight": step}), json!({"pause": {}})]).collect();
        assert_eq!(too_large(&with(&json!({"canary": {"steps": steps}}))), None);
    }

    #[test]
    fn an_oversized_part_is_reported_with_its_place() {
        let many = |count: usize| vec![json!("r"); count];
        let routes = |count| json!({"canary": {"trafficRouting": {"istio": {"virtualService": {"routes": many(count)}}}}});
        assert_eq!(too_large(&with(&routes(1_000))), None);
        let cases = [
            (with(&routes(1_001)), "spec.strategy.canary.trafficRouting.istio.virtualService.routes: 1001"),
            (with(&routes(130_000)), "spec.strategy: larger than the limit of 128 KiB"),
            (with(&json!({"canary": {"steps": many(2_000)}})), "spec.strategy.canary.steps: 2000 entries"),
            (
                json!({"status": {"message": "x".repeat(1 << 20)}}),
                "the Rollout: larger than the limit of 1024 KiB",
            ),
            (json!({"metadata": {"annotations": {"x".repeat(1 << 20): ""}}}), "the Rollout: "),
        ];
        for (rollout, expected) in cases {
            let why = too_large(&rollout).unwrap_or_default();
            assert!(why.starts_with(expected), "{expected}: {why}");
        }
    }
}
