use super::{DEADLINE, REVISION, number};
use crate::cache::Entry;
use rollout_core::{
    Revision, Time,
    backend::{FENCE_ANNOTATION, REVISION_LABEL},
    traffic::ObjectRef,
};
use serde_json::Value;

/// One revision's ReplicaSet, as it was read.
#[derive(Debug, Clone)]
pub(crate) struct ReplicaSet {
    pub(crate) entry: Entry,
    pub(crate) revision: Revision,
    pub(crate) number: u64,
    pub(crate) wanted: u32,
    pub(crate) replicas: u32,
    pub(crate) ready: u32,
    pub(crate) available: u32,
    pub(crate) generation: u64,
    /// For which generation the counts were made.
    pub(crate) counted: u64,
    pub(crate) scale_down_deadline: Option<Time>,
    /// Why pods cannot be made: reason and text of its condition.
    pub(crate) failure: Option<(String, String)>,
}

impl ReplicaSet {
    /// Reads it, if it names a revision and is not on its way out.
    pub(crate) fn read(entry: Entry) -> Option<Self> {
        let revision = Revision::from(entry.label(REVISION_LABEL)?);
        if entry.text("/metadata/deletionTimestamp").is_some() {
            return None;
        }
        let field = |pointer: &str| entry.value.pointer(pointer).and_then(Value::as_u64);
        let count = |pointer: &str| u32::try_from(field(pointer).unwrap_or(0)).unwrap_or(u32::MAX);
        Some(Self {
            number: number::read(entry.annotation(REVISION)),
            wanted: field("/spec/replicas").map_or(1, |_| count("/spec/replicas")),
            replicas: count("/status/replicas"),
            ready: count("/status/readyReplicas"),
            available: count("/status/availableReplicas"),
            generation: field("/metadata/generation").unwrap_or(0),
            counted: field("/status/observedGeneration").unwrap_or(0),
            failure: failure(&entry.value),
            scale_down_deadline: entry.annotation(DEADLINE).and_then(Time::parse_rfc3339),
            revision,
            entry,
        })
    }

    pub(crate) fn name(&self) -> &str {
        self.entry.name()
    }

    pub(crate) fn object(&self) -> ObjectRef {
        let namespace = self.entry.text("/metadata/namespace").unwrap_or_default();
        ObjectRef::new("apps", "ReplicaSet", namespace, self.name())
    }

    pub(crate) fn nonce(&self) -> Option<&str> {
        self.entry.annotation(FENCE_ANNOTATION)
    }
}

/// The most bytes that are kept of what a condition says.
const TEXT: usize = 1_024;

fn failure(set: &Value) -> Option<(String, String)> {
    let conditions = set.pointer("/status/conditions").and_then(Value::as_array);
    let text = |condition: &Value, key: &str| {
        crate::shown::shown(condition.get(key).and_then(Value::as_str).unwrap_or_default(), TEXT)
    };
    let fails = conditions.into_iter().flatten().find(|condition| {
        text(condition, "type") == "ReplicaFailure" && text(condition, "status") == "True"
    })?;
    Some((text(fails, "reason"), text(fails, "message")))
}
