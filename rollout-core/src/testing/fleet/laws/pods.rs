//! Which pods the clusters keep for each other.

use super::{Change, FleetLaws};
use crate::{
    Revision,
    fleet::{Abort, Inside, Mark, Progress},
    sim::Truth,
};
use alloc::{format, vec::Vec};

pub(super) fn judge(laws: &mut FleetLaws, change: &Change<'_>, truths: &[&Truth]) {
    let spec = &change.truth.spec;
    let asks_for_none = spec.replicas == 0 || change.truth.status.scaled_to_zero;
    let Some(progress) = &change.after.progress else { return };
    if asks_for_none || spec.strategy.routing().is_none() {
        return;
    }
    earlier_pods_stay(laws, change, progress);
    let gone = change.after.wanted.iter().filter(|(revision, pods)| {
        *pods == 0 && change.before.wants(revision).is_some_and(|before| before > 0)
    });
    for (revision, _) in gone.cloned().collect::<Vec<_>>() {
        let is = |role: &Option<Revision>| role.as_ref() == Some(&revision);
        if is(&change.after.canary) && change.after.is_aborted {
            canary_stays(laws, change, &revision, truths);
        } else if !is(&change.after.stable) && !is(&change.after.canary) {
            nobody_pulls_the_rug(laws, change, (&revision, progress));
        }
    }
}

/// A canary loses pods when its step needs fewer than the one before it, not while another cluster routes as that one.
fn earlier_pods_stay(laws: &mut FleetLaws, change: &Change<'_>, progress: &Progress) {
    let (before, after) = (change.before, change.after);
    let Some(canary) = after.canary.as_ref().filter(|_| after.is_under_way()) else { return };
    let (Some(had), Some(has)) = (before.wants(canary), after.wants(canary)) else { return };
    let same_size = change.truth.spec.replicas == laws.ledger.replicas(change.member);
    if has >= had || !same_size || laws.ledger.is_overridden(change.member, progress) {
        return;
    }
    laws.premise("earlier_pods_stay");
    // Both steps may lie between two looks at a cluster.
    let same = before.canary == after.canary && before.step <= after.step;
    let step = if same { before.step } else { after.step };
    for other in laws.ledger.others(change.member) {
        if laws.ledger.furthest(other, progress) < Mark::Routed(step) {
            let (here, there) = (laws.ledger.name(change.member), laws.ledger.name(other));
            let how =
                format!("{here} takes pods of {canary} away, and {there} still routes as an earlier step");
            laws.broken("earlier_pods_stay", how);
        }
    }
}

fn nobody_pulls_the_rug(laws: &mut FleetLaws, change: &Change<'_>, (old, progress): (&Revision, &Progress)) {
    laws.premise("nobody_pulls_the_rug");
    for other in laws.ledger.others(change.member) {
        if !laws.ledger.is_done(other, progress) {
            let (here, there) = (laws.ledger.name(change.member), laws.ledger.name(other));
            let how =
                format!("{here} takes the pods of {old} away before {there} is done with its successor");
            laws.broken("nobody_pulls_the_rug", how);
        }
    }
}

fn canary_stays(laws: &mut FleetLaws, change: &Change<'_>, canary: &Revision, truths: &[&Truth]) {
    if laws.policy.abort != Abort::Everywhere || laws.policy.inside != Inside::LockStep {
        // Each cluster then relies on its own pods.
        return;
    }
    laws.premise("canary_stays_for_others");
    for other in laws.ledger.others(change.member) {
        let Some(there) = laws.ledger.last(other) else { continue };
        let sends = there.weight > 0 || there.has_managed;
        let routes_to_it = there.canary.as_ref() == Some(canary) && there.stable.as_ref() != Some(canary);
        let is_basic = truths.get(other).is_some_and(|truth| truth.spec.strategy.routing().is_none());
        if sends && routes_to_it && !is_basic && !there.promote_full {
            let (here, there) = (laws.ledger.name(change.member), laws.ledger.name(other));
            let how = format!("{here} takes the pods of {canary} away, to which {there} sends requests");
            laws.broken("canary_stays_for_others", how);
        }
    }
}
