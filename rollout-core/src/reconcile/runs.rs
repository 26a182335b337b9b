//! Which runs of analyses to begin, to end and to delete.

use super::{
    draft::Draft,
    fleet, gates,
    guard::{Guard, off},
    position::Position,
    settled::STEP_GRACE,
    verdict::{run_of, wanted},
    view::View,
};
use crate::{
    Action, Status,
    action::RunChange,
    analysis::{Phase, RunRole, RunSeen},
};

/// Begins the runs that the position waits for, once their traffic is there, and ends all others.
///
/// While a release waits for a window, none begins.
pub(super) fn plan_runs(draft: &mut Draft, status: &Status, view: &View<'_>, waits: bool) {
    let Some(runs) = &view.observed.runs else { return };
    if runs.is_empty() && !view.spec.strategy.has_analysis() {
        return;
    }
    let wanted = wanted(status, view);
    let is_wanted = |run: &RunSeen| wanted.iter().flatten().any(|(id, _)| *id == run.id);
    let stays = |run: &RunSeen| is_wanted(run) && !off(Guard::WantedRunsStay);
    for run in runs.iter().filter(|run| run.is_live() && !run.stopping && !stays(run)) {
        if !off(Guard::OldRunsEnd) {
            draft.act(Action::Run(RunChange::Stop { name: run.name.clone() }));
        }
    }
    let holds = waits || draft.writes_traffic() || view.spec.paused || !view.knows_traffic();
    for (id, analysis) in wanted.iter().flatten() {
        let begins = run_of(runs, id).is_none() && !holds && may_begin(id.role, status, view);
        if begins {
            draft.act(Action::Run(RunChange::Start { id: id.clone(), analysis: (*analysis).clone() }));
        }
    }
    if draft.actions.is_empty() {
        prune(draft, view, runs.iter().rev().filter(|run| !run.is_live() && !is_wanted(run)));
    }
}

/// Deletes those of these runs, the newest first, that are beyond the history limits, or whose revision is gone.
fn prune<'v>(draft: &mut Draft, view: &View<'_>, over: impl Iterator<Item = &'v RunSeen>) {
    let (successful, others) = view.spec.runs_kept;
    let mut kept = [(Phase::Successful, successful), (Phase::Failed, others)];
    for run in over {
        let [good, bad] = &mut kept;
        let (_, left) = if run.phase == good.0 { good } else { bad };
        let is_gone = view.observed.revisions.is_some() && view.revision(&run.id.revision).is_none();
        if *left == 0 || is_gone {
            draft.act(Action::Run(RunChange::Prune { name: run.name.clone() }));
        } else {
            *left -= 1;
        }
    }
}

/// Returns whether the canary has what is to be measured: for a step, its pods and routes as the step wants them; beside
/// the steps, a share of the requests.
pub(super) fn may_begin(role: RunRole, status: &Status, view: &View<'_>) -> bool {
    let at = Position::new(status, view);
    let Some(canary) = at.roles.canary else { return false };
    if off(Guard::StartGate) {
        return true;
    }
    let routed = view.spec.strategy.routing().is_some();
    match role {
        RunRole::Step(_) => {
            // Other clusters may not have the step yet.
            if fleet::is_held(status, view) {
                return false;
            }
            let there = gates::available(view, canary, at.goal.canary.min(1));
            let written = |()| if routed { at.desired.is_written(&at.roles, view) } else { Ok(()) };
            let settled = |()| if routed { at.routes_settled(STEP_GRACE) } else { Ok(()) };
            there.and_then(written).and_then(settled).is_ok()
        }
        RunRole::Background => {
            // A rollback within the window skips all steps, and nothing is measured. A run that goes on is judged.
            let steps = view.spec.strategy.steps().len();
            if steps > 0 && status.step as usize >= steps {
                return false;
            }
            let managed = view.seen.routes.iter().any(|object| !object.managed.is_empty());
            let served = !routed
                || off(Guard::RequestsFirst)
                || (view.seen.weight().lo() > 0 || managed) && view.canary_leads_to(canary);
            served && view.ready(canary).lo() > 0
        }
    }
}
