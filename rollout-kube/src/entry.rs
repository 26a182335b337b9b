use crate::store::Received;
use rollout_core::backend::REVISION_LABEL;
use rollout_core::traffic::{ObjectRef, ObjectVersion};
use serde_json::Value;
use std::{mem, sync::Arc};

/// An object as last seen, without its `managedFields`.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) value: Arc<Value>,
    pub(crate) version: ObjectVersion,
    /// The writers that its `managedFields` names.
    pub(crate) managers: Arc<[String]>,
    /// The pod template of a ReplicaSet or Deployment, as JSON text. It is the larger part of it, and rarely read.
    template: Option<Arc<str>>,
}

impl Entry {
    /// Builds an entry that no server sent.
    #[cfg(test)]
    pub(crate) fn new(value: Value) -> Self {
        serde_json::from_value::<Received>(value).unwrap().into()
    }

    /// Returns the resource version as a number. Versions of one kind can be compared (guaranteed by Kubernetes since
    /// 1.35, and true before); if one is not a number, the later reading wins.
    pub(crate) fn number(&self) -> Option<u64> {
        self.version.write.parse().ok()
    }

    pub(crate) fn is_older_than(&self, other: &Self) -> bool {
        matches!((self.number(), other.number()), (Some(mine), Some(theirs)) if mine < theirs)
    }

    pub(crate) fn text(&self, pointer: &str) -> Option<&str> {
        self.value.pointer(pointer).and_then(Value::as_str)
    }

    pub(crate) fn uid(&self) -> &str {
        self.text("/metadata/uid").unwrap_or_default()
    }

    pub(crate) fn name(&self) -> &str {
        self.text("/metadata/name").unwrap_or_default()
    }

    /// Returns the pod template of a ReplicaSet or Deployment.
    pub(crate) fn template(&self) -> Option<Value> {
        serde_json::from_str(self.template.as_deref()?).ok()
    }

    /// Returns the pod template of a ReplicaSet, a Deployment or a PodTemplate.
    pub(crate) fn pod_template(&self) -> Option<Value> {
        self.template().or_else(|| self.value.get("template").cloned()).filter(Value::is_object)
    }

    /// Returns whether the text of the pod template contains this.
    pub(crate) fn template_contains(&self, text: &str) -> bool {
        self.template.as_deref().is_some_and(|template| template.contains(text))
    }

    pub(crate) fn annotation(&self, key: &str) -> Option<&str> {
        rollout_core::backend::annotation(&self.value, key)
    }

    pub(crate) fn label(&self, key: &str) -> Option<&str> {
        self.value.get("metadata")?.get("labels")?.get(key)?.as_str()
    }

    /// Returns the name and uid of the Rollout that owns this object.
    pub(crate) fn owner(&self) -> Option<(&str, &str)> {
        owner(&self.value)
    }
}

impl From<Received> for Entry {
    fn from(Received { mut value, managers }: Received) -> Self {
        let version = crate::store::version_of(&value);
        let template = match value.get("kind").and_then(Value::as_str) {
            Some("Pod") => {
                trim_pod(&mut value);
                None
            }
            Some("ReplicaSet" | "Deployment") => take_template(&mut value),
            _ => None,
        };
        Self { value: Arc::new(value), version, managers: managers.into(), template }
    }
}

/// Returns the name and uid of the Rollout that owns an object.
pub(crate) fn owner(object: &Value) -> Option<(&str, &str)> {
    let owners = object.pointer("/metadata/ownerReferences")?.as_array()?;
    let is = |owner: &Value, field: &str, what: fn(&str) -> bool| {
        owner.get(field).and_then(Value::as_str).is_some_and(what)
    };
    let owner = owners.iter().find(|owner| {
        owner.get("controller") == Some(&Value::Bool(true))
            && is(owner, "kind", |kind| kind == "Rollout")
            && is(owner, "apiVersion", |version| version.starts_with("argoproj.io/"))
    })?;
    Some((owner.get("name")?.as_str()?, owner.get("uid")?.as_str()?))
}

/// Returns the owner that is an object's controller.
pub(crate) fn controller(object: &Value) -> Option<&Value> {
    let owners = object.pointer("/metadata/ownerReferences")?.as_array()?;
    owners.iter().find(|owner| owner.get("controller") == Some(&Value::Bool(true)))
}

/// Returns the uid of an object's controller.
pub(crate) fn controller_uid(object: &Value) -> Option<&str> {
    controller(object)?.get("uid")?.as_str()
}

/// Returns whether no controller owns an object.
pub(crate) fn is_ownerless(object: &Value) -> bool {
    controller(object).is_none()
}

/// Returns the Rollout that a ReplicaSet is named after: its own name without the dash and the revision.
pub(crate) fn named_after(set: &Value) -> Option<&str> {
    let name = set.pointer("/metadata/name")?.as_str()?;
    let revision = set.pointer("/metadata/labels")?.get(REVISION_LABEL)?.as_str()?;
    name.strip_suffix(revision)?.strip_suffix('-')
}

/// Reduces a pod to its identity, labels, annotations, address, phase and conditions.
fn trim_pod(pod: &mut Value) {
    keep(pod, &["apiVersion", "kind", "metadata", "status"]);
    keep(pod.get_mut("status").unwrap_or(&mut Value::Null), &["podIP", "phase", "conditions"]);
    let names = [
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "labels",
        "annotations",
        "creationTimestamp",
        "deletionTimestamp",
        "ownerReferences",
    ];
    keep(pod.get_mut("metadata").unwrap_or(&mut Value::Null), &names);
    let owners = pod.pointer_mut("/metadata/ownerReferences").and_then(Value::as_array_mut);
    for owner in owners.into_iter().flatten() {
        keep(owner, &["controller", "uid"]);
    }
}

/// Removes and returns the pod template of a ReplicaSet or Deployment, and reduces the rest of its spec to what is read.
fn take_template(workload: &mut Value) -> Option<Arc<str>> {
    let is_ours = owner(workload).is_some();
    let spec = workload.get_mut("spec")?;
    let template = spec.get("template").map(|template| template.to_string().into());
    // Only a Rollout's `workloadRef` needs a selector.
    keep(
        spec,
        if is_ours { &["replicas", "minReadySeconds"] } else { &["replicas", "minReadySeconds", "selector"] },
    );
    template
}

/// Keeps only these fields of an object, in a map without spare capacity.
fn keep(object: &mut Value, names: &[&str]) {
    if let Some(fields) = object.as_object_mut() {
        let kept = mem::take(fields).into_iter().filter(|(name, _)| names.contains(&&**name));
        *fields = kept.collect();
    }
}

/// Returns the reference to an object of the same kind as `like`.
pub(crate) fn reference(like: &ObjectRef, value: &Value) -> ObjectRef {
    let text = |field: &str| value.pointer(field).and_then(Value::as_str).unwrap_or_default();
    ObjectRef::new(&like.group, &like.kind, text("/metadata/namespace"), text("/metadata/name"))
}
