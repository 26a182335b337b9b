use super::{
    ReplicaSet,
    anti_affinity::{self, add_rule},
    names::Names,
    number,
    pod_metadata::{self, Role},
};
use crate::store::Kind;
use rollout_core::{Revision, Time};
use serde_json::{Map, Value, json};
use std::{borrow::Cow, sync::Arc};

/// What the ReplicaSets of an object are made from.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    pub(super) kind: Kind,
    pub(super) object: Arc<Value>,
    pub(super) template: Option<Value>,
    pub(super) selector: Option<Value>,
    pub(super) names: Names,
}

impl Pattern {
    pub(super) fn new(kind: &Kind, object: Arc<Value>) -> Self {
        Self { kind: kind.clone(), object, template: None, selector: None, names: Names::default() }
    }

    pub(super) fn template(&self) -> Cow<'_, Value> {
        let own = || self.object.pointer("/spec/template").map_or(Cow::Owned(Value::Null), Cow::Borrowed);
        self.template.as_ref().map_or_else(own, Cow::Borrowed)
    }

    pub(super) fn selector(&self) -> Cow<'_, Value> {
        let labels = || match self.template().pointer("/metadata/labels") {
            Some(labels) => Cow::Owned(json!({"matchLabels": labels})),
            None => Cow::Owned(Value::Null),
        };
        let own = self.selector.as_ref().or_else(|| self.object.pointer("/spec/selector"));
        own.map_or_else(labels, Cow::Borrowed)
    }
}

/// Builds a new ReplicaSet of an object.
pub(super) fn replica_set(
    pattern: &Pattern,
    revision: &Revision,
    number: u64,
    (pods, scale_down_deadline): (u32, Option<Time>),
    nonce: Option<&str>,
) -> Value {
    let (rollout, names) = (&*pattern.object, &pattern.names);
    let at = |pointer: &str| rollout.pointer(pointer).cloned().unwrap_or(Value::Null);
    let mut template = pattern.template().into_owned();
    let mut selector = pattern.selector().into_owned();
    let mut labels = template.pointer("/metadata/labels").cloned().unwrap_or_else(|| json!({}));
    for label in ["argo-rollouts.argoproj.io/controller-instance-id"] {
        if let Some(value) = rollout.get("metadata").and_then(|metadata| metadata.get("labels")?.get(label)) {
            set(&mut labels, &[], label, value.clone());
        }
    }
    set(&mut labels, &[], &names.revision, revision.as_str().into());
    set(&mut template, &["metadata", "labels"], &names.revision, revision.as_str().into());
    set(&mut selector, &["matchLabels"], &names.revision, revision.as_str().into());
    add_rule(&mut template, rollout, revision);
    let stable = rollout.pointer("/status/stableRS").and_then(Value::as_str);
    let role = Role::of(revision.as_str(), stable, Some(revision.as_str()));
    let mut annotations = json!({&*names.number: number.to_string(), &*names.desired: desired(rollout)});
    for (key, text) in pod_metadata::add(&mut template, rollout, role) {
        set(&mut annotations, &[], &key, text);
    }
    if let Some(scale_down_deadline) = scale_down_deadline {
        set(&mut annotations, &[], &names.deadline, scale_down_deadline.to_string().into());
    }
    if let Some(nonce) = nonce {
        set(&mut annotations, &[], &names.fence, nonce.into());
    }
    let mut spec = json!({"replicas": pods, "selector": selector, "template": template});
    let min_ready_seconds = at("/spec/minReadySeconds");
    if min_ready_seconds.is_u64() {
        set(&mut spec, &[], "minReadySeconds", min_ready_seconds);
    }
    json!({
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": name(rollout, revision),
            "namespace": at("/metadata/namespace"),
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [owned_by(&pattern.kind.api_version(), &pattern.kind.kind, rollout)]
        },
        "spec": spec
    })
}

/// Builds an owner reference to a Rollout.
#[cfg(feature = "controller")]
pub(crate) fn owner(rollout: &Value) -> Value {
    owned_by("argoproj.io/v1alpha1", "Rollout", rollout)
}

fn owned_by(api_version: &str, kind: &str, owner: &Value) -> Value {
    let at = |pointer: &str| owner.pointer(pointer).cloned().unwrap_or(Value::Null);
    json!({
        "apiVersion": api_version, "kind": kind,
        "name": at("/metadata/name"), "uid": at("/metadata/uid"),
        "controller": true, "blockOwnerDeletion": true
    })
}

/// Returns the name of a ReplicaSet: `<rollout>-<hash>`.
pub(crate) fn name(rollout: &Value, revision: &Revision) -> String {
    let name = rollout.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    format!("{name}-{revision}")
}

/// Builds the patch that gives a ReplicaSet this pod count and scale-down deadline and, with `highest`, the highest
/// number. It is conditional on the version. Returns `None` if pod count and deadline are already right.
pub(super) fn patch(
    pattern: &Pattern,
    set: &ReplicaSet,
    (pods, scale_down_deadline): (u32, Option<Time>),
    highest: Option<u64>,
) -> Option<Value> {
    if set.wanted == pods && set.scale_down_deadline == scale_down_deadline {
        return None;
    }
    let names = &pattern.names;
    let mut annotations = highest.and_then(|highest| numbers(names, set, highest)).unwrap_or_default();
    annotations.insert(names.desired.to_string(), desired(&pattern.object).into());
    annotations.insert(
        names.deadline.to_string(),
        scale_down_deadline.map_or(Value::Null, |scale_down_deadline| scale_down_deadline.to_string().into()),
    );
    let mut spec = json!({"replicas": pods});
    if highest.is_some() {
        add_template(&mut spec, anti_affinity::change(&pattern.object, set));
    }
    Some(json!({
        "metadata": {"resourceVersion": *set.entry.version.write, "annotations": annotations},
        "spec": spec
    }))
}

/// Builds the patch that brings the current revision's ReplicaSet up to date: the highest number, for an old revision
/// that is current again, and the Rollout's `minReadySeconds` and `antiAffinity`. Returns `None` if all are right.
#[cfg(feature = "controller")]
pub(crate) fn refresh(rollout: &Value, set: &ReplicaSet, highest: u64) -> Option<Value> {
    let min_ready = rollout.pointer("/spec/minReadySeconds").and_then(Value::as_u64).unwrap_or(0);
    let annotations = numbers(&super::names::ARGO, set, highest);
    let affinity = anti_affinity::change(rollout, set);
    if annotations.is_none() && min_ready == set.min_ready && affinity.is_none() {
        return None;
    }
    let mut spec = json!({"minReadySeconds": min_ready});
    add_template(&mut spec, affinity);
    let version = &*set.entry.version.write;
    Some(json!({
        "metadata": {"resourceVersion": version, "annotations": annotations.unwrap_or_default()},
        "spec": spec
    }))
}

/// Adds a change of the pod template's `spec` to the patch of a ReplicaSet's.
fn add_template(spec: &mut Value, change: Option<Value>) {
    if let Some(change) = change {
        set(spec, &["template"], "spec", change);
    }
}

/// Builds the annotations that make a ReplicaSet's number the highest.
fn numbers(names: &Names, set: &ReplicaSet, highest: u64) -> Option<Map<String, Value>> {
    if set.number >= highest {
        return None;
    }
    let history = number::history(set.entry.annotation(&names.history), set.number);
    let fields = [(&names.number, number::next(highest).to_string()), (&names.history, history)];
    Some(fields.into_iter().map(|(key, text)| (key.to_string(), text.into())).collect())
}

fn desired(rollout: &Value) -> String {
    rollout.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1).to_string()
}

/// Sets a field below a path of maps, and creates missing maps.
pub(super) fn set(value: &mut Value, path: &[&str], key: &str, to: Value) {
    let mut place = value;
    for field in path {
        if !place.is_object() {
            *place = json!({});
        }
        let Some(map) = place.as_object_mut() else { return };
        place = map.entry(*field).or_insert_with(|| json!({}));
    }
    if !place.is_object() {
        *place = json!({});
    }
    if let Some(map) = place.as_object_mut() {
        map.insert(key.to_owned(), to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Entry;

    fn rollout() -> Pattern {
        let kind = Kind::new("argoproj.io", "v1alpha1", "Rollout", "rollouts");
        let rollout = json!({
            "metadata": {"name": "web", "namespace": "shop", "uid": "r"},
            "spec": {
                "replicas": 4, "minReadySeconds": 5, "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}}
            }
        });
        Pattern::new(&kind, rollout.into())
    }

    #[test]
    fn a_new_replica_set_has_the_hash_everywhere_and_is_owned_by_its_rollout() {
        let set = replica_set(&rollout(), &"abc".into(), 3, (2, None), Some("me-1"));
        assert_eq!(set["metadata"]["name"], "web-abc");
        for pointer in ["/metadata/labels", "/spec/selector/matchLabels", "/spec/template/metadata/labels"] {
            let labels = set.pointer(pointer).unwrap();
            assert_eq!(labels, &json!({"app": "web", "rollouts-pod-template-hash": "abc"}), "{pointer}");
        }
        assert_eq!(set["spec"]["replicas"], 2);
        assert_eq!(set["spec"]["minReadySeconds"], 5);
        assert_eq!(set["metadata"]["annotations"]["rollout.argoproj.io/revision"], "3");
        assert_eq!(set["metadata"]["annotations"]["rollout.argoproj.io/desired-replicas"], "4");
        assert_eq!(set["metadata"]["annotations"]["rollout-core/fence"], "me-1");
        assert_eq!(set["metadata"]["ownerReferences"][0]["uid"], "r");
        let read = ReplicaSet::read(Entry::new(set)).unwrap();
        assert_eq!((read.wanted, read.number, read.entry.owner()), (2, 3, Some(("web", "r"))));
    }

    #[test]
    fn pods_and_deadline_are_one_write_and_no_change_is_no_write() {
        let made = replica_set(&rollout(), &"abc".into(), 1, (2, None), None);
        let set = ReplicaSet::read(Entry::new(made)).unwrap();
        assert_eq!(patch(&rollout(), &set, (2, None), Some(3)), None);
        let at = Time::from_secs(60);
        let patch = patch(&rollout(), &set, (2, Some(at)), Some(3)).unwrap();
        let annotations = &patch["metadata"]["annotations"];
        assert_eq!(annotations["scale-down-deadline"], "1970-01-01T00:01:00Z");
        assert_eq!(patch["spec"]["replicas"], 2);
        assert_eq!(annotations["rollout.argoproj.io/revision"], "4");
        assert_eq!(annotations["rollout.argoproj.io/revision-history"], "1");
    }

    #[test]
    fn an_old_revision_that_is_current_again_has_the_highest_number() {
        let made = replica_set(&rollout(), &"abc".into(), 1, (2, None), None);
        let set = ReplicaSet::read(Entry::new(made)).unwrap();
        let rollout = json!({});
        assert_eq!(refresh(&rollout, &set, 1).unwrap()["spec"]["minReadySeconds"], 0, "it had 5");
        let rollout = json!({"spec": {"minReadySeconds": 5}});
        assert_eq!(refresh(&rollout, &set, 1), None);
        let annotations = &refresh(&rollout, &set, 3).unwrap()["metadata"]["annotations"];
        assert_eq!(annotations["rollout.argoproj.io/revision"], "4");
        assert_eq!(annotations["rollout.argoproj.io/revision-history"], "1");
    }

    #[test]
    fn an_old_revision_that_gets_pods_again_keeps_away_from_the_stable_of_now() {
        let made = replica_set(&rollout(), &"abc".into(), 1, (0, None), None);
        let set = ReplicaSet::read(Entry::new(made)).unwrap();
        let mut pattern = rollout();
        let mut object = (*pattern.object).clone();
        let required = "requiredDuringSchedulingIgnoredDuringExecution";
        super::set(&mut object, &["spec", "strategy", "canary"], "antiAffinity", json!({required: {}}));
        super::set(&mut object, &["status"], "stableRS", "def".into());
        pattern.object = Arc::new(object);
        let term = |patch: Value| {
            patch["spec"]["template"]["spec"]["affinity"]["podAntiAffinity"][required][0]["topologyKey"]
                .clone()
        };
        assert_eq!(term(patch(&pattern, &set, (2, None), Some(1)).unwrap()), "kubernetes.io/hostname");
        assert_eq!(
            term(patch(&pattern, &set, (2, None), None).unwrap()),
            Value::Null,
            "it is not the current one"
        );
    }
}
