//! What people decide in one cluster and mean for all.

use super::{Change, FleetLaws};
use crate::{
    Step, Waiting,
    fleet::{Abort, Mark},
    sim::Truth,
    waiting::{Ending, EndsBy, WaitReason},
};
use alloc::{format, vec::Vec};

pub(super) fn judge(laws: &mut FleetLaws, change: &Change<'_>) {
    one_click(laws, change);
}

fn one_click(laws: &mut FleetLaws, change: &Change<'_>) {
    let (before, after) = (change.before, change.after);
    let (Some(progress), Some(then)) = (&after.progress, &before.progress) else { return };
    let same = progress.release == then.release && progress.decision.attempt == then.decision.attempt;
    let step = usize::try_from(before.step).ok().and_then(|at| change.truth.spec.strategy.steps().get(at));
    let leaves_pause = matches!(step, Some(Step::Pause(None))) && after.step > before.step;
    if !same || !leaves_pause || after.promote_full || !after.is_under_way() {
        return;
    }
    laws.premise("one_click");
    let passed = if laws.policy.follow { laws.ledger.passed(progress) } else { after.passed };
    if passed.is_none_or(|passed| passed < before.step) {
        let here = laws.ledger.name(change.member);
        let how = format!("{here} passes the pause at step {} although nobody ended it", before.step);
        laws.broken("one_click", how);
    }
}

pub(super) fn judge_end(laws: &mut FleetLaws, truths: &[&Truth], waits: &[Vec<Waiting>]) {
    if truths.iter().any(|truth| truth.spec.replicas == 0) {
        return;
    }
    abort_reaches_all(laws, truths);
    followed(laws, truths);
    heals(laws, truths, waits);
}

fn abort_reaches_all(laws: &mut FleetLaws, truths: &[&Truth]) {
    if laws.policy.abort != Abort::Everywhere {
        return;
    }
    for member in 0..truths.len() {
        let Some(last) = laws.ledger.last(member).filter(|last| last.is_aborted).cloned() else { continue };
        let Some(progress) = &last.progress else { continue };
        laws.premise("abort_reaches_all");
        for other in laws.ledger.others(member) {
            let Some(there) = laws.ledger.last(other) else { continue };
            let Some(theirs) = &there.progress else { continue };
            let same = theirs.release == progress.release
                && theirs.policy == progress.policy
                && theirs.decision.attempt == progress.decision.attempt;
            let goes_on = there.is_under_way() && !there.promote_full && theirs.mark != Mark::Done;
            let gone = truths.get(other).is_some_and(|truth| {
                truth.status.stable.as_ref().is_none_or(|stable| truth.workload(stable).is_none())
            });
            if same && goes_on && !gone {
                let (here, there) = (laws.ledger.name(member), laws.ledger.name(other));
                let how = format!("{here} is aborted, and {there} is not");
                laws.broken("abort_reaches_all", how);
            }
        }
    }
}

/// A pause that was ended in one cluster holds nobody in the end.
fn followed(laws: &mut FleetLaws, truths: &[&Truth]) {
    for (member, truth) in truths.iter().enumerate() {
        let Some(last) = laws.ledger.last(member).filter(|last| last.is_under_way()) else { continue };
        let Some(progress) = &last.progress else { continue };
        let step = usize::try_from(last.step).ok().and_then(|at| truth.spec.strategy.steps().get(at));
        let is_held = matches!(step, Some(Step::Pause(None))) && last.paused_at.is_some();
        let ended = laws.ledger.passed(progress).is_some_and(|passed| passed >= last.step);
        if laws.policy.follow && is_held && ended && !truth.spec.paused {
            let here = laws.ledger.name(member);
            let how = format!("{here} stays in the pause at step {}, which a person has ended", last.step);
            laws.broken("one_click", how);
        }
    }
}

fn heals(laws: &mut FleetLaws, truths: &[&Truth], waits: &[Vec<Waiting>]) {
    laws.premise("heals");
    let done =
        |truth: &&Truth| truth.status.is_done() && truth.status.canary.as_ref() == Some(&truth.spec.target);
    let all_done = truths.iter().all(done);
    let told = |held: fn(&Waiting) -> bool| waits.iter().flatten().find(|wait| held(wait));
    if all_done {
        if let Some(wait) = told(|wait| {
            matches!(wait.ends, EndsBy::Event(Ending::ClusterFollows | Ending::NotNeededElsewhere))
        }) {
            laws.broken("heals", format!("every cluster is done, and one still waits: {wait}"));
        }
        return;
    }
    if told(is_for_a_person).is_none() {
        let waits: Vec<_> = waits.iter().flatten().map(|wait| format!("{wait}")).collect();
        laws.broken("heals", format!("the clusters wait for each other: {}", waits.join(" | ")));
    }
}

/// Whether a person, or the pods of the cluster itself, end a wait.
fn is_for_a_person(wait: &Waiting) -> bool {
    let of_itself = match &wait.ends {
        EndsBy::Command(_)
        | EndsBy::Event(Ending::ManifestChanged | Ending::PodsReady | Ending::StableCarries) => true,
        EndsBy::Event(_) | EndsBy::Time(_) => false,
    };
    let failed = |wait: &crate::fleet::ClusterWait| wait.need == crate::fleet::Need::Works;
    of_itself || matches!(&wait.reason, WaitReason::OtherCluster(wait) if failed(wait))
}
