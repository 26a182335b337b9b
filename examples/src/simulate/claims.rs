//! Two Rollouts that drive the same thing would undo each other's writes for ever.

use rollout_core::{
    backend::{Claim, EditError},
    traffic::ObjectRef,
};
use std::{collections::BTreeMap, sync::Arc};

/// What is driven already, by whom.
#[derive(Debug, Default)]
pub(crate) struct Claims(BTreeMap<(ObjectRef, Arc<str>, Arc<str>), Kind>);

/// Everything of one kind at one place of an object.
#[derive(Debug, Default)]
struct Kind {
    named: BTreeMap<Arc<str>, Claim>,
    /// The claim on the only one that there is.
    only: Option<Claim>,
}

impl Claims {
    /// Adds a claim; what is wrong with it when another Rollout has it already.
    pub(crate) fn add(&mut self, claim: Claim) -> Option<EditError> {
        let place = (claim.object.clone(), claim.path.clone(), claim.kind.clone());
        let kind = self.0.entry(place).or_default();
        let older = match &claim.name {
            Some(name) => kind.named.get(name).or(kind.only.as_ref()),
            None => kind.only.as_ref().or_else(|| kind.named.values().find(|other| other.collides(&claim))),
        };
        if let Some(error) = older.and_then(|older| claim.collision(older)) {
            return Some(error);
        }
        match claim.name.clone() {
            Some(name) => {
                kind.named.entry(name).or_insert(claim);
            }
            None => {
                kind.only.get_or_insert(claim);
            }
        }
        None
    }
}
