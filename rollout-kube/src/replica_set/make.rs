use super::{DEADLINE, DESIRED, HISTORY, REVISION, ReplicaSet, number};
use rollout_core::{
    Revision, Time,
    backend::{FENCE_ANNOTATION, REVISION_LABEL},
};
use serde_json::{Map, Value, json};

/// A new ReplicaSet of a Rollout.
pub(crate) fn replica_set(
    rollout: &Value,
    revision: &Revision,
    number: u64,
    (pods, scale_down_deadline): (u32, Option<Time>),
    nonce: Option<&str>,
) -> Value {
    let at = |pointer: &str| rollout.pointer(pointer).cloned().unwrap_or(Value::Null);
    let mut template = at("/spec/template");
    let mut selector = at("/spec/selector");
    let mut labels = template.pointer("/metadata/labels").cloned().unwrap_or_else(|| json!({}));
    for label in ["argo-rollouts.argoproj.io/controller-instance-id"] {
        if let Some(value) = rollout.get("metadata").and_then(|metadata| metadata.get("labels")?.get(label)) {
            set(&mut labels, &[], label, value.clone());
        }
    }
    set(&mut labels, &[], REVISION_LABEL, revision.as_str().into());
    set(&mut template, &["metadata", "labels"], REVISION_LABEL, revision.as_str().into());
    set(&mut selector, &["matchLabels"], REVISION_LABEL, revision.as_str().into());
    let mut annotations = json!({REVISION: number.to_string(), DESIRED: desired(rollout)});
    if let Some(scale_down_deadline) = scale_down_deadline {
        set(&mut annotations, &[], DEADLINE, scale_down_deadline.to_string().into());
    }
    if let Some(nonce) = nonce {
        set(&mut annotations, &[], FENCE_ANNOTATION, nonce.into());
    }
    let mut spec = json!({"replicas": pods, "selector": selector, "template": template});
    let ready_for = at("/spec/minReadySeconds");
    if ready_for.is_u64() {
        set(&mut spec, &[], "minReadySeconds", ready_for);
    }
    json!({
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": name(rollout, revision),
            "namespace": at("/metadata/namespace"),
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [owner(rollout)]
        },
        "spec": spec
    })
}

/// That a Rollout owns what says so.
pub(crate) fn owner(rollout: &Value) -> Value {
    let at = |pointer: &str| rollout.pointer(pointer).cloned().unwrap_or(Value::Null);
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "name": at("/metadata/name"), "uid": at("/metadata/uid"),
        "controller": true, "blockOwnerDeletion": true
    })
}

/// `<rollout>-<hash>`
pub(crate) fn name(rollout: &Value, revision: &Revision) -> String {
    let name = rollout.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    format!("{name}-{revision}")
}

/// What gives a ReplicaSet this pod count and mark, and the highest number if it is to have that, conditional
/// on its version; `None` when pods and mark are so already.
pub(crate) fn patch(
    rollout: &Value,
    set: &ReplicaSet,
    (pods, scale_down_deadline): (u32, Option<Time>),
    highest: Option<u64>,
) -> Option<Value> {
    if set.wanted == pods && set.scale_down_deadline == scale_down_deadline {
        return None;
    }
    let mut annotations = highest.and_then(|highest| numbers(set, highest)).unwrap_or_default();
    annotations.insert(DESIRED.to_owned(), desired(rollout).into());
    annotations.insert(
        DEADLINE.to_owned(),
        scale_down_deadline.map_or(Value::Null, |scale_down_deadline| scale_down_deadline.to_string().into()),
    );
    Some(json!({
        "metadata": {"resourceVersion": *set.entry.version.write, "annotations": annotations},
        "spec": {"replicas": pods}
    }))
}

/// What makes a ReplicaSet's number the highest, when a revision that was there before is the current one
/// again; `None` when it has it.
pub(crate) fn renumber(set: &ReplicaSet, highest: u64) -> Option<Value> {
    let annotations = numbers(set, highest)?;
    Some(json!({"metadata": {"resourceVersion": *set.entry.version.write, "annotations": annotations}}))
}

/// The annotations that make its number the highest.
fn numbers(set: &ReplicaSet, highest: u64) -> Option<Map<String, Value>> {
    if set.number >= highest {
        return None;
    }
    let history = number::history(set.entry.annotation(HISTORY), set.number);
    let fields = [(REVISION, number::next(highest).to_string()), (HISTORY, history)];
    Some(fields.into_iter().map(|(key, text)| (key.to_owned(), text.into())).collect())
}

fn desired(rollout: &Value) -> String {
    rollout.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1).to_string()
}

/// Sets a field below a path of maps, making those that are absent.
fn set(value: &mut Value, path: &[&str], key: &str, to: Value) {
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
    use crate::cache::Entry;

    fn rollout() -> Value {
        json!({
            "metadata": {"name": "web", "namespace": "shop", "uid": "r"},
            "spec": {
                "replicas": 4, "minReadySeconds": 5, "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}}
            }
        })
    }

    #[test]
    fn a_new_one_has_the_hash_everywhere_and_belongs_to_its_rollout() {
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
    fn pods_and_mark_are_one_write_and_the_same_again_is_none() {
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
    fn an_old_one_that_is_current_again_has_the_highest_number() {
        let made = replica_set(&rollout(), &"abc".into(), 1, (2, None), None);
        let set = ReplicaSet::read(Entry::new(made)).unwrap();
        assert_eq!(renumber(&set, 1), None);
        let annotations = &renumber(&set, 3).unwrap()["metadata"]["annotations"];
        assert_eq!(annotations["rollout.argoproj.io/revision"], "4");
        assert_eq!(annotations["rollout.argoproj.io/revision-history"], "1");
    }
}
