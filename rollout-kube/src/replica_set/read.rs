use super::{
    names::{ARGO, Names},
    number,
};
use crate::entry::Entry;
use rollout_core::{Range, Revision, RevisionSeen, Time, traffic::ObjectRef};
use serde_json::Value;
use std::hash::{DefaultHasher, Hash, Hasher};

/// One revision's ReplicaSet, as read.
#[derive(Debug, Clone)]
pub(crate) struct ReplicaSet {
    pub(crate) entry: Entry,
    pub(crate) revision: Revision,
    pub(crate) number: u64,
    pub(crate) wanted: u32,
    pub(crate) replicas: u32,
    pub(crate) ready: u32,
    pub(crate) available: u32,
    /// How long a pod must be ready before it is available, in seconds.
    pub(super) min_ready: u64,
    pub(crate) generation: u64,
    /// The generation that the counts belong to.
    pub(crate) counted: u64,
    pub(crate) scale_down_deadline: Option<Time>,
    nonce: Option<String>,
    /// Why pods cannot be created: reason and message of the condition.
    pub(crate) failure: Option<(String, String)>,
}

impl ReplicaSet {
    /// Reads a ReplicaSet; returns `None` if it names no revision or is being deleted.
    pub(crate) fn read(entry: Entry) -> Option<Self> {
        Self::read_as(entry, &ARGO)
    }

    /// Reads a ReplicaSet with other names of labels and annotations.
    pub(super) fn read_as(entry: Entry, names: &Names) -> Option<Self> {
        let revision = Revision::from(entry.label(&names.revision)?);
        if entry.text("/metadata/deletionTimestamp").is_some() {
            return None;
        }
        let field = |pointer: &str| entry.value.pointer(pointer).and_then(Value::as_u64);
        let count = |pointer: &str| u32::try_from(field(pointer).unwrap_or(0)).unwrap_or(u32::MAX);
        Some(Self {
            number: number::read(entry.annotation(&names.number)),
            wanted: field("/spec/replicas").map_or(1, |_| count("/spec/replicas")),
            replicas: count("/status/replicas"),
            ready: count("/status/readyReplicas"),
            available: count("/status/availableReplicas"),
            min_ready: field("/spec/minReadySeconds").unwrap_or(0),
            generation: field("/metadata/generation").unwrap_or(0),
            counted: field("/status/observedGeneration").unwrap_or(0),
            failure: failure(&entry.value),
            scale_down_deadline: entry.annotation(&names.deadline).and_then(Time::parse_rfc3339),
            nonce: entry.annotation(&names.fence).map(str::to_owned),
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

    /// Returns how long a pod must be ready before it is available, in seconds.
    #[cfg(feature = "controller")]
    pub(crate) fn min_ready(&self) -> u64 {
        self.min_ready
    }

    /// Sets how long a pod must be ready before it is available, in seconds.
    #[cfg(all(test, feature = "controller"))]
    pub(crate) fn wait_ready(&mut self, seconds: u64) {
        self.min_ready = seconds;
    }

    /// Returns whether the counts belong to what is wanted now, and as many pods exist as are wanted.
    #[cfg(feature = "controller")]
    pub(crate) fn is_counted(&self) -> bool {
        self.counted >= self.generation && self.replicas == self.wanted
    }

    pub(crate) fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }
}

/// Converts a ReplicaSet to the observation of its revision, with these counts of ready and available pods.
pub(crate) fn revision_seen(
    set: &ReplicaSet,
    (ready, available): (Range, Range),
    is_live: bool,
) -> RevisionSeen {
    let changes = hash(&(set.counted, set.replicas, set.ready, set.available));
    let version = hash(&(set.entry.uid(), &set.entry.version.write));
    RevisionSeen::new(set.revision.clone())
        .number(set.number)
        .wanted(set.wanted)
        .ready(ready)
        .available(available)
        .scale_down_deadline(set.scale_down_deadline)
        .live((is_live && set.wanted > 0).then_some(version))
        .changes(changes)
        .nonce(set.nonce().map(Into::into))
}

/// Hashes a value; never returns 0.
fn hash(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish().max(1)
}

/// Formats the `matchLabels` of a selector for a list request.
pub(crate) fn labels(selector: &Value) -> String {
    let labels = selector.get("matchLabels").and_then(Value::as_object);
    let pairs = labels.into_iter().flatten().filter_map(|(key, value)| Some((key, value.as_str()?)));
    // A text that no label can have would change the selector. Without it, the list returns more, and is filtered
    // later.
    let is_plain = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/'))
    };
    let pairs = pairs.filter(|(key, value)| is_plain(key) && is_plain(value));
    pairs.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

/// The most bytes that are kept of a condition's text.
const TEXT: usize = 1_024;

fn failure(set: &Value) -> Option<(String, String)> {
    let conditions = set.pointer("/status/conditions").and_then(Value::as_array);
    let text = |condition: &Value, key: &str| {
        crate::text::one_line(condition.get(key).and_then(Value::as_str).unwrap_or_default(), TEXT)
    };
    let fails = conditions.into_iter().flatten().find(|condition| {
        text(condition, "type") == "ReplicaFailure" && text(condition, "status") == "True"
    })?;
    Some((text(fails, "reason"), text(fails, "message")))
}
