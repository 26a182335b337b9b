//! The reference's answers for the kind `istio`.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

use rollout_istio::{InForce, apply};
use serde_json::{Map, Value};

/// What is compared: without what is empty, weights of 0, metadata but name and namespace, and everything
/// after the first dot of a host.
fn compared(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut kept = Map::new();
            for (key, value) in object {
                let value = match (key.as_str(), value) {
                    ("metadata", Value::Object(all)) => all
                        .iter()
                        .filter(|(key, _)| matches!(key.as_str(), "name" | "namespace"))
                        .map(|(key, value)| (key.clone(), value.clone()))
                        .collect(),
                    ("host", Value::String(host)) => host.split('.').next().unwrap_or_default().into(),
                    ("weight", value) if value.as_u64() == Some(0) => Value::Null,
                    (_, value) => compared(value),
                };
                let empty = value.is_null()
                    || value.as_object().is_some_and(Map::is_empty)
                    || value.as_array().is_some_and(Vec::is_empty)
                    || value.as_str() == Some("");
                if !empty {
                    kept.insert(key.clone(), value);
                }
            }
            Value::Object(kept)
        }
        Value::Array(all) => all.iter().map(compared).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn answer(input: &Value) -> Value {
    let objects = input["objects"].as_array().unwrap().clone();
    let to = InForce {
        canary: input["canaryHash"].as_str().unwrap().into(),
        stable: input["stableHash"].as_str().unwrap().into(),
        weight: u32::try_from(input["weight"].as_u64().unwrap()).unwrap(),
        managed: input["managed"].as_array().map(Vec::as_slice).unwrap_or_default(),
    };
    apply(&input["rollout"], objects, &to).unwrap().into()
}

#[test]
fn every_answer_is_the_references() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../rollout-core/tests/conformance/istio.jsonl");
    let lines = std::fs::read_to_string(path).unwrap();
    let mut asked = 0;
    for line in lines.lines() {
        let question: Value = serde_json::from_str(line).unwrap();
        let output = compared(&answer(&question["input"]));
        assert_eq!(output, compared(&question["want"]["objects"]), "{}", question["id"]);
        asked += 1;
    }
    assert!(asked >= 250, "{asked} questions");
}
