use super::{
    basic,
    draft::{Closed, Draft, Gate},
    fleet, gates,
    guard::{Guard, off},
    position::Position,
    roles::Roles,
    settled::STEP_GRACE,
    target, verdict,
    view::View,
    windows,
};
use crate::{
    CommandKind, Event, Revision, Status, Step, Time, Waiting, goal,
    pace::Opening,
    plan::WakeReason,
    waiting::{EndsBy, WaitReason},
};
use alloc::{string::String, vec, vec::Vec};
use core::time::Duration;

/// One advance of the rollout that an observation allows.
enum Advance {
    /// The remaining steps are skipped, or the list of steps became shorter.
    PastTheSteps,
    /// A pause begins.
    Pause { since: Time, until: Option<Time> },
    /// A pause is over, and the other clusters are waited for.
    PauseEnds,
    /// A step is complete.
    Complete { paused: bool },
    /// The canary carries all traffic; some proxies may not have confirmed it.
    Commit { behind: Option<Vec<String>> },
}

/// Advances the steps as far as the observation allows.
pub(super) fn advance_steps(status: &mut Status, draft: &mut Draft, view: &View<'_>) {
    if is_paused_by_user(status, draft, view) {
        return;
    }
    if !view.knows_traffic() {
        return;
    }
    // A pause needs two advances: its beginning and its end.
    let at_most = view.spec.strategy.steps().len().saturating_mul(2).saturating_add(3);
    for _ in 0..at_most {
        if view.permit().is_some() {
            fleet::advance_mark(status, draft, view);
        }
        let Some(advance) = next(status, draft, view) else { break };
        carry_out(advance, status, draft, view);
    }
}

/// Returns whether the user paused the rollout, and records that.
pub(super) fn is_paused_by_user(status: &Status, draft: &mut Draft, view: &View<'_>) -> bool {
    let target_waits = status.canary.as_ref() != Some(&view.spec.target);
    let is_paused = view.spec.paused && (target_waits || !status.is_done());
    if is_paused {
        let ends = EndsBy::Command(vec![CommandKind::Resume, CommandKind::Promote, CommandKind::Abort]);
        draft.wait(Closed { waiting: Waiting::new(WaitReason::PausedByUser, None, ends), wake: None });
    }
    is_paused
}

/// Returns the next advance; if there is none, records in the draft what the rollout is waiting for.
fn next(status: &Status, draft: &mut Draft, view: &View<'_>) -> Option<Advance> {
    let roles = Roles::of(status);
    if roles.stable.is_none() {
        return first(draft, &Position::new(status, view));
    }
    if !roles.under_way {
        return None;
    }
    let steps = view.spec.strategy.steps();
    if status.step != len(steps) && status.is_past(steps) {
        return Some(Advance::PastTheSteps);
    }
    let step = step_of(status, view);
    if status.has_ended_step() {
        let by_a_person = status.fleet.as_ref().is_some_and(|member| member.is_passed(status.step));
        // The windows come last: while anything else holds, nobody asks whether they are open.
        let may_end = draft.passes(verdict::beside(status, view))
            && draft.reaches(fleet::next_may_begin(status, view))
            && (by_a_person || draft.passes(windows::next_may_begin(status, view)));
        return may_end.then_some(Advance::Complete { paused: false });
    }
    if let Some(Step::Pause(duration)) = step {
        return pause(status, draft, view, *duration);
    }
    let at = Position::new(status, view);
    let canary = at.roles.canary?;
    let pods = step.map_or_else(|| all_pods(&at, canary), |step| pods(&at, step, canary));
    let reached = draft.reaches(pods.and_then(|()| proxies_follow(&at)));
    let supported = reached && draft.passes(verdict::beside(status, view));
    if step.is_none() {
        let may_end = supported && draft.reaches(fleet::next_may_begin(status, view));
        return may_end.then_some(Advance::Commit { behind: None });
    }
    let may_go_on = supported
        && draft.passes(verdict::of_step(status, view))
        && draft.reaches(fleet::next_may_begin(status, view))
        && draft.passes(windows::next_may_begin(status, view));
    may_go_on.then_some(Advance::Complete { paused: false })
}

/// Completes a first deploy when all pods are available and every proxy has them.
fn first(draft: &mut Draft, at: &Position<'_>) -> Option<Advance> {
    let canary = at.roles.canary?;
    match all_pods(at, canary).and_then(|()| at.lone_endpoints_settled(canary)) {
        Ok(behind) => Some(Advance::Commit { behind: behind.map(<[String]>::to_vec) }),
        Err(closed) => {
            draft.wait(closed);
            None
        }
    }
}

fn pause(status: &Status, draft: &mut Draft, view: &View<'_>, duration: Option<Duration>) -> Option<Advance> {
    if status.fleet.as_ref().is_some_and(|member| member.is_passed(status.step)) {
        return Some(Advance::PauseEnds);
    }
    // A pause lasts until the next step may begin.
    let until = |since: Time| match duration.map(|duration| since + duration) {
        Some(end) => match windows::next_opening(status, view, end) {
            Opening::Now => Some(end),
            Opening::At(later) => Some(later),
            Opening::Never => None,
        },
        None => None,
    };
    let Some(since) = status.paused_at else {
        let since = view.now.ceil_to_second();
        return Some(Advance::Pause { since, until: until(since) });
    };
    match until(since) {
        Some(until) if until <= view.now => {
            let may_end = draft.passes(verdict::beside(status, view))
                && draft.passes(windows::next_may_begin(status, view));
            let goes_on =
                if status.fleet.is_some() { Advance::PauseEnds } else { Advance::Complete { paused: true } };
            return may_end.then_some(goes_on);
        }
        Some(until) => {
            draft.wait(Closed::until(WaitReason::Pause, Some(since), until, WakeReason::PauseEnds));
        }
        None => {
            let ends =
                EndsBy::Command(vec![CommandKind::Promote, CommandKind::PromoteFull, CommandKind::Abort]);
            draft.wait(Closed { waiting: Waiting::new(WaitReason::Pause, Some(since), ends), wake: None });
        }
    }
    None
}

fn carry_out(advance: Advance, status: &mut Status, draft: &mut Draft, view: &View<'_>) {
    let steps = view.spec.strategy.steps();
    match advance {
        Advance::PastTheSteps => {
            status.step = len(steps);
            status.paused_at = None;
        }
        Advance::Pause { since, until } => {
            status.paused_at = Some(since);
            draft.happened(Event::Paused { until });
        }
        Advance::PauseEnds => {
            if status.paused_at.take().is_some() {
                draft.happened(Event::Resumed);
            }
            if let Some(member) = &mut status.fleet {
                member.ended = Some(status.step);
            }
        }
        Advance::Complete { paused } => {
            if paused {
                draft.happened(Event::Resumed);
            }
            let what = usize::try_from(status.step).ok().and_then(|index| steps.get(index)).cloned();
            if let Some(what) = what {
                draft.happened(Event::StepCompleted { step: status.step, of: len(steps), what });
            }
            status.next_step();
        }
        Advance::Commit { behind } => {
            let Some(revision) = status.canary.clone() else { return };
            if let Some(behind) = behind {
                draft.happened(Event::Unconfirmed { revision: revision.clone(), behind });
            }
            let before = status.stable.replace(revision.clone());
            if view.spec.strategy.ping_pong() && !off(Guard::RolesSwap) {
                let now = status.stable_ping_pong.unwrap_or_default();
                // The canary's Service becomes stable's; in a first deploy there is only stable.
                status.stable_ping_pong = Some(if before.is_some() { now.other() } else { now });
            }
            target::rest(status, len(steps));
            draft.happened(Event::Completed { revision, before });
        }
    }
}

/// Returns the current step; `None` past the last one.
pub(super) fn step_of<'a>(status: &Status, view: &View<'a>) -> Option<&'a Step> {
    let index = usize::try_from(status.step).ok()?;
    view.spec.strategy.steps().get(index)
}

fn len(steps: &[Step]) -> u32 {
    u32::try_from(steps.len()).unwrap_or(u32::MAX)
}

/// Checks that the canary has all the pods it will have as stable.
pub(super) fn all_pods(at: &Position<'_>, canary: &Revision) -> Gate {
    let by_ratio = at.view.spec.strategy.routing().is_none();
    let all = if by_ratio { basic::wanted(at).canary } else { at.view.spec.replicas };
    gates::available(at.view, canary, goal::enough_of(&at.view.spec.strategy, all).max(1))
}

/// Checks that the pods that this step asks for are available.
pub(super) fn pods(at: &Position<'_>, step: &Step, canary: &Revision) -> Gate {
    if at.view.spec.strategy.routing().is_none() {
        return basic::is_reached(at);
    }
    let wanted = match step {
        Step::SetWeight(weight) => {
            goal::pods_for(at.view.spec.replicas, at.view.spec.strategy.weight(*weight)).min(at.goal.canary)
        }
        Step::SetCanaryScale(_) => at.goal.canary,
        Step::Analysis(_) => at.goal.canary.min(1),
        Step::Pause(_) | Step::SetHeaderRoute { .. } | Step::SetMirrorRoute { .. } => 0,
    };
    gates::available(at.view, canary, goal::enough_of(&at.view.spec.strategy, wanted))
}

/// Checks that every proxy splits requests as the position wants. A step that cannot be honoured because stable is
/// unavailable counts as reached at its weight or above.
pub(super) fn proxies_follow(at: &Position<'_>) -> Gate {
    if at.view.spec.strategy.routing().is_none() {
        return Ok(());
    }
    at.desired.is_written(&at.roles, at.view)?;
    at.routes_settled(STEP_GRACE)
}
