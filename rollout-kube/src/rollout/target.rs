use crate::{
    cache::{Entry, View},
    replica_set::{ReplicaSet, labels, same_template},
};
use rollout_core::{Revision, argo::template_hash, backend::StoreError};
use serde_json::Value;

/// Returns the ReplicaSets of a Rollout, by number.
pub(super) async fn replica_sets(
    view: &View,
    rollout: &Entry,
    read_live: bool,
) -> Result<Vec<ReplicaSet>, StoreError> {
    let selector = rollout.value.pointer("/spec/selector").unwrap_or(&Value::Null);
    let labels = read_live.then(|| labels(selector));
    let entries = view.replica_sets(rollout.uid(), labels.as_deref()).await?;
    let mut sets: Vec<_> = entries.into_iter().filter_map(ReplicaSet::read).collect();
    sets.sort_by(|a, b| (a.number, &a.revision).cmp(&(b.number, &b.revision)));
    Ok(sets)
}

/// Returns the revision of the current template: that of the ReplicaSet with this template, whatever its hash;
/// otherwise a new one.
pub(super) fn target(rollout: &Value, sets: &[ReplicaSet]) -> Revision {
    let empty = Value::Null;
    let template = rollout.pointer("/spec/template").unwrap_or(&empty);
    let hash = template_hash(template);
    if sets.iter().any(|set| set.revision == hash) {
        return hash;
    }
    let with_template = sets.iter().rev().find(|set| same_template(template, &set.entry));
    with_template.map_or(hash, |set| set.revision.clone())
}

/// Returns why this Rollout is left alone, if another controller has worked on it.
pub(super) fn foreign(rollout: &Entry, sets: &[ReplicaSet], manager: &str) -> Option<String> {
    let stable = rollout.text("/status/stableRS").filter(|stable| !stable.is_empty())?;
    let stable_set = sets.iter().find(|set| set.revision.as_str() == stable);
    let entry = stable_set.map_or(rollout, |set| &set.entry);
    let ours = if entry.managers.is_empty() {
        // Tools that restore objects drop `managedFields`. They keep what only this engine writes.
        stable_set.is_some_and(|set| set.nonce().is_some()) || has_engine_state(&rollout.value)
    } else {
        entry.managers.iter().any(|writer| writer == manager)
    };
    (!ours).then(|| {
        format!(
            "its stable ReplicaSet {stable} was not written by {manager}: another controller has worked on this \
             Rollout, and taking over is not supported yet; the Rollout is left alone"
        )
    })
}

/// Returns whether the status holds state that only this engine stores.
fn has_engine_state(rollout: &Value) -> bool {
    let conditions = rollout.pointer("/status/conditions").and_then(Value::as_array);
    let is_ours = |condition: &Value| condition.get("type").and_then(Value::as_str) == Some("EngineState");
    conditions.into_iter().flatten().any(is_ours)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn set(hash: &str, number: u64, image: &str, manager: &str) -> ReplicaSet {
        ReplicaSet::read(Entry::new(json!({
            "kind": "ReplicaSet",
            "metadata": {
                "name": format!("web-{hash}"), "uid": hash, "resourceVersion": "1",
                "labels": {"rollouts-pod-template-hash": hash},
                "annotations": {"rollout.argoproj.io/revision": number.to_string()},
                "managedFields": [{"manager": manager}]
            },
            "spec": {"template": {
                "metadata": {"labels": {"rollouts-pod-template-hash": hash}},
                "spec": {"containers": [{"name": "c", "image": image}], "dnsPolicy": "ClusterFirst"}
            }}
        })))
        .unwrap()
    }

    fn rollout(image: &str) -> Value {
        json!({"spec": {"template": {"spec": {"containers": [{"name": "c", "image": image}]}}}})
    }

    #[test]
    fn a_replica_set_with_the_same_template_is_the_target_whatever_its_hash() {
        let sets = [set("theirs", 1, "web:v1", "us"), set("other", 2, "web:v2", "us")];
        assert_eq!(target(&rollout("web:v1"), &sets), Revision::from("theirs"));
        let new = target(&rollout("web:v3"), &sets);
        assert_eq!(new, template_hash(&rollout("web:v3")["spec"]["template"]));
        let twice = [set("theirs", 1, "web:v1", "us"), set("again", 3, "web:v1", "us")];
        assert_eq!(target(&rollout("web:v1"), &twice), Revision::from("again"), "the newest of several");
    }

    #[test]
    fn another_controllers_rollout_is_left_alone() {
        let rollout = |status: Value, manager: &str| {
            Entry::new(json!({"metadata": {"managedFields": [{"manager": manager}]}, "status": status}))
        };
        let stable = || json!({"stableRS": "v1"});
        let theirs = [set("v1", 1, "web:v1", "rollouts-controller")];
        assert!(
            foreign(&rollout(stable(), "kubectl"), &theirs, "us").unwrap().contains("another controller")
        );
        assert_eq!(foreign(&rollout(stable(), "kubectl"), &[set("v1", 1, "web:v1", "us")], "us"), None);
        assert_eq!(foreign(&rollout(Value::Null, "kubectl"), &theirs, "us"), None, "it never worked on it");
        assert!(foreign(&rollout(stable(), "kubectl"), &[], "us").is_some());
        assert_eq!(foreign(&rollout(stable(), "us"), &[], "us"), None, "our ReplicaSet was deleted");
    }
}
