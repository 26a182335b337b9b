//! The laws about analyses.

use super::{Decision, Findings, Law};
use crate::{
    AbortReason, Action, CommandKind, Revision, Status, Step, Time,
    action::RunChange,
    analysis::{Phase, RunRole, RunSeen},
    command::Answer,
    sim::{Moment, What},
    traffic::Destination,
    waiting::WaitReason,
};
use alloc::{format, sync::Arc, vec::Vec};

/// The attempt that counts for a role.
fn attempt(status: &Status, role: RunRole) -> u32 {
    if role == RunRole::Background { status.attempts.background } else { status.attempts.step }
}

/// Returns the newest run for this position of `status`, told apart by all that identifies it.
fn current<'a>(decision: &Decision<'a>, status: &Status, role: RunRole) -> Option<&'a RunSeen> {
    decision.observed.runs.iter().flatten().rev().find(|run| {
        Some(&run.id.revision) == status.canary.as_ref()
            && *run.id.step_hash == *decision.spec.strategy.step_hash()
            && run.id.role == role
            && run.id.attempt == attempt(status, role)
    })
}

/// Returns the roles that count at a position, if its update is under way.
fn roles(decision: &Decision<'_>, status: &Status) -> Vec<RunRole> {
    let under_way = status.stable.is_some() && !status.is_done() && status.aborted.is_none();
    if !under_way || status.promote_full || status.scaled_to_zero {
        return Vec::new();
    }
    let strategy = &decision.spec.strategy;
    let at = strategy.steps().get(status.step as usize);
    // In a fleet, a step that a person has skipped may still wait for other clusters.
    let ended = status.fleet.as_ref().is_some_and(|member| member.ended == Some(status.step));
    let of_step = matches!(at, Some(Step::Analysis(_)) if !ended).then_some(RunRole::Step(status.step));
    let beside = strategy.background().filter(|beside| beside.starting_step <= status.step);
    of_step.into_iter().chain(beside.map(|_| RunRole::Background)).collect()
}

fn is_bad(run: &RunSeen) -> bool {
    matches!(run.phase, Phase::Failed | Phase::Error)
}

/// Once an analysis of this attempt has found the revision bad, the turn that sees it stores the abort, and nothing
/// rises for that revision; unless there is no stable revision to go back to.
#[derive(Debug, Default)]
pub(super) struct BadAbortsAtOnce;

impl Law for BadAbortsAtOnce {
    fn name(&self) -> &'static str {
        "bad_aborts_at_once"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let Some(decision) = Decision::of(moment) else { return };
        let (stored, next) = (decision.stored, &decision.plan.status);
        // In a fleet, a retry in another cluster begins the analyses anew.
        let of_fleet = |status: &Status| status.fleet.as_ref().map(|member| member.attempt);
        let same = stored.canary == next.canary
            && stored.step_hash == next.step_hash
            && of_fleet(stored) == of_fleet(next);
        let knows =
            decision.observed.revisions.is_some() && decision.spec.replicas > 0 && !stored.scaled_to_zero;
        if !same || !knows || stored.step_hash.as_deref() != Some(decision.spec.strategy.step_hash()) {
            return;
        }
        let bad = roles(&decision, stored)
            .into_iter()
            .find_map(|role| current(&decision, stored, role).filter(|run| is_bad(run)));
        let gone = stored.stable.as_ref().is_some_and(|stable| decision.observed.is_gone(stable));
        let Some(run) = bad.filter(|_| {
            !gone && decision.spec.target == *stored.canary.as_ref().unwrap_or(&Revision::from(""))
        }) else {
            return;
        };
        findings.premise();
        if next.aborted.is_none() {
            findings.broken(|| format!("run {} is {}, and the update goes on", run.name, run.phase));
        } else if let Some(weight) = decision.raise() {
            findings
                .broken(|| format!("run {} is {}, and the weight rises to {weight}", run.name, run.phase));
        }
    }
}

/// An abort by an analysis is the work of a bad run of exactly this revision, list of steps, role and attempt.
#[derive(Debug, Default)]
pub(super) struct VerdictIsOfThis;

impl Law for VerdictIsOfThis {
    fn name(&self) -> &'static str {
        "verdict_is_of_this"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let Some(decision) = Decision::of(moment) else { return };
        let (stored, next) = (decision.stored, &decision.plan.status);
        let by_analysis = |status: &Status| {
            status.aborted.as_ref().is_some_and(|aborted| matches!(aborted.why, AbortReason::Analysis(_)))
        };
        if by_analysis(next) && !by_analysis(stored) {
            findings.premise();
            let before = Status { aborted: None, step: next.step, ..next.clone() };
            let bad = roles(&decision, &before)
                .into_iter()
                .any(|role| current(&decision, &before, role).is_some_and(is_bad));
            if !bad {
                findings.broken(|| "it was aborted by the run of another position".into());
            }
        }
    }
}

/// A step with an analysis ends only by a successful run of this attempt that nobody ended, or by a person.
#[derive(Debug, Default)]
pub(super) struct NoEvidenceNoAdvance;

impl Law for NoEvidenceNoAdvance {
    fn name(&self) -> &'static str {
        "no_evidence_no_advance"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let Some(decision) = Decision::of(moment) else { return };
        let (from, to) = (decision.stored, &decision.plan.status);
        let same = from.canary == to.canary && from.step_hash == to.step_hash && from.attempts == to.attempts;
        let under_way = from.stable.is_some() && !from.is_done();
        if !same || !under_way || from.promote_full || to.promote_full || from.aborted.is_some() {
            return;
        }
        let steps = decision.spec.strategy.steps();
        for (index, step) in (0..).zip(steps).filter(|(index, _)| (from.step..to.step).contains(index)) {
            let by_a_person = from.fleet.as_ref().is_some_and(|member| member.ended == Some(index));
            if matches!(step, Step::Analysis(_)) && !by_a_person {
                findings.premise();
                let run = current(&decision, to, RunRole::Step(index));
                if !run.is_some_and(|run| run.phase == Phase::Successful && !run.stopping) {
                    findings.broken(|| format!("step {index} ends, and its analysis says {run:?}"));
                }
            }
        }
    }
}

/// While the background analysis gets no answer, cannot be read or is inconclusive, no weight rises and no managed
/// route is added; unless stable is unavailable.
#[derive(Debug, Default)]
pub(super) struct OutageHolds;

impl Law for OutageHolds {
    fn name(&self) -> &'static str {
        "outage_holds"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let Some(decision) = Decision::of(moment) else { return };
        let status = &decision.plan.status;
        if !roles(&decision, status).contains(&RunRole::Background) {
            return;
        }
        let run = current(&decision, status, RunRole::Background);
        let unknown = decision.observed.runs.is_none();
        let holds = run.is_some_and(|run| {
            run.phase == Phase::Inconclusive || run.is_live() && run.newest == Some(Phase::Error)
        });
        if !unknown && !holds {
            return;
        }
        findings.premise();
        let failover = status.stable.as_ref().is_some_and(|stable| decision.ready(stable).lo() == 0);
        let advanced = decision.stored.canary == status.canary && decision.stored.step < status.step;
        let already = roles(&decision, decision.stored).contains(&RunRole::Background);
        if (decision.raise().is_some() || decision.adds_managed()) && !failover {
            findings.broken(|| format!("the canary gains, and the background analysis says {run:?}"));
        }
        let skipped = decision.stored.step_hash != status.step_hash || status.promote_full;
        if advanced && already && !skipped && decision.stored.attempts == status.attempts {
            findings.broken(|| format!("a step ends, and the background analysis says {run:?}"));
        }
    }
}

/// Once the canary has requests, no weight rises, no managed route is added and no step ends before the run of the
/// background analysis is there; unless stable is unavailable.
#[derive(Debug, Default)]
pub(super) struct RunComesFirst;

impl Law for RunComesFirst {
    fn name(&self) -> &'static str {
        "run_comes_first"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let Some(decision) = Decision::of(moment) else { return };
        let (stored, status) = (decision.stored, &decision.plan.status);
        let same = stored.canary == status.canary
            && stored.step_hash == status.step_hash
            && stored.attempts == status.attempts;
        let counts = |status| roles(&decision, status).contains(&RunRole::Background);
        let known = decision.observed.revisions.is_some() && decision.observed.runs.is_some();
        let is_there = current(&decision, status, RunRole::Background).is_some();
        let Some(canary) = status.canary.as_ref().filter(|_| same && known && !is_there) else { return };
        // A run begins once every object gives the canary a share.
        let has_share = !decision.routes().is_empty()
            && decision.routes().iter().all(|object| object.weight.lo() > 0)
            && decision.leads_to(Destination::Canary) == Some(canary);
        let measurable = decision.ready(canary).lo() > 0 && (!decision.routed() || has_share);
        let steps = decision.spec.strategy.steps().len();
        let at_end = |status: &Status| steps > 0 && status.step as usize >= steps;
        if !counts(stored) || !counts(status) || !measurable || at_end(stored) || at_end(status) {
            return;
        }
        findings.premise();
        let failover = stored.stable.as_ref().is_some_and(|stable| decision.ready(stable).lo() == 0);
        if (decision.raise().is_some() || decision.adds_managed()) && !failover {
            findings.broken(|| "the canary gains, and its background analysis has no run".into());
        }
        if stored.step < status.step {
            findings.broken(|| format!("step {} ends, and the background analysis has no run", stored.step));
        }
    }
}

/// A run begins only for the position that is stored, and once the canary has a ready pod; beside the steps, also a
/// share of the requests.
#[derive(Debug, Default)]
pub(super) struct StartsWithTraffic;

impl Law for StartsWithTraffic {
    fn name(&self) -> &'static str {
        "starts_with_traffic"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let Some(decision) = Decision::of(moment) else { return };
        let starts = decision.plan.actions.iter().filter_map(|action| match action {
            Action::Run(RunChange::Start { id, .. }) => Some(id),
            _ => None,
        });
        for id in starts {
            findings.premise();
            let status = &decision.plan.status;
            if !roles(&decision, status).contains(&id.role) || attempt(status, id.role) != id.attempt {
                findings.broken(|| format!("a run begins for another position: {id:?}"));
            }
            let beside = id.role == RunRole::Background;
            if beside && decision.ready(&id.revision).lo() == 0 {
                findings.broken(|| format!("a run begins for {}, which has no ready pod", id.revision));
            }
            let share =
                decision.routes().iter().any(|object| object.weight.lo() > 0 || !object.managed.is_empty());
            if beside && decision.routed() && !share {
                findings
                    .broken(|| format!("a run begins beside the steps, and {} has no requests", id.revision));
            }
            let leads = decision.leads_to(Destination::Canary);
            if beside && decision.routed() && leads.is_some_and(|leads| *leads != id.revision) {
                findings
                    .broken(|| format!("a run begins for {}, and the requests reach {leads:?}", id.revision));
            }
        }
    }
}

/// A run of another position is told to end by the first decision that sees it, and no other run is.
#[derive(Debug, Default)]
pub(super) struct StoppedRuns;

impl Law for StoppedRuns {
    fn name(&self) -> &'static str {
        "stopped_runs"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let Some(decision) = Decision::of(moment) else { return };
        let Some(runs) = &decision.observed.runs else { return };
        if decision.observed.revisions.is_none() {
            return;
        }
        let status = &decision.plan.status;
        let counts = roles(&decision, status);
        let is_wanted = |run: &RunSeen| {
            counts
                .iter()
                .any(|role| current(&decision, status, *role).is_some_and(|current| current.id == run.id))
        };
        let is_stopped = |name: &Arc<str>| {
            decision.plan.actions.iter().any(
                |action| matches!(action, Action::Run(RunChange::Stop { name: stopped }) if stopped == name),
            )
        };
        // The next turn reads the destinations by their new roles, before a release begins it waits for a window.
        let waits = |reason: &WaitReason| matches!(reason, WaitReason::OutsideWindows);
        let swaps = decision.stored.stable_ping_pong != status.stable_ping_pong;
        if swaps || decision.plan.waiting.iter().any(|waiting| waits(&waiting.reason)) {
            return;
        }
        for run in runs.iter().filter(|run| run.is_live() && !run.stopping) {
            if is_wanted(run) {
                if is_stopped(&run.name) {
                    findings.broken(|| format!("run {} is told to end, and is still wanted", run.name));
                }
            } else {
                findings.premise();
                if !is_stopped(&run.name) {
                    findings.broken(|| format!("run {} is of another position, and goes on", run.name));
                }
            }
        }
    }
}

/// A retry is analysed anew: after it, no run from before counts.
#[derive(Debug, Default)]
pub(super) struct RetryMeasuresAnew {
    before: Option<(Time, Status)>,
}

impl Law for RetryMeasuresAnew {
    fn name(&self) -> &'static str {
        "retry_measures_anew"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let What::Commanded { command, answer: Answer::Accepted { status, .. } } = moment.what else {
            self.before = Some((moment.truth.now, moment.truth.status.clone()));
            return;
        };
        let strategy = &moment.truth.spec.strategy;
        let analysed = strategy.background().is_some()
            || strategy.steps().iter().any(|step| matches!(step, Step::Analysis(_)));
        let before = self.before.as_ref().map(|(_, status)| status.attempts);
        if let Some(before) = before.filter(|_| command.kind == CommandKind::Retry && analysed) {
            findings.premise();
            if status.attempts.step <= before.step || status.attempts.background <= before.background {
                findings.broken(|| format!("after a retry, attempt {before:?} still counts"));
            }
        }
    }
}
