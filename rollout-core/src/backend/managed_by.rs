//! The owners of an object, and cleanup after a Rollout that no longer names it.

use super::{EditError, FENCE_ANNOTATION, REVISION_LABEL, annotate, annotation, note, set_note};
use crate::{backend::RolloutRef, traffic::ObjectRef};
use alloc::vec::Vec;
use serde_json::Value;

/// The annotation that tells Argo Rollouts that a Rollout selects pods in a Service or a DestinationRule: the name of
/// the Rollout, in the object's namespace.
///
/// See [`is_managed_by`] for an example.
pub const MANAGED_BY_ANNOTATION: &str = "argo-rollouts.argoproj.io/managed-by-rollouts";

/// The prefix of the keys of all notes.
const OURS: &str = "rollout-core/";

/// Returns whether the object records that this Rollout selects pods in it.
///
/// ```
/// use rollout_core::backend::{MANAGED_BY_ANNOTATION, RolloutRef, is_managed_by};
/// use rollout_core::traffic::ObjectRef;
/// let service = ObjectRef::new("", "Service", "shop", "web");
/// let object = serde_json::json!({"metadata": {"annotations": {MANAGED_BY_ANNOTATION: "web"}}});
/// assert!(is_managed_by(&service, &object, &RolloutRef::new("shop", "web")));
/// assert!(!is_managed_by(&service, &object, &RolloutRef::new("lab", "web")), "only in its own namespace");
/// ```
#[must_use]
pub fn is_managed_by(name: &ObjectRef, object: &Value, rollout: &RolloutRef) -> bool {
    name.namespace == rollout.namespace && annotation(object, MANAGED_BY_ANNOTATION) == Some(&*rollout.name)
}

/// Returns all Rollouts that have left something in an object: the one that [selects pods](MANAGED_BY_ANNOTATION) in
/// it, and all that have a [`note`] there. Each is listed once.
///
/// To clean up, check for each whether it still exists and names the object; if not, remove what it left, from a
/// Service with [`release_service`].
///
/// ```
/// use rollout_core::backend::rollouts_in;
/// use rollout_core::{traffic::ObjectRef, backend::RolloutRef};
/// # use serde_json::json;
/// let gateway = ObjectRef::new("networking.istio.io", "VirtualService", "gateways", "gw");
/// let object = json!({"metadata": {"annotations": {"rollout-core/written-for": "{\"shop/web\":\"v2\"}"}}});
/// assert_eq!(rollouts_in(&gateway, &object), [RolloutRef::new("shop", "web")]);
/// ```
#[must_use]
pub fn rollouts_in(name: &ObjectRef, object: &Value) -> Vec<RolloutRef> {
    let annotations = object.get("metadata").and_then(|metadata| metadata.get("annotations")?.as_object());
    let mut found: Vec<RolloutRef> = annotation(object, MANAGED_BY_ANNOTATION)
        .filter(|manager| !manager.is_empty())
        .map(|manager| RolloutRef::new(&name.namespace, manager))
        .into_iter()
        .collect();
    for key in annotations.into_iter().flatten().map(|(key, _)| key).filter(|key| key.starts_with(OURS)) {
        found.extend(note::rollouts(name, object, key));
    }
    found.sort();
    found.dedup();
    found
}

/// Removes from a Service what a deleted Rollout, or one that no longer names it, has left there: the label that
/// selects its pods, and its notes. Returns whether anything changed.
///
/// A Service that records another Rollout as its owner keeps its selector.
///
/// # Errors
/// `metadata` or `metadata.annotations` exists and is not a map.
///
/// ```
/// use rollout_core::backend::{MANAGED_BY_ANNOTATION, REVISION_LABEL, release_service};
/// use rollout_core::{traffic::ObjectRef, backend::RolloutRef};
/// # use serde_json::json;
/// let name = ObjectRef::new("", "Service", "shop", "web");
/// let mut service = json!({
///     "metadata": {"annotations": {MANAGED_BY_ANNOTATION: "web"}},
///     "spec": {"selector": {"app": "web", REVISION_LABEL: "59fddc4b57"}},
/// });
/// assert!(!release_service(&name, &mut service, &RolloutRef::new("shop", "api"))?);
/// assert!(release_service(&name, &mut service, &RolloutRef::new("shop", "web"))?);
/// assert_eq!(service, json!({"metadata": {}, "spec": {"selector": {"app": "web"}}}));
/// # Ok::<(), rollout_core::backend::EditError>(())
/// ```
pub fn release_service(
    name: &ObjectRef,
    service: &mut Value,
    rollout: &RolloutRef,
) -> Result<bool, EditError> {
    let mut changed = set_note(name, service, FENCE_ANNOTATION, rollout, None)?;
    if is_managed_by(name, service, rollout) {
        changed |= annotate(name, service, MANAGED_BY_ANNOTATION, None)?;
        let selector = service.get_mut("spec").and_then(|spec| spec.get_mut("selector"));
        if let Some(selector) = selector.and_then(Value::as_object_mut) {
            selector.retain(|label, _| label != REVISION_LABEL);
        }
    }
    Ok(changed)
}
