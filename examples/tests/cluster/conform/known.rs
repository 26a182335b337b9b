//! What a client knows of the objects of one server, and how that is told so that two servers can be compared.

use super::kinds::Kind;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) namespace: String,
    /// Every object in each version in which it was read.
    read: BTreeMap<(Kind, String), Vec<Value>>,
    /// The version of the last list.
    pub(super) listed: Option<String>,
    versions: Vec<String>,
    uids: Vec<String>,
}

/// Belongs to the server alone, and rests on who wrote what.
const LEFT_OUT: &str = "managedFields";

/// The condition that says that a pod was evicted: the server writes it.
const EVICTED: &str = "DisruptionTarget";

impl Known {
    pub(super) fn of(namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), ..Self::default() }
    }

    pub(super) fn last(&self, kind: Kind, name: &str) -> Option<&Value> {
        self.read.get(&(kind, name.to_owned()))?.last()
    }

    pub(super) fn version(&self, kind: Kind, name: &str) -> Option<String> {
        Some(self.last(kind, name)?["metadata"]["resourceVersion"].as_str()?.to_owned())
    }

    pub(super) fn uid(&self, kind: Kind, name: &str) -> Option<String> {
        Some(self.last(kind, name)?["metadata"]["uid"].as_str()?.to_owned())
    }

    /// A version that it has no more.
    pub(super) fn stale(&self, kind: Kind, name: &str) -> String {
        let read = self.read.get(&(kind, name.to_owned())).map(Vec::as_slice).unwrap_or_default();
        let before = read.iter().nth_back(1).map(|object| &object["metadata"]["resourceVersion"]);
        before.and_then(Value::as_str).unwrap_or("1").to_owned()
    }

    /// Takes in an object that was read.
    pub(super) fn take(&mut self, kind: Kind, object: &Value) {
        let mut object = object.clone();
        let metadata = &object["metadata"];
        let Some(name) = metadata["name"].as_str().map(str::to_owned) else { return };
        if metadata["namespace"] != *self.namespace {
            return;
        }
        object["metadata"].as_object_mut().unwrap().remove(LEFT_OUT);
        // Items of a list may not say it.
        object["apiVersion"] = kind.api_version().into();
        object["kind"] = format!("{kind:?}").into();
        let read = self.read.entry((kind, name)).or_default();
        if read.last().map(|last| &last["metadata"]["resourceVersion"])
            != Some(&object["metadata"]["resourceVersion"])
        {
            read.push(object);
        }
    }

    /// An object so that it can be compared: its version and its identity as the how manieth of those that were seen,
    /// times only as whether there is one.
    pub(super) fn told(&mut self, object: &Value) -> Value {
        let mut object = object.clone();
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove(LEFT_OUT);
            number(metadata, "resourceVersion", &mut self.versions);
            number(metadata, "uid", &mut self.uids);
            for time in ["creationTimestamp", "deletionTimestamp"] {
                if metadata.get(time).is_some_and(|time| !time.is_null()) {
                    metadata.insert(time.to_owned(), "a time".into());
                }
            }
        }
        let conditions = object.pointer_mut("/status/conditions").and_then(Value::as_array_mut);
        for condition in conditions.into_iter().flatten().filter(|condition| condition["type"] == EVICTED) {
            condition["lastTransitionTime"] = "a time".into();
        }
        object
    }

    /// A `Status`: in what it differs from others, but for its wording.
    pub(super) fn told_status(&mut self, status: &Value) -> Value {
        let mut told = json!({});
        for field in ["apiVersion", "kind", "status", "reason", "code"] {
            told[field] = status[field].clone();
        }
        if status["status"] == "Success" {
            let mut details = status["details"].clone();
            if let Some(details) = details.as_object_mut() {
                number(details, "uid", &mut self.uids);
            }
            told["details"] = details;
        }
        told
    }
}

fn number(fields: &mut Map<String, Value>, key: &str, seen: &mut Vec<String>) {
    let Some(text) = fields.get(key).and_then(Value::as_str) else { return };
    let place = seen.iter().position(|one| one == text).unwrap_or_else(|| {
        seen.push(text.to_owned());
        seen.len() - 1
    });
    fields.insert(key.to_owned(), format!("number {place}").into());
}
