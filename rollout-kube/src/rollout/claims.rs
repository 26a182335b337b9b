//! Two Rollouts that drive the same part of an object: the younger one is refused.

use super::{
    context::{Context, INSTANCE},
    traffic::{EmptyStore, Factory},
};
use crate::cache::{Entry, Index, View};
use rollout_core::{
    argo::wire::Rollout,
    backend::{Claim, EditError, NoDataPlane, ObjectEditor, ServiceEditor},
    traffic::ObjectRef,
};
use serde_json::Value;
use std::sync::Arc;

/// Returns what a Rollout claims; a part that cannot be parsed claims nothing.
fn claims(factory: &Factory, rollout: &Rollout) -> Vec<Claim> {
    let services = ServiceEditor::from_wire(rollout).map(|services| services.claims());
    let manager = factory(rollout, Arc::new(EmptyStore), Arc::new(NoDataPlane)).ok().flatten();
    let manager = manager.map(|manager| manager.claims()).unwrap_or_default();
    services.unwrap_or_default().into_iter().chain(manager).collect()
}

/// Indexes the Rollouts of one controller by what they claim.
pub(crate) fn index(factory: Factory, instance: Option<String>) -> Index {
    Index::new(move |_, rollout| {
        let text = |pointer: &str| rollout.pointer(pointer).and_then(Value::as_str);
        let labels = rollout.pointer("/metadata/labels");
        let label = labels.and_then(|labels| labels.get(INSTANCE)).and_then(Value::as_str);
        let is_mine = label.filter(|label| !label.is_empty()) == instance.as_deref();
        if !is_mine || text("/metadata/deletionTimestamp").is_some() {
            return Vec::new();
        }
        claims(&factory, &Rollout::from_value(rollout)).iter().flat_map(index_keys).collect()
    })
}

/// Returns the index keys of a claim. A claim without a name covers all names of its kind.
fn index_keys(claim: &Claim) -> Vec<String> {
    let any = prefix(claim);
    vec![format!("{any} {}", claim.name.as_deref().unwrap_or("*")), any]
}

/// Returns the index keys of all claims that collide with this one.
fn colliding_keys(claim: &Claim) -> Vec<String> {
    let any = prefix(claim);
    match &claim.name {
        Some(name) => vec![format!("{any} {name}"), format!("{any} *")],
        None => vec![any],
    }
}

fn prefix(claim: &Claim) -> String {
    let object = &claim.object;
    let (group, kind) = (&object.group, &object.kind);
    format!("{group}/{kind}/{}/{} {} {}", object.namespace, object.name, claim.path, claim.kind)
}

/// Returns why a Rollout is refused, if an older one drives the same. When the older one is deleted, or no longer
/// drives it, the refused one wakes.
///
/// A Rollout in the object's own namespace counts as older than Rollouts elsewhere.
pub(super) fn collision(context: &Context, view: &View, rollout: &Entry, own: &[Claim]) -> Option<EditError> {
    for claim in own {
        let others = view.claimants(&colliding_keys(claim));
        let older = others.iter().filter(|other| other.uid() != rollout.uid());
        let older = older.filter(|other| age(other, &claim.object) < age(rollout, &claim.object));
        let Some(oldest) = older.min_by_key(|other| age(other, &claim.object)) else { continue };
        let theirs = claims(&context.factory, &Rollout::from_value(&oldest.value));
        if let Some(collision) = theirs.iter().find_map(|theirs| claim.collision(theirs)) {
            return Some(collision);
        }
    }
    None
}

fn age<'r>(rollout: &'r Entry, object: &ObjectRef) -> (bool, &'r str, &'r str, &'r str) {
    let text = |pointer: &str| rollout.text(pointer).unwrap_or_default();
    let namespace = text("/metadata/namespace");
    (*namespace != *object.namespace, text("/metadata/creationTimestamp"), rollout.name(), namespace)
}

#[cfg(test)]
#[path = "tests/claims.rs"]
mod tests;
