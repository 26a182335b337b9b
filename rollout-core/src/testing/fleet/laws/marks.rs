//! How far the clusters are from each other.

use super::{Change, FleetLaws};
use crate::{
    Step, Strategy,
    fleet::{Inside, Mark, Progress},
};
use alloc::format;
use core::time::Duration;

/// The clock of a simulated process may be wrong by as much, in both directions.
const CLOCKS_JUMP: Duration = Duration::from_secs(151);

pub(super) fn judge(laws: &mut FleetLaws, change: &Change<'_>) {
    let Some(progress) = &change.after.progress else { return };
    if laws.ledger.is_overridden(change.member, progress) {
        return;
    }
    let before = change.before.progress.as_ref();
    let same = before.filter(|before| {
        before.release == progress.release && before.decision.attempt == progress.decision.attempt
    });
    let from = same.map_or(Mark::Absent, |before| before.mark);
    if progress.mark > from && change.after.is_under_way() {
        half_step(laws, change, (from, progress));
    }
    // Out of step, a cluster that is under way may take over another number for its attempt.
    let is_new = before.is_none_or(|before| before.release != progress.release) || !change.before.begun;
    if change.after.begun && is_new && change.after.is_under_way() {
        wave_order(laws, change, progress);
        in_flight_bound(laws, change, progress);
    }
    pods_before_any_weight(laws, change, progress);
}

fn half_step(laws: &mut FleetLaws, change: &Change<'_>, (from, progress): (Mark, &Progress)) {
    for other in laws.ledger.counted(change.member, progress) {
        // A rollback within the window begins after the last step: its pods come first, like those of any release.
        if from == Mark::Absent && matches!(progress.mark, Mark::Ready(_)) {
            continue;
        }
        laws.premise("half_step");
        let mark = laws.ledger.furthest(other, progress);
        if mark.next() < progress.mark {
            let (here, there) = (laws.ledger.name(change.member), laws.ledger.name(other));
            let how = format!("{here} is at {:?} and {there} at {mark:?}", progress.mark);
            laws.broken("half_step", how);
        }
    }
}

fn wave_order(laws: &mut FleetLaws, change: &Change<'_>, progress: &Progress) {
    for other in laws.ledger.earlier(change.member, progress) {
        laws.premise("wave_order");
        if !laws.ledger.is_done(other, progress) {
            let (here, there) = (laws.ledger.name(change.member), laws.ledger.name(other));
            let how = format!("{here} begins before {there}, of an earlier wave, is done");
            laws.broken("wave_order", how);
        }
    }
    soak_passes(laws, change, progress);
}

fn soak_passes(laws: &mut FleetLaws, change: &Change<'_>, progress: &Progress) {
    let soak = laws.policy.soak;
    let earlier = laws.ledger.earlier(change.member, progress);
    let last = earlier.iter().filter_map(|other| laws.ledger.done_since(*other, progress)).max();
    let Some(last) = last.filter(|_| !soak.is_zero()) else { return };
    laws.premise("soak_passes");
    // The clocks of simulated processes may jump meanwhile, by as much as this.
    let soaked = change.truth.now.since(last) + CLOCKS_JUMP;
    if soaked < soak {
        let here = laws.ledger.name(change.member);
        let how =
            format!("{here} begins {soaked:?} after the earlier waves were done; the soak time is {soak:?}");
        laws.broken("soak_passes", how);
    }
}

fn in_flight_bound(laws: &mut FleetLaws, change: &Change<'_>, progress: &Progress) {
    // A cluster whose GitOps is behind may release a revision a second time that it was done with: others have gone on.
    let again = laws.ledger.was_done(change.member, &progress.release.revision);
    if laws.policy.inside != Inside::Free || again {
        return;
    }
    laws.premise("in_flight_bound");
    let in_flight = |other: &usize| {
        let Some(last) = laws.ledger.last(*other).filter(|last| last.is_under_way()) else { return false };
        last.progress.as_ref().is_some_and(|there| {
            there.release == progress.release
                && there.decision.attempt == progress.decision.attempt
                && there.mark > Mark::Absent
                && !there.failed
        }) && !laws.ledger.is_overridden(*other, progress)
            && !laws.ledger.may_be_left(change.member, *other, progress)
    };
    let others = laws.ledger.others(change.member).filter(in_flight).count();
    if u32::try_from(others).is_ok_and(|others| others > laws.policy.max_failures) {
        let how = format!("{} begins while {others} others are under way", laws.ledger.name(change.member));
        laws.broken("in_flight_bound", how);
    }
}

fn pods_before_any_weight(laws: &mut FleetLaws, change: &Change<'_>, progress: &Progress) {
    let (before, after) = (change.before, change.after);
    let gains_route = after.has_managed && !before.has_managed;
    // A foreign write with the roles of another time gives the canary weight.
    let swaps = change.truth.spec.strategy.ping_pong();
    if swaps || !after.is_under_way() || !(after.weight > before.weight || gains_route) {
        return;
    }
    let stable = after.stable.as_ref().and_then(|stable| change.truth.workload(stable));
    if stable.is_none_or(|stable| stable.ready() == 0) {
        // An emergency, in which the canary takes all requests.
        return;
    }
    for other in laws.ledger.counted(change.member, progress) {
        laws.premise("pods_before_any_weight");
        let step = match laws.ledger.furthest(other, progress) {
            Mark::Absent => None,
            Mark::Ready(step) | Mark::Routed(step) => Some(step),
            Mark::Done => Some(u32::MAX),
        };
        let strategy = &change.truth.spec.strategy;
        let most = step.map_or(0, |step| weight_up_to(strategy, step));
        if after.weight > before.weight && after.weight > most || gains_route && step.is_none() {
            let (here, there) = (laws.ledger.name(change.member), laws.ledger.name(other));
            let how = format!(
                "{here} sends a weight of {} (managed routes: {gains_route}) to the canary, and {there} has had pods for {most} only",
                after.weight
            );
            laws.broken("pods_before_any_weight", how);
        }
    }
}

/// The highest weight of the steps up to this one.
fn weight_up_to(strategy: &Strategy, step: u32) -> u32 {
    let steps = strategy.steps();
    let step = usize::try_from(step).unwrap_or(usize::MAX);
    if step >= steps.len() {
        return strategy.max_weight();
    }
    let weights = steps.iter().take(step + 1).filter_map(|step| match step {
        Step::SetWeight(weight) => Some(*weight),
        _ => None,
    });
    weights.max().unwrap_or(0)
}
