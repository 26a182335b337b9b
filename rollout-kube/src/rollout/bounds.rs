//! How large a Rollout may be that is looked into: what it costs comes out of the time of all others.

use crate::replica_set::ReplicaSet;
use serde_json::Value;

/// The most bytes of a Rollout, as JSON without spaces, about.
const ROLLOUT: usize = 1 << 20;
/// Likewise, of what it says about its strategy.
const STRATEGY: usize = 128 << 10;
/// The most entries of one list in that.
const ENTRIES: usize = 1_000;
/// The most ReplicaSets of one Rollout.
const REPLICA_SETS: usize = 1_000;

/// Why a Rollout is not looked into, if it is too large: where, what, and what to write instead. It costs as much
/// as the Rollout is long, at most. It looks at the JSON, because what is too large must not even be read into the wire
/// form.
pub(super) fn too_large(rollout: &Value) -> Option<String> {
    let strategy = rollout.pointer("/spec/strategy").unwrap_or(&Value::Null);
    let long = |path: &str, most: usize, instead: &str| {
        Some(format!("{path}: it has more than {} KiB, so it is not looked into; {instead}", most >> 10))
    };
    if remaining(strategy, STRATEGY).is_none() {
        return long("spec.strategy", STRATEGY, "write fewer steps and routes");
    }
    if remaining(rollout, ROLLOUT).is_none() {
        return long("the Rollout", ROLLOUT, "take out what the pods do not need, also in its annotations");
    }
    let (path, entries) = longest(strategy, "spec.strategy");
    (entries > ENTRIES).then(|| {
        format!("{path}: it has {entries} entries, so it is not looked into; write {ENTRIES} at most")
    })
}

/// Why so many ReplicaSets are not looked into.
pub(super) fn too_many(sets: &[ReplicaSet]) -> Option<String> {
    (sets.len() > REPLICA_SETS).then(|| {
        format!(
            "there are {} ReplicaSets of this Rollout, and at most {REPLICA_SETS} are looked into; delete those \
             without pods",
            sets.len()
        )
    })
}

/// What is left of so many bytes; `None` when there are more.
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

/// The list with the most entries, and where it is.
fn longest(value: &Value, path: &str) -> (String, usize) {
    let own = value.as_array().map_or(0, Vec::len);
    let mut most = (path.to_owned(), own);
    let mut look = |item: &Value, path: String| {
        // What holds nothing has no place worth a text.
        if matches!(item, Value::Array(_) | Value::Object(_)) {
            let found = longest(item, &path);
            if found.1 > most.1 {
                most = found;
            }
        }
    };
    match value {
        // The others are like these, or there are too many of them anyway.
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
    fn what_people_write_is_small_enough() {
        let steps: Vec<_> =
            (0..100).flat_map(|step| [json!({"setWeight": step}), json!({"pause": {}})]).collect();
        assert_eq!(too_large(&with(&json!({"canary": {"steps": steps}}))), None);
    }

    #[test]
    fn what_is_too_large_is_said_with_its_place() {
        let many = |count: usize| vec![json!("r"); count];
        let routes = |count| json!({"canary": {"trafficRouting": {"istio": {"virtualService": {"routes": many(count)}}}}});
        assert_eq!(too_large(&with(&routes(1_000))), None);
        let cases = [
            (
                with(&routes(1_001)),
                "spec.strategy.canary.trafficRouting.istio.virtualService.routes: it has 1001",
            ),
            (with(&routes(130_000)), "spec.strategy: it has more than 128 KiB"),
            (
                with(&json!({"canary": {"steps": many(2_000)}})),
                "spec.strategy.canary.steps: it has 2000 entries",
            ),
            (json!({"status": {"message": "x".repeat(1 << 20)}}), "the Rollout: it has more than 1024 KiB"),
            (json!({"metadata": {"annotations": {"x".repeat(1 << 20): ""}}}), "the Rollout: "),
        ];
        for (rollout, expected) in cases {
            let why = too_large(&rollout).unwrap_or_default();
            assert!(why.starts_with(expected), "{expected}: {why}");
        }
    }
}
