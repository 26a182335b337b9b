//! Helpers that change JSON values.

use serde_json::{Map, Value, json};

/// Applies a merge patch (RFC 7386).
pub(super) fn merge(into: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    let Some(into) = into.as_object_mut() else { return };
    for (key, value) in patch {
        if value.is_null() {
            into.shift_remove(key);
        } else {
            merge(into.entry(key.as_str()).or_insert(Value::Null), value);
        }
    }
}

pub(super) fn set(object: &mut Value, key: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(key.to_owned(), value);
    }
}

/// Sets a field of the metadata.
pub(super) fn put(object: &mut Value, key: &str, value: Value) {
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    if let Some(fields) = object.as_object_mut() {
        set(fields.entry("metadata").or_insert_with(|| json!({})), key, value);
    }
}

/// Sets a field to a value from elsewhere, or removes it.
pub(super) fn keep(object: &mut Value, key: &str, kept: Option<Value>) {
    match (kept, object.as_object_mut()) {
        (Some(value), Some(fields)) => drop(fields.insert(key.to_owned(), value)),
        (None, Some(fields)) => drop(fields.shift_remove(key)),
        (_, None) => {}
    }
}
