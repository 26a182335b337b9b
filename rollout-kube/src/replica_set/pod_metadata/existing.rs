//! Brings ReplicaSets and pods that exist up to date.

use super::{ADDED, Metadata, OWN, Role, changes, current, own, record, target, wanted, write};
use crate::{entry::Entry, replica_set::ReplicaSet};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Returns whether a Rollout asks for labels or annotations, or one of its ReplicaSets still has some.
pub(crate) fn is_used(rollout: &Value, sets: &[ReplicaSet]) -> bool {
    let has = |field: &str| {
        rollout.pointer("/spec/strategy/canary").is_some_and(|canary| canary.get(field).is_some())
    };
    has("canaryMetadata")
        || has("stableMetadata")
        || sets.iter().any(|set| set.entry.annotation(OWN).is_some() || set.entry.annotation(ADDED).is_some())
}

/// Restores the pod template of a ReplicaSet, so that it can be compared with the user's.
pub(crate) fn restore(template: &mut Value, set: &Entry) {
    let (recorded, added) = recorded(set);
    if !recorded.is_empty() || !added.is_empty() {
        write(template, &target(&own(&added, &added, &recorded, template), &Metadata::default()));
    }
}

/// Restores those labels and annotations of a template that are as a ReplicaSet has them because they were added to it.
pub(crate) fn without_added(template: &mut Value, set: &Entry) {
    let (recorded, added) = recorded(set);
    let own = own(&added, &added, &recorded, template);
    let is_added = |part: &str, added: &BTreeMap<String, String>, key: &String| {
        current(template.get("metadata"), part, key) == added.get(key).map(String::as_str)
            && added.contains_key(key)
    };
    let mut back = own.clone();
    back.labels.retain(|key, _| is_added("labels", &added.labels, key));
    back.annotations.retain(|key, _| is_added("annotations", &added.annotations, key));
    write(template, &back);
}

/// Builds the patch that gives a ReplicaSet's pod template the labels and annotations of a role, and its own values
/// where the role has none. Returns `None` if they are right. Pods that exist are not affected.
///
/// `forget` says that all pods have what the template has: then keys that were removed earlier are no longer recorded.
pub(crate) fn change(rollout: &Value, set: &ReplicaSet, role: Role, forget: bool) -> Option<Value> {
    let wanted = wanted(rollout, role);
    let (recorded, added) = recorded(&set.entry);
    if wanted.is_empty() && recorded.is_empty() && added.is_empty() {
        return None;
    }
    let template = set.entry.template()?;
    let mut own = own(&wanted, &added, &recorded, &template);
    let changes = changes(&template, &target(&own, &wanted));
    if changes.is_empty() && wanted == added && own == recorded {
        return None;
    }
    if forget {
        let keep = |key: &String, wanted: &BTreeMap<String, String>, added: &BTreeMap<String, String>| {
            wanted.contains_key(key) || added.contains_key(key)
        };
        own.labels.retain(|key, _| keep(key, &wanted.labels, &added.labels));
        own.annotations.retain(|key, _| keep(key, &wanted.annotations, &added.annotations));
    }
    let mut annotations = Map::from_iter([(ADDED.to_owned(), Value::Null), (OWN.to_owned(), Value::Null)]);
    annotations.extend(record(&own, &wanted));
    Some(json!({
        "metadata": {"resourceVersion": *set.entry.version.write, "annotations": annotations},
        "spec": {"template": {"metadata": changes}}
    }))
}

/// What the pods of a ReplicaSet must have: its template's value, or none, for each key that was ever added.
#[derive(Debug)]
pub(crate) struct PodMetadata(Metadata<Option<String>>);

impl PodMetadata {
    /// Returns `None` if nothing was ever added to this ReplicaSet's template.
    pub(crate) fn of(set: &ReplicaSet) -> Option<Self> {
        let (own, added) = recorded(&set.entry);
        let target = target(&own, &added);
        (!target.is_empty()).then_some(Self(target))
    }

    /// Builds the patch that makes this pod right; returns `None` if it is. The patch fails if another pod has the name
    /// by now.
    pub(crate) fn patch(&self, pod: &Entry) -> Option<Value> {
        let mut changes = changes(&pod.value, &self.0);
        if changes.is_empty() {
            return None;
        }
        changes.insert("uid".to_owned(), pod.uid().into());
        Some(json!({"metadata": changes}))
    }
}

impl<V: for<'de> Deserialize<'de>> Metadata<V> {
    /// Reads an annotation of a ReplicaSet. Text that someone else wrote and that cannot be read counts as absent.
    fn read(text: Option<&str>) -> Self {
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }
}

/// Returns what a ReplicaSet records: what its template itself has, and what was added to it.
fn recorded(set: &Entry) -> (Metadata<Option<String>>, Metadata<String>) {
    (Metadata::read(set.annotation(OWN)), Metadata::read(set.annotation(ADDED)))
}
