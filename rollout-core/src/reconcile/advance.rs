use super::{
    basic,
    desired::Desired,
    draft::{Closed, Draft, Gate},
    gates,
    roles::Roles,
    target,
    view::{STEP_DWELL, View},
};
use crate::{
    CommandKind, EndsBy, Event, Revision, Status, Step, Time, WaitReason, Waiting, WakeReason, goal,
};
use alloc::vec;
use core::time::Duration;

/// How far the observation lets the steps go, until nothing more is reached.
pub(super) fn advance_steps(draft: &mut Draft, view: &View<'_>) {
    let target_waits = draft.status.canary.as_ref() != Some(&view.spec.target);
    if view.spec.paused && (target_waits || !draft.status.is_done()) {
        let ends = EndsBy::Command(vec![CommandKind::Resume, CommandKind::Promote, CommandKind::Abort]);
        return draft
            .wait(Closed { waiting: Waiting::new(WaitReason::PausedByUser, None, ends), wake: None });
    }
    if !view.knows_traffic() {
        return;
    }
    let steps = view.spec.strategy.steps().len();
    for _ in 0..steps.saturating_add(3) {
        if !once(draft, view) {
            break;
        }
    }
}

/// One advance; whether there was one.
fn once(draft: &mut Draft, view: &View<'_>) -> bool {
    let status = draft.status.clone();
    let roles = Roles::of(&status);
    let Some(canary) = roles.canary else { return false };
    if roles.stable.is_none() {
        return first(draft, view, &status, canary);
    }
    if !roles.under_way {
        return false;
    }
    let steps = view.spec.strategy.steps();
    let len = u32::try_from(steps.len()).unwrap_or(u32::MAX);
    if (status.promote_full && status.step < len) || status.step > len {
        draft.status.step = len;
        draft.status.paused_at = None;
        return true;
    }
    let Some(step) = usize::try_from(status.step).ok().and_then(|index| steps.get(index)) else {
        let desired = Desired::at(&status, &roles, view);
        let done = all_pods(&status, canary, view).and_then(|()| there(&status, &roles, &desired, view));
        return draft.reaches(done) && commit(draft, view);
    };
    if let Step::Pause(duration) = step {
        return pause(draft, view, *duration, step);
    }
    let desired = Desired::at(&status, &roles, view);
    let done = pods(&status, step, canary, view).and_then(|()| there(&status, &roles, &desired, view));
    if !draft.reaches(done) {
        return false;
    }
    complete(draft, view, step);
    true
}

/// A first deploy is done when all pods are there, and every proxy has them.
fn first(draft: &mut Draft, view: &View<'_>, status: &Status, canary: &Revision) -> bool {
    match all_pods(status, canary, view).and_then(|()| view.lone_endpoints_settled(status, canary)) {
        Ok(None) => commit(draft, view),
        Ok(Some(behind)) => {
            draft.happened(Event::Unconfirmed { revision: canary.clone(), behind: behind.to_vec() });
            commit(draft, view)
        }
        Err(closed) => draft.reaches(Err(closed)),
    }
}

fn pause(draft: &mut Draft, view: &View<'_>, duration: Option<Duration>, step: &Step) -> bool {
    let begun = draft.status.paused_at;
    let since = begun.unwrap_or_else(|| view.now.ceil_to_second());
    let until: Option<Time> = duration.map(|duration| since + duration);
    if begun.is_none() {
        draft.status.paused_at = Some(since);
        draft.happened(Event::Paused { until });
    }
    if let Some(until) = until.filter(|until| *until > view.now) {
        draft.wait(Closed::until(WaitReason::Pause, Some(since), until, WakeReason::PauseEnds));
        return false;
    }
    if until.is_none() {
        let ends = EndsBy::Command(vec![CommandKind::Promote, CommandKind::PromoteFull, CommandKind::Abort]);
        draft.wait(Closed { waiting: Waiting::new(WaitReason::Pause, Some(since), ends), wake: None });
        return false;
    }
    draft.happened(Event::Resumed);
    complete(draft, view, step);
    true
}

fn complete(draft: &mut Draft, view: &View<'_>, step: &Step) {
    let of = u32::try_from(view.spec.strategy.steps().len()).unwrap_or(u32::MAX);
    draft.happened(Event::StepCompleted { step: draft.status.step, of, what: step.clone() });
    draft.status.next_step();
}

/// The canary carries everything: from now on it is stable.
fn commit(draft: &mut Draft, view: &View<'_>) -> bool {
    let Some(canary) = draft.status.canary.clone() else { return false };
    let before = draft.status.stable.replace(canary.clone());
    target::rest(&mut draft.status, u32::try_from(view.spec.strategy.steps().len()).unwrap_or(u32::MAX));
    draft.happened(Event::Completed { revision: canary, before });
    true
}

fn all_pods(status: &Status, canary: &Revision, view: &View<'_>) -> Gate {
    let by_ratio = view.spec.strategy.routing().is_none();
    let all = if by_ratio { basic::canary_pods(view, status) } else { view.spec.replicas };
    gates::available(view, canary, goal::enough_of(&view.spec.strategy, all).max(1))
}

/// Whether the pods are there that this step asks for.
fn pods(status: &Status, step: &Step, canary: &Revision, view: &View<'_>) -> Gate {
    let goal = goal::at(view.spec, status);
    if view.spec.strategy.routing().is_none() {
        return basic::is_reached(view, status, goal);
    }
    let wanted = match step {
        Step::SetWeight(weight) => goal::pods_for(view.spec, *weight).min(goal.canary),
        Step::SetCanaryScale(_) => goal.canary,
        Step::Pause(_) | Step::SetHeaderRoute { .. } | Step::SetMirrorRoute { .. } => 0,
    };
    gates::available(view, canary, goal::enough_of(&view.spec.strategy, wanted))
}

/// Whether every proxy splits requests as the position wants. A step that cannot be honoured because stable
/// is dark counts as reached at its weight or above.
fn there(status: &Status, roles: &Roles<'_>, desired: &Desired, view: &View<'_>) -> Gate {
    if view.spec.strategy.routing().is_none() {
        return Ok(());
    }
    desired.is_written(roles, view)?;
    view.routes_settled(status, STEP_DWELL)
}
