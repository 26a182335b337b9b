use super::context::Context;
use crate::{
    cache::{Entry, View, controller},
    replica_set::{self, ReplicaSet, same_template},
};
use rollout_core::{
    argo::template_hash,
    backend::{REVISION_LABEL, StoreError},
    traffic::ObjectRef,
};
use serde_json::{Value, json};

/// The most ReplicaSets that are adopted in one turn.
const IN_A_TURN: usize = 20;

/// Adopts the ReplicaSets without an owner that match a Rollout's selector: a Rollout of the same name left them when
/// it was deleted without them.
///
/// The watch may show them later than the recreated Rollout. So every turn looks for ReplicaSets that are named after
/// the Rollout, and their appearance wakes it. A Rollout that no controller has worked on yet also adopts those with
/// other names.
///
/// # Errors
/// A read or a write failed, or the outcome of a write is unknown.
pub(super) async fn orphans(
    context: &Context,
    view: &View,
    rollout: &Entry,
    is_new: bool,
) -> Result<(), StoreError> {
    let sets = view.orphans(is_new).await?;
    let fits = |set: &Entry| is_orphan_of(&rollout.value, set) && holds_its_revision(&rollout.value, set);
    let found: Vec<_> = sets.into_iter().filter(fits).take(IN_A_TURN).collect();
    if found.is_empty() || !still_exists(context, rollout).await? {
        return Ok(());
    }
    for set in found {
        let Some(set) = ReplicaSet::read(set) else { continue };
        match adopt(context, rollout, &set).await {
            Ok(_) | Err(StoreError::NotFound(_)) => {}
            // After a conflict, too, look again: the watch need not show a newer version.
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The result of finding the name of a new ReplicaSet taken.
pub(super) enum NameConflict {
    /// The existing ReplicaSet was adopted.
    Adopted(ReplicaSet),
    /// It has changed, or is ours already: observe again.
    Changed,
    /// It cannot be adopted: the reason, and what to do.
    Foreign(String),
}

/// Reads the ReplicaSet that already has the name of the one to create, and adopts it if possible.
///
/// # Errors
/// The ReplicaSet cannot be read or adopted.
pub(super) async fn resolve_name_conflict(
    context: &Context,
    rollout: &Entry,
    object: &ObjectRef,
) -> Result<NameConflict, StoreError> {
    let existing = match context.caches.get_live(object, None).await {
        Err(StoreError::NotFound(_)) => return Ok(NameConflict::Changed),
        existing => existing?,
    };
    if existing.owner().is_some_and(|(_, uid)| uid == rollout.uid()) {
        return Ok(NameConflict::Changed);
    }
    let foreign = |why: &str| Ok(NameConflict::Foreign(format!("{object} already exists: {why}")));
    if existing.text("/metadata/deletionTimestamp").is_some() {
        return foreign("it is being deleted; a new one will be created once it is gone");
    }
    if let Some(owner) = controller(&existing.value) {
        let text = |key: &str| owner.get(key).and_then(Value::as_str).unwrap_or_default();
        let why = format!(
            "it is owned by {} {}; rename the Rollout, or delete the ReplicaSet",
            text("kind"),
            text("name")
        );
        return foreign(&why);
    }
    if !is_orphan_of(&rollout.value, &existing) || !has_template(&rollout.value, &existing) {
        return foreign(
            "it has no owner, and its labels or its template are not the Rollout's; delete it, or rename the Rollout",
        );
    }
    let Some(set) = ReplicaSet::read(existing) else { return foreign("it has no revision label; delete it") };
    match adopt(context, rollout, &set).await {
        Ok(set) => Ok(set.map_or(NameConflict::Changed, NameConflict::Adopted)),
        Err(StoreError::Conflict(_) | StoreError::NotFound(_)) => Ok(NameConflict::Changed),
        Err(error) => Err(error),
    }
}

/// Makes the Rollout the owner of a ReplicaSet, if it is unchanged since it was read.
async fn adopt(
    context: &Context,
    rollout: &Entry,
    set: &ReplicaSet,
) -> Result<Option<ReplicaSet>, StoreError> {
    let existing = set.entry.value.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    let mut owners = existing.cloned().unwrap_or_default();
    owners.push(replica_set::owner(&rollout.value));
    let patch = json!({"metadata": {
        "resourceVersion": *set.entry.version.write, "ownerReferences": owners
    }});
    let object = set.object();
    let written = context.caches.requests().merge(&object, &patch).await?;
    tracing::info!(
        rollout = format!("{}/{}", object.namespace, rollout.name()),
        replica_set = set.name(),
        "adopted a ReplicaSet without an owner"
    );
    Ok(ReplicaSet::read(context.caches.wrote(&object, written)))
}

/// Returns whether the Rollout still exists: the objects of a deleted one are deleted, too.
async fn still_exists(context: &Context, rollout: &Entry) -> Result<bool, StoreError> {
    let namespace = rollout.text("/metadata/namespace").unwrap_or_default();
    let object = ObjectRef::new("argoproj.io", "Rollout", namespace, rollout.name());
    match context.caches.get_live(&object, None).await {
        Ok(now) => Ok(now.uid() == rollout.uid() && now.text("/metadata/deletionTimestamp").is_none()),
        Err(StoreError::NotFound(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Returns whether a ReplicaSet holds a revision, matches the Rollout's selector, and has no owner.
fn is_orphan_of(rollout: &Value, set: &Entry) -> bool {
    set.label(REVISION_LABEL).is_some()
        && set.text("/metadata/deletionTimestamp").is_none()
        && controller(&set.value).is_none()
        && selects(rollout.pointer("/spec/selector"), set)
}

/// Returns whether a ReplicaSet may count as the revision in its label: for the Rollout's newest revision, it must have
/// the Rollout's template. Otherwise a different template would be released under that revision.
fn holds_its_revision(rollout: &Value, set: &Entry) -> bool {
    let newest = template_hash(rollout.pointer("/spec/template").unwrap_or(&Value::Null));
    set.label(REVISION_LABEL) != Some(newest.as_str()) || has_template(rollout, set)
}

/// Returns whether a ReplicaSet has the Rollout's template.
fn has_template(rollout: &Value, set: &Entry) -> bool {
    let wanted = rollout.pointer("/spec/template").unwrap_or(&Value::Null);
    same_template(wanted, set)
}

/// Returns whether a label selector selects a ReplicaSet. An empty or missing selector selects nothing here.
fn selects(selector: Option<&Value>, set: &Entry) -> bool {
    let Some(selector) = selector else { return false };
    let labels = selector.get("matchLabels").and_then(Value::as_object);
    let rules = selector.get("matchExpressions").and_then(Value::as_array);
    let mut wanted = labels.into_iter().flatten();
    let mut rules = rules.into_iter().flatten();
    let is_any = labels.is_some_and(|labels| !labels.is_empty()) || rules.clone().next().is_some();
    is_any
        && wanted.all(|(key, value)| value.as_str().is_some_and(|value| set.label(key) == Some(value)))
        && rules.all(|rule| matches_rule(rule, set))
}

fn matches_rule(rule: &Value, set: &Entry) -> bool {
    let text = |key: &str| rule.get(key).and_then(Value::as_str).unwrap_or_default();
    let label = set.label(text("key"));
    let values = rule.get("values").and_then(Value::as_array);
    let is_one = values.into_iter().flatten().any(|value| value.as_str() == label && label.is_some());
    match text("operator") {
        "In" => is_one,
        "NotIn" => !is_one,
        "Exists" => label.is_some(),
        "DoesNotExist" => label.is_none(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(more: &Value) -> Entry {
        let mut set = json!({"metadata": {
            "name": "web-v1", "labels": {"app": "web", "tier": "front", "rollouts-pod-template-hash": "v1"}
        }});
        for (key, value) in more.as_object().unwrap() {
            set["metadata"][key] = value.clone();
        }
        Entry::new(set)
    }

    #[test]
    fn only_selected_replica_sets_are_the_rollouts() {
        let cases = [
            (json!({"matchLabels": {"app": "web"}}), true),
            (json!({"matchLabels": {"app": "web", "tier": "back"}}), false),
            (json!({"matchLabels": {"app": 7}}), false),
            (json!({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "x"]}]}), true),
            (json!({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}), false),
            (json!({"matchExpressions": [{"key": "none", "operator": "NotIn", "values": ["web"]}]}), true),
            (json!({"matchExpressions": [{"key": "tier", "operator": "Exists"}]}), true),
            (json!({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}), false),
            (json!({"matchExpressions": [{"key": "tier", "operator": "Likes"}]}), false),
            (
                json!({"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "no", "operator": "Exists"}]}),
                false,
            ),
            (json!({}), false),
            (json!("app=web"), false),
        ];
        for (selector, expected) in cases {
            let rollout = json!({"spec": {"selector": selector}});
            assert_eq!(is_orphan_of(&rollout, &set(&json!({}))), expected, "{selector}");
        }
    }

    #[test]
    fn an_owned_or_deleted_replica_set_is_no_orphan() {
        let rollout = json!({"spec": {"selector": {"matchLabels": {"app": "web"}}}});
        let owner = |controls: bool| json!({"ownerReferences": [{"kind": "Deployment", "name": "x", "controller": controls}]});
        assert!(!is_orphan_of(&rollout, &set(&owner(true))));
        assert!(
            is_orphan_of(&rollout, &set(&owner(false))),
            "an owner that is not the controller does not count"
        );
        assert!(!is_orphan_of(&rollout, &set(&json!({"deletionTimestamp": "2026-01-01T00:00:00Z"}))));
        assert!(!is_orphan_of(&rollout, &set(&json!({"labels": {"app": "web"}}))), "it holds no revision");
    }
}
