//! `canaryMetadata` and `stableMetadata`: labels and annotations that pods have while their revision is the canary, or
//! stable. Here is what a pod template needs; `existing` brings ReplicaSets and pods that exist up to date.

#[cfg(feature = "controller")]
mod existing;

#[cfg(feature = "controller")]
pub(crate) use existing::{PodMetadata, change, is_used, restore, without_added};

use crate::guard::{Guard, off};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The annotation of a ReplicaSet with what was added to its pod template, as Argo Rollouts writes it.
const ADDED: &str = "rollout.argoproj.io/ephemeral-metadata";
/// The annotation of a ReplicaSet with what its pod template itself has for each key that was ever added. With it, the
/// template's own values can be restored, and keys that pods still have can be removed.
const OWN: &str = "rollout-core/template-metadata";

/// The role of a revision, which decides the labels and annotations of its pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The canary of an update.
    Canary,
    /// The revision that carries the users' traffic, also during the first deploy.
    Stable,
    /// An earlier revision.
    Former,
}

impl Role {
    /// Returns the role of a revision, given the stable one, if there is one, and the current one.
    pub(crate) fn of(revision: &str, stable: Option<&str>, current: Option<&str>) -> Self {
        let stable = stable.filter(|stable| !stable.is_empty()).or(current);
        if stable == Some(revision) {
            Self::Stable
        } else if current == Some(revision) {
            Self::Canary
        } else {
            Self::Former
        }
    }
}

/// Labels and annotations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "V: Deserialize<'de>"), default)]
struct Metadata<V> {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, V>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, V>,
}

impl<V> Default for Metadata<V> {
    fn default() -> Self {
        Self { labels: BTreeMap::new(), annotations: BTreeMap::new() }
    }
}

impl<V> Metadata<V> {
    fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.annotations.is_empty()
    }

    fn fields(&self) -> [(&'static str, &BTreeMap<String, V>); 2] {
        [("labels", &self.labels), ("annotations", &self.annotations)]
    }
}

/// Adds the labels and annotations of a role to the pod template of a new ReplicaSet; returns the annotations of the
/// ReplicaSet that record this.
pub(super) fn add(template: &mut Value, rollout: &Value, role: Role) -> Map<String, Value> {
    let wanted = wanted(rollout, role);
    if wanted.is_empty() {
        return Map::new();
    }
    let own = own(&wanted, &Metadata::default(), &Metadata::default(), template);
    write(template, &target(&own, &wanted));
    record(&own, &wanted)
}

/// Returns the labels and annotations that a Rollout asks for.
fn wanted(rollout: &Value, role: Role) -> Metadata<String> {
    let field = match role {
        Role::Canary => "canaryMetadata",
        Role::Stable => "stableMetadata",
        Role::Former => return Metadata::default(),
    };
    let metadata = rollout.pointer("/spec/strategy/canary").and_then(|canary| canary.get(field));
    let map = |part: &str| {
        let fields = metadata.and_then(|metadata| metadata.get(part)?.as_object());
        fields
            .into_iter()
            .flatten()
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect()
    };
    Metadata { labels: map("labels"), annotations: map("annotations") }
}

/// Returns what the template itself has for each key that is recorded, or wanted now. The value of a key that another
/// controller added is unknown: it counts as absent.
fn own(
    wanted: &Metadata<String>,
    added: &Metadata<String>,
    recorded: &Metadata<Option<String>>,
    template: &Value,
) -> Metadata<Option<String>> {
    let mut own = recorded.clone();
    let parts = [
        (&mut own.labels, &wanted.labels, &added.labels, "labels"),
        (&mut own.annotations, &wanted.annotations, &added.annotations, "annotations"),
    ];
    for (own, wanted, added, part) in parts {
        let keys: BTreeSet<_> = wanted.keys().chain(added.keys()).collect();
        for key in keys {
            let existing =
                || current(template.get("metadata"), part, key).filter(|_| !added.contains_key(key));
            own.entry(key.clone()).or_insert_with(|| existing().map(str::to_owned));
        }
    }
    own
}

/// Returns the right value for each key: what is added, or else the template's own.
fn target(own: &Metadata<Option<String>>, added: &Metadata<String>) -> Metadata<Option<String>> {
    let part = |own: &BTreeMap<String, Option<String>>, added: &BTreeMap<String, String>| {
        let mut target = own.clone();
        if off(Guard::OwnMetadataReturns) {
            for value in target.values_mut() {
                *value = None;
            }
        }
        target.extend(added.iter().map(|(key, value)| (key.clone(), Some(value.clone()))));
        target
    };
    Metadata {
        labels: part(&own.labels, &added.labels),
        annotations: part(&own.annotations, &added.annotations),
    }
}

fn current<'v>(metadata: Option<&'v Value>, part: &str, key: &str) -> Option<&'v str> {
    metadata?.get(part)?.get(key)?.as_str()
}

/// Builds the merge patch of an object's or a pod template's metadata that makes these values right.
fn changes(object: &Value, target: &Metadata<Option<String>>) -> Map<String, Value> {
    let metadata = object.get("metadata");
    let mut changes = Map::new();
    for (part, fields) in target.fields() {
        let wrong = fields.iter().filter(|(key, value)| current(metadata, part, key) != value.as_deref());
        let wrong: Map<_, _> = wrong.map(|(key, value)| (key.clone(), value.clone().into())).collect();
        if !wrong.is_empty() {
            changes.insert(part.to_owned(), wrong.into());
        }
    }
    changes
}

/// Makes these values right in a pod template.
fn write(template: &mut Value, target: &Metadata<Option<String>>) {
    for (part, changed) in changes(template, target) {
        for (key, value) in changed.as_object().into_iter().flatten() {
            if value.is_null() {
                let fields = template
                    .get_mut("metadata")
                    .and_then(|metadata| metadata.get_mut(&part)?.as_object_mut());
                if let Some(fields) = fields {
                    fields.retain(|other, _| other != key);
                }
            } else {
                super::make::set(template, &["metadata", &part], key, value.clone());
            }
        }
    }
}

/// Builds the annotations of a ReplicaSet that record what was added.
fn record(own: &Metadata<Option<String>>, added: &Metadata<String>) -> Map<String, Value> {
    let text = |value: Result<String, serde_json::Error>| value.unwrap_or_default().into();
    let mut annotations = Map::new();
    if !added.is_empty() {
        annotations.insert(ADDED.to_owned(), text(serde_json::to_string(added)));
    }
    if !own.is_empty() {
        annotations.insert(OWN.to_owned(), text(serde_json::to_string(own)));
    }
    annotations
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_that_another_controller_added_is_not_the_templates_own() {
        let role = |value: &str| Metadata {
            labels: BTreeMap::from([("role".to_owned(), value.to_owned())]),
            annotations: BTreeMap::new(),
        };
        let template = json!({"metadata": {"labels": {"role": "canary"}}});
        for (added, expected) in [(role("canary"), None), (Metadata::default(), Some("canary".to_owned()))] {
            let own = own(&role("stable"), &added, &Metadata::default(), &template);
            assert_eq!(own.labels["role"], expected, "{added:?}");
        }
    }
}
