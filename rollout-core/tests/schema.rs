//! The JSON schemas of the status and of the strategy, for the definition of an own kind of object.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use rollout_core::{Status, Step, Strategy};
use schemars::schema_for;
use serde_json::{Value, json};

/// Returns the names of the properties of a schema, and those that are required.
fn properties(schema: &Value) -> (Vec<&str>, Vec<&str>) {
    let names = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    let required = schema["required"].as_array().unwrap();
    (names, required.iter().filter_map(Value::as_str).collect())
}

#[test]
fn the_schema_of_a_status_has_every_stored_field() {
    let schema = schema_for!(Status).to_value();
    let (names, required) = properties(&schema);
    assert_eq!(required, ["v"]);
    let mut status = Status::default();
    (status.stable, status.canary, status.step) = (Some("v1".into()), Some("v2".into()), 3);
    let stored = serde_json::to_value(&status).unwrap();
    for field in stored.as_object().unwrap().keys() {
        assert!(names.contains(&field.as_str()), "{field}");
    }
    assert_eq!(schema["additionalProperties"], false);
}

#[test]
fn the_schema_of_a_strategy_has_every_field() {
    let schema = schema_for!(Strategy).to_value();
    let (names, _) = properties(&schema);
    let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(5)).build().unwrap();
    let stored = serde_json::to_value(&strategy).unwrap();
    assert_eq!(names, stored.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(schema["properties"]["steps"]["items"], json!({"$ref": "#/$defs/Step"}));
}
