//! The other clusters of the fleet: what they have decided, and how far this one may go.

use super::{
    advance,
    draft::{Closed, Draft, Gate},
    gates,
    guard::{Guard, off},
    position::Position,
    roles::Roles,
    settled::STEP_GRACE,
    view::View,
};
use crate::{
    AbortReason, Event, Observed, Revision, Spec, Status, Time, Waiting,
    fleet::{self, ClusterWait, Inside, Mark, Member, Permit, Progress},
    plan::WakeReason,
    traffic::{Destination, RoutesSeen, Selection},
    waiting::{Ending, EndsBy, WaitReason},
};
use alloc::boxed::Box;

/// Takes over what people have decided in other clusters, and asks how far this one may go.
pub(super) fn ask(status: &mut Status, draft: &mut Draft, view: &mut View<'_>) {
    let (spec, observed, now) = (view.spec, view.observed, view.now);
    let Some(policy) = &spec.fleet else {
        status.fleet = None;
        return;
    };
    if status.fleet.is_none() {
        let leads = observed.traffic.as_ref().is_some_and(|seen| seen.weight().hi() > 0);
        let step = if status.is_done() { 0 } else { status.step };
        status.fleet = Some(Box::new(Member::joining(step, leads)));
    }
    if let (Some(here), Some(peers)) = (Progress::of(spec, status), &observed.peers) {
        follow(status, draft, spec, (&here, peers), (observed, now));
    }
    let Some(here) = Progress::of(spec, status) else { return };
    view.permit_to(match &observed.peers {
        Some(peers) => fleet::permit(policy, &here, peers, now),
        None => Permit { up_to: here.mark, lowest: Mark::Absent, ..Permit::alone() },
    });
}

/// Follows what people have decided in other clusters: an abort, a retry, the end of a pause.
fn follow(
    status: &mut Status,
    draft: &mut Draft,
    spec: &Spec,
    (here, peers): (&Progress, &fleet::Peers),
    (observed, now): (&Observed, Time),
) {
    let Some(policy) = &spec.fleet else { return };
    let decided = peers.decision(here);
    let is_done = status.is_done();
    let Some(member) = status.fleet.as_mut() else { return };
    if is_done {
        // It is done with this release now, whichever time others release it for.
        if member.reached == Mark::Done && decided.attempt.release > member.attempt.release {
            member.attempt = decided.attempt;
        }
        return;
    }
    let Some(stable) = status.stable.clone() else { return };
    if decided.attempt > member.attempt && !status.promote_full && !off(Guard::LaterAttempt) {
        if policy.inside == Inside::LockStep || status.aborted.is_some() || !member.begun {
            member.begin(decided.attempt);
            status.restart();
            if spec.strategy.has_analysis() {
                status.analyse_anew();
            }
        } else {
            // Out of step, others that begin anew do not take this cluster back.
            member.attempt = decided.attempt;
        }
    }
    let Some(member) = status.fleet.as_mut().filter(|member| member.attempt == decided.attempt) else {
        return;
    };
    if policy.follow && !off(Guard::FollowPauses) {
        member.passed = member.passed.max(decided.passed);
    }
    let counts = policy.abort == fleet::Abort::Everywhere && status.aborted.is_none() && !status.promote_full;
    if !counts || observed.is_gone(&stable) || off(Guard::AbortEverywhere) {
        return;
    }
    if let (Some(cluster), Some(revision)) = (peers.aborted_in(here, decided.attempt), status.canary.clone())
    {
        let why = AbortReason::Cluster(cluster.clone());
        status.abort(now, why.clone());
        draft.happened(Event::Aborted { revision, why });
    }
}

/// Records how far this cluster is, and whether its routes may follow the current step.
pub(super) fn advance_mark(status: &mut Status, draft: &mut Draft, view: &View<'_>) {
    let Some(permit) = view.permit() else { return };
    let at = Position::new(status, view);
    let told = status.fleet.as_ref().and_then(|member| member.leads_to.as_ref());
    let leads_to = match leads_to(&at, told.is_some()) {
        Ok(leads_to) => leads_to.cloned(),
        Err(closed) => {
            draft.wait(closed);
            told.cloned()
        }
    };
    let reached = status.fleet.as_ref().map(|member| member.reached);
    let under_way = at.roles.under_way;
    let here = if under_way { here(&at, draft) } else { at_rest(&at, reached, draft) };
    let Some(member) = status.fleet.as_mut() else { return };
    member.leads_to = leads_to;
    if let Some(here) = here {
        member.reach(here, view.now);
    }
    let is_ready = under_way && !status.promote_full && member.reached >= Mark::Ready(status.step);
    if !is_ready || member.may_route == Some(status.step) {
        return;
    }
    if permit.up_to >= Mark::Routed(status.step) || off(Guard::PodsInEveryCluster) {
        member.may_route = Some(status.step);
    } else {
        draft.wait(waits(member, permit));
    }
}

/// Returns whether the routes stay those of the step before: the pods of the current one come first, in every cluster.
pub(super) fn is_held(status: &Status, view: &View<'_>) -> bool {
    view.permit().is_some()
        && !status.promote_full
        && status.fleet.as_ref().is_some_and(|member| member.may_route != Some(status.step))
        && Roles::of(status).under_way
}

/// Returns the position whose routes are kept meanwhile: that of the last step which the routes were allowed to follow.
pub(super) fn routed_before(status: &Status) -> Option<Status> {
    let step = status.fleet.as_ref()?.may_route?;
    Some(Status { step, ..status.clone() })
}

/// Checks that the step after the current one may begin, or that the update may end.
pub(super) fn next_may_begin(status: &Status, view: &View<'_>) -> Gate {
    let (Some(member), Some(permit)) = (&status.fleet, view.permit()) else { return Ok(()) };
    let next = Mark::Routed(status.step).next();
    let may = permit.up_to >= next || off(Guard::StepsTogether);
    if status.promote_full {
        return Ok(());
    }
    if member.may_route == Some(status.step) && member.reached < Mark::Routed(status.step) {
        // What this cluster itself waits for is recorded with its mark.
        return Err(Closed::new(WaitReason::CarryingOut, Ending::Observed));
    }
    if may && member.reached >= Mark::Routed(status.step) { Ok(()) } else { Err(waits(member, permit)) }
}

/// Returns the status to plan for while a release that has not begun waits for earlier clusters: as if it were not
/// wanted yet.
pub(super) fn before_release(status: &mut Status, draft: &mut Draft, view: &View<'_>) -> Option<Status> {
    let permit = view.permit()?;
    if status.canary.is_none() || status.stable.is_none() || !Roles::of(status).under_way {
        return None;
    }
    let promoted = status.promote_full;
    let member = status.fleet.as_mut().filter(|member| !member.begun)?;
    let mut soaks = !permit.soak.is_zero() && !off(Guard::Soak) && !promoted;
    if permit.up_to < Mark::Ready(0) && !promoted && !off(Guard::WavesInOrder) {
        draft.wait(waits(member, permit));
        soaks = true;
    } else if soaks {
        let since = *member.soaks_since.get_or_insert(view.now.ceil_to_second());
        let at = since + permit.soak;
        soaks = at > view.now;
        if soaks {
            draft.wait(Closed::until(WaitReason::Soak, Some(since), at, WakeReason::SoakEnds));
        }
    }
    member.begun = !soaks;
    if member.begun {
        return None;
    }
    let mut before = status.clone();
    before.canary.clone_from(&status.stable);
    Some(before)
}

/// Checks that no cluster can go back to the old revision any more, so that its pods may go.
pub(super) fn old_pods_may_go(at: &Position<'_>) -> Gate {
    kept_until(at, Mark::Done, Guard::OldPodsForOthers)
}

/// Checks that every cluster routes as the current step says, so that pods may go that only an earlier one needed.
pub(super) fn earlier_pods_may_go(at: &Position<'_>) -> Gate {
    if !at.roles.under_way {
        return Ok(());
    }
    if at.status.promote_full {
        return old_pods_may_go(at);
    }
    kept_until(at, Mark::Routed(at.status.step), Guard::EarlierPodsForOthers)
}

fn kept_until(at: &Position<'_>, mark: Mark, guard: Guard) -> Gate {
    match at.view.permit() {
        Some(permit) if permit.lowest < mark && !off(guard) => {
            Err(kept(permit.behind.as_ref().map(|wait| wait.needs(mark))))
        }
        _ => Ok(()),
    }
}

/// Checks that no cluster sends requests to an aborted canary any more.
pub(super) fn canary_may_go(at: &Position<'_>) -> Gate {
    let Some(permit) = at.view.permit().filter(|_| !off(Guard::CanaryForOthers)) else { return Ok(()) };
    let is_unknown = at.view.observed.peers.is_none();
    if is_unknown || permit.holds_canary.is_some() { Err(kept(permit.holds_canary.clone())) } else { Ok(()) }
}

/// How far a cluster is at its step, as far as the observation shows it; records what it waits for itself.
fn here(at: &Position<'_>, draft: &mut Draft) -> Option<Mark> {
    let status = at.status;
    let canary = at.roles.canary?;
    let member = status.fleet.as_ref()?;
    let has_ended = status.has_ended_step();
    if !has_ended && member.reached < Mark::Ready(status.step) {
        let gate = has_pods(at, canary);
        draft.reaches(gate).then_some(())?;
    }
    if member.may_route != Some(status.step) {
        return Some(Mark::Ready(status.step));
    }
    let is_routed = member.reached >= Mark::Routed(status.step)
        || status.promote_full
        || has_ended
        || draft.reaches(has_pods(at, canary).and_then(|()| advance::proxies_follow(at)));
    Some(if is_routed { Mark::Routed(status.step) } else { Mark::Ready(status.step) })
}

/// Checks that the pods are there that the step needs, and that the canary destination leads to them.
fn has_pods(at: &Position<'_>, canary: &Revision) -> Gate {
    let view = at.view;
    match advance::step_of(at.status, view) {
        Some(step) => advance::pods(at, step, canary)?,
        None => advance::all_pods(at, canary)?,
    }
    if view.spec.strategy.routing().is_none() || !at.leads {
        return Ok(());
    }
    gates::available(view, canary, 1)?;
    if view.canary_leads_to(canary) {
        return Ok(());
    }
    Err(gates::elsewhere(view, Destination::Canary))
}

/// A cluster is done when its revision is stable, nothing depends on the canary destination any more, and every proxy
/// knows.
fn at_rest(at: &Position<'_>, reached: Option<Mark>, draft: &mut Draft) -> Option<Mark> {
    let is_done = at.status.is_done() && at.status.canary.as_ref() == Some(&at.view.spec.target);
    let stable = at.roles.stable.filter(|_| is_done && reached < Some(Mark::Done))?;
    if at.view.spec.strategy.routing().is_some() {
        let is_written = at.desired.is_written(&at.roles, at.view).is_ok();
        let settled = is_written && draft.passes(at.routes_settled(STEP_GRACE));
        settled.then_some(())?;
    }
    at.view.stable_leads_to(stable).then_some(Mark::Done)
}

/// Returns the revision to which requests may go besides stable. Routes that lead nowhere else any more still count until
/// every proxy has them. The traffic is known here: steps advance only then.
fn leads_to<'v>(at: &Position<'v>, is_told: bool) -> Result<Option<&'v Revision>, Closed> {
    let view = at.view;
    if view.seen.routes.iter().any(RoutesSeen::leads_to_canary) {
        let behind = view.seen.behind.canary.iter().filter_map(Selection::revision);
        return Ok(behind.into_iter().find(|revision| Some(*revision) != at.roles.stable));
    }
    if is_told {
        at.routes_settled(STEP_GRACE)?;
    }
    Ok(None)
}

fn waits(member: &Member, permit: &Permit) -> Closed {
    let Some(wait) = permit.waiting.clone() else {
        let ends = EndsBy::Event(Ending::Readable);
        return Closed { waiting: Waiting::new(WaitReason::ClustersUnknown, member.since, ends), wake: None };
    };
    let reason = WaitReason::OtherCluster(Box::new(wait));
    if let Some(at) = permit.decide_at {
        return Closed::until(reason, member.since, at, WakeReason::ClusterFails);
    }
    let ends = EndsBy::Event(Ending::ClusterFollows);
    Closed { waiting: Waiting::new(reason, member.since, ends), wake: None }
}

fn kept(wait: Option<ClusterWait>) -> Closed {
    match wait {
        Some(wait) => Closed::new(WaitReason::KeptForCluster(Box::new(wait)), Ending::NotNeededElsewhere),
        None => Closed::new(WaitReason::ClustersUnknown, Ending::Readable),
    }
}
