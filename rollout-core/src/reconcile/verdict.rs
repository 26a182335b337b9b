//! What analyses say about the position: runs in, verdicts out.

use super::{
    draft::{Closed, Draft, Gate},
    guard::{Guard, off},
    roles::Roles,
    runs::may_begin,
    view::View,
};
use crate::{
    AbortReason, CommandKind, Event, Status, Step, Waiting,
    analysis::{Phase, RunId, RunRole, RunSeen},
    strategy::Analysis,
    waiting::{Ending, EndsBy, WaitReason},
};
use alloc::{format, sync::Arc, vec};

/// What one analysis says.
enum Verdict<'v> {
    Good,
    Bad(&'v RunSeen),
    Unsure(&'v RunSeen),
    NotYet(Option<&'v RunSeen>),
    Unknown,
}

/// The analyses that count at a position: of the current step, and beside the steps.
pub(super) fn wanted<'a>(status: &Status, view: &View<'a>) -> [Option<(RunId, &'a Arc<Analysis>)>; 2] {
    let strategy = &view.spec.strategy;
    let roles = Roles::of(status);
    let counts = roles.under_way && !status.promote_full && !status.scaled_to_zero;
    let Some(canary) = roles.canary.filter(|_| counts) else {
        return [None, None];
    };
    let id = |role, attempt| RunId::new(canary.clone(), strategy.step_hash.clone(), role, attempt);
    let step = usize::try_from(status.step).ok().and_then(|index| strategy.steps().get(index));
    // In a fleet, a step that a person has skipped may still wait for other clusters.
    let of_step = match step.filter(|_| !status.has_ended_step()) {
        Some(Step::Analysis(analysis)) => {
            Some((id(RunRole::Step(status.step), status.attempts.step), analysis))
        }
        _ => None,
    };
    let has_begun = |starting_step| status.step >= starting_step || off(Guard::StartingStep);
    let beside = strategy.background().filter(|background| has_begun(background.starting_step));
    let beside =
        beside.map(|background| (id(RunRole::Background, status.attempts.background), &background.analysis));
    [of_step, beside]
}

/// Returns the run with exactly this identity.
pub(super) fn run_of<'v>(runs: &'v [RunSeen], id: &RunId) -> Option<&'v RunSeen> {
    if off(Guard::VerdictOfThis) {
        return runs.iter().rev().find(|run| run.id.role == id.role);
    }
    runs.iter().rev().find(|run| run.id == *id)
}

fn verdict<'v>(view: &View<'v>, id: &RunId) -> Verdict<'v> {
    let Some(runs) = &view.observed.runs else { return Verdict::Unknown };
    let Some(run) = run_of(runs, id) else { return Verdict::NotYet(None) };
    match run.phase {
        Phase::Successful if run.is_unsure() => Verdict::Unsure(run),
        Phase::Inconclusive => Verdict::Unsure(run),
        Phase::Successful => Verdict::Good,
        Phase::Failed | Phase::Error => Verdict::Bad(run),
        Phase::Pending | Phase::Running => Verdict::NotYet(Some(run)),
    }
}

/// Aborts the update if an analysis found it bad. If stable no longer exists, there is nothing to go back to.
pub(super) fn judge(status: &mut Status, draft: &mut Draft, view: &View<'_>) {
    // Only a run can be bad.
    let any = view.observed.runs.as_ref().is_some_and(|runs| !runs.is_empty());
    if !any || off(Guard::BadAborts) {
        return;
    }
    for (id, _) in wanted(status, view).into_iter().flatten() {
        let Verdict::Bad(run) = verdict(view, &id) else { continue };
        let (Some(stable), Some(revision)) = (&status.stable, status.canary.clone()) else { return };
        if view.is_gone(stable) {
            continue;
        }
        let kind = if id.role == RunRole::Background { "Background" } else { "Step-based" };
        let message = format!("{kind} analysis phase error/failed: {}", run.message);
        let why = AbortReason::Analysis(message.into());
        status.abort(view.now, why.clone());
        draft.happened(Event::Aborted { revision, why });
        return;
    }
}

/// Checks that the current step's own analysis was successful.
pub(super) fn of_step(status: &Status, view: &View<'_>) -> Gate {
    let [Some((id, _)), _] = wanted(status, view) else { return Ok(()) };
    match verdict(view, &id) {
        Verdict::Good => Ok(()),
        _ if off(Guard::NoEvidence) => Ok(()),
        Verdict::NotYet(run) => Err(not_yet(id.role, run)),
        other @ (Verdict::Bad(_) | Verdict::Unsure(_) | Verdict::Unknown) => held(&other),
    }
}

/// Checks that the background analysis does not block the end of a step or a higher weight.
pub(super) fn beside(status: &Status, view: &View<'_>) -> Gate {
    if view.spec.strategy.background().is_none() {
        return Ok(());
    }
    let [_, Some((id, _))] = wanted(status, view) else { return Ok(()) };
    match verdict(view, &id) {
        Verdict::Good => Ok(()),
        // Without a run there is no evidence: it may be refused.
        Verdict::NotYet(None) if !may_begin(id.role, status, view) => Ok(()),
        Verdict::NotYet(None) if off(Guard::RunFirst) => Ok(()),
        Verdict::NotYet(None) => Err(not_yet(id.role, None)),
        Verdict::NotYet(Some(run)) if run.newest != Some(Phase::Error) || off(Guard::OutageHolds) => Ok(()),
        Verdict::Unknown if off(Guard::UnreadableHolds) => Ok(()),
        Verdict::Unsure(_) if off(Guard::UnsureHolds) => Ok(()),
        Verdict::Bad(_) if off(Guard::BadAborts) => Ok(()),
        Verdict::NotYet(Some(run)) => {
            let reason = WaitReason::AnalysisUnanswered {
                run: run.name.clone(),
                metric: run.metric.clone().map(Into::into),
            };
            Err(Closed::new(reason, Ending::AnalysisAnswered))
        }
        other @ (Verdict::Bad(_) | Verdict::Unsure(_) | Verdict::Unknown) => held(&other),
    }
}

fn held(verdict: &Verdict<'_>) -> Gate {
    Err(match verdict {
        Verdict::Unsure(run) => {
            let reason = WaitReason::AnalysisInconclusive {
                run: run.name.clone(),
                metric: run.metric.clone().map(Into::into),
            };
            let ends = EndsBy::Command(vec![CommandKind::Resume, CommandKind::Promote, CommandKind::Abort]);
            Closed { waiting: Waiting::new(reason, None, ends), wake: None }
        }
        // It would have been aborted, if there were a stable revision to go back to.
        Verdict::Bad(run) => {
            let reason = WaitReason::AnalysisBad { run: run.name.clone(), message: run.message.clone() };
            let ends = EndsBy::Command(vec![CommandKind::PromoteFull, CommandKind::Skip]);
            Closed { waiting: Waiting::new(reason, None, ends), wake: None }
        }
        Verdict::Unknown | Verdict::Good | Verdict::NotYet(_) => {
            Closed::new(WaitReason::RunsUnknown, Ending::Readable)
        }
    })
}

fn not_yet(role: RunRole, run: Option<&RunSeen>) -> Closed {
    let reason = WaitReason::Analysis {
        role,
        run: run.map(|run| run.name.clone()),
        metric: run.and_then(|run| run.metric.clone()).map(Into::into),
    };
    Closed::new(reason, Ending::AnalysisOver)
}

/// Returns the roles whose analysis is inconclusive and waits for a person.
pub(crate) fn inconclusive(status: &Status, view: &View<'_>) -> [bool; 2] {
    wanted(status, view)
        .map(|wanted| wanted.is_some_and(|(id, _)| matches!(verdict(view, &id), Verdict::Unsure(_))))
}

/// Returns the runs of the current analyses, as far as there are any.
pub(super) fn current<'v>(status: &Status, view: &View<'v>) -> [Option<&'v RunSeen>; 2] {
    let runs = view.observed.runs.as_deref().unwrap_or_default();
    wanted(status, view).map(|wanted| wanted.and_then(|(id, _)| run_of(runs, &id)))
}
