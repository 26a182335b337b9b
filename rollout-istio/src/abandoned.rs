//! Cleanup of what a Rollout has left in an object that it no longer names.

use crate::{
    config::DestinationRuleRef,
    name,
    virtual_service::{MANAGED_ANNOTATION, WEIGHT_ANNOTATION, WRITTEN_FOR_ANNOTATION},
};
use rollout_core::{
    backend::{
        EditError, FENCE_ANNOTATION, MANAGED_BY_ANNOTATION, REVISION_LABEL, RolloutRef, annotate, annotation,
        is_managed_by, note, rollouts_in, set_note,
    },
    traffic::ObjectRef,
};
use serde_json::Value;

/// The annotation that records in which subsets of a DestinationRule each Rollout selects pods: a map of [notes](note),
/// each with the names separated by commas.
///
/// ```
/// use rollout_core::backend::{Object, ObjectEditor, Objects, RolloutRef, note};
/// use rollout_core::traffic::{ObjectVersion, Selectors};
/// use rollout_istio::{DestinationRuleRef, IstioConfig, IstioEditor, SUBSETS_ANNOTATION, VirtualServiceRef};
/// # use serde_json::json;
/// let rule = DestinationRuleRef::new("web", "stable", "canary");
/// let config = IstioConfig::subsets("shop", rule).virtual_service(VirtualServiceRef::new("web"));
/// let editor = IstioEditor::new(config.of_rollout("web"));
/// # let version = ObjectVersion { write: "1".into(), content: 1 };
/// let rule = json!({"spec": {"host": "web", "subsets": [{"name": "stable"}, {"name": "canary"}]}});
/// # let name = editor.objects().into_iter().find(|object| &*object.kind == "DestinationRule").unwrap();
/// # let objects = Objects::from([(name.clone(), Object { value: rule.into(), version })]);
/// let to = Selectors { stable: None, canary: Some(rollout_core::Revision::from("v2").into()) };
/// let (_, edited) = editor.select(&objects, &to)?.remove(0);
/// let subsets = note(&name, &edited, SUBSETS_ANNOTATION, &RolloutRef::new("shop", "web"));
/// assert_eq!(subsets.as_deref(), Some("stable,canary"));
/// # Ok::<(), rollout_core::backend::EditError>(())
/// ```
pub const SUBSETS_ANNOTATION: &str = "rollout-core/subsets";

/// Records the owner of the subsets in the same write: in a note for each Rollout, and in Argo Rollouts' annotation for
/// the first.
pub(crate) fn sign(
    name: &ObjectRef,
    object: &mut Value,
    rule: &DestinationRuleRef,
    rollout: &RolloutRef,
) -> Result<(), EditError> {
    let subsets = format!("{},{}", rule.subsets.stable, rule.subsets.canary);
    set_note(name, object, SUBSETS_ANNOTATION, rollout, Some(&subsets))?;
    let manager =
        annotation(object, MANAGED_BY_ANNOTATION).map(|manager| RolloutRef::new(&name.namespace, manager));
    // Another Rollout that is also active here stays named: otherwise the writes of both would keep renaming it.
    let at_work = |manager| note(name, object, SUBSETS_ANNOTATION, manager).is_some();
    if !manager.as_ref().is_some_and(at_work) {
        annotate(name, object, MANAGED_BY_ANNOTATION, Some(&rollout.name))?;
    }
    Ok(())
}

/// Removes from a DestinationRule or a VirtualService what a deleted Rollout, or one that no longer names it, has left
/// there. Returns whether anything changed.
///
/// From a DestinationRule it removes the labels that select the Rollout's pods: a subset that selects pods which no
/// longer exist answers every request with 503. Subsets of other Rollouts stay. A rule that only Argo Rollouts has
/// written has no note of subsets: there it removes the label from all subsets without a note of another Rollout. A
/// VirtualService keeps its weights and its routes, since better ones are unknown; only notes are removed.
///
/// [`rollouts_in`] says which Rollouts have left something in an object.
///
/// # Errors
/// `metadata` or `metadata.annotations` exists and is not a map.
///
/// ```
/// use rollout_core::{backend::{MANAGED_BY_ANNOTATION, RolloutRef}, traffic::ObjectRef};
/// use rollout_istio::release_abandoned;
/// # use serde_json::json;
/// let name = ObjectRef::new("networking.istio.io", "DestinationRule", "shop", "web");
/// let subset = |labels| json!({"name": "canary", "labels": labels});
/// let mut rule = json!({
///     "metadata": {"annotations": {MANAGED_BY_ANNOTATION: "web"}},
///     "spec": {"subsets": [subset(json!({"app": "web", "rollouts-pod-template-hash": "59fddc4b57"}))]},
/// });
/// assert!(release_abandoned(&name, &mut rule, &RolloutRef::new("shop", "web"))?);
/// assert_eq!(rule, json!({"metadata": {}, "spec": {"subsets": [subset(json!({"app": "web"}))]}}));
/// # Ok::<(), rollout_core::backend::EditError>(())
/// ```
pub fn release_abandoned(
    name: &ObjectRef,
    object: &mut Value,
    rollout: &RolloutRef,
) -> Result<bool, EditError> {
    let mut changed = false;
    if name::is_destination_rule(name) {
        changed |= deselect(name, object, rollout);
        if is_managed_by(name, object, rollout) {
            changed |= annotate(name, object, MANAGED_BY_ANNOTATION, None)?;
        }
    }
    for key in
        [SUBSETS_ANNOTATION, WRITTEN_FOR_ANNOTATION, WEIGHT_ANNOTATION, MANAGED_ANNOTATION, FENCE_ANNOTATION]
    {
        changed |= set_note(name, object, key, rollout, None)?;
    }
    Ok(changed)
}

/// Removes the label from the subsets of one Rollout.
fn deselect(name: &ObjectRef, object: &mut Value, rollout: &RolloutRef) -> bool {
    let of = |rollout: &RolloutRef| note(name, object, SUBSETS_ANNOTATION, rollout);
    let own = of(rollout);
    if own.is_none() && !is_managed_by(name, object, rollout) {
        return false;
    }
    let others = rollouts_in(name, object).into_iter().filter(|other| other != rollout);
    let others: Vec<String> = others.filter_map(|other| of(&other)).collect();
    let names = |list: &str, subset: &str| list.split(',').any(|name| name == subset);
    let is_own = |subset: &str| match &own {
        Some(own) => names(own, subset),
        None => !others.iter().any(|list| names(list, subset)),
    };
    let subsets = object.get_mut("spec").and_then(|spec| spec.get_mut("subsets")?.as_array_mut());
    let mut changed = false;
    for subset in subsets.into_iter().flatten().filter_map(Value::as_object_mut) {
        if !subset.get("name").and_then(Value::as_str).is_some_and(is_own) {
            continue;
        }
        let Some(labels) = subset.get_mut("labels").and_then(Value::as_object_mut) else { continue };
        if labels.shift_remove(REVISION_LABEL).is_some() {
            changed = true;
            if labels.is_empty() {
                subset.shift_remove("labels");
            }
        }
    }
    changed
}
