use super::{
    draft::{Closed, Draft, Gate},
    fleet,
    guard::{Guard, off},
    position::Position,
    scale_up::in_use,
    settled::STEP_GRACE,
    view::View,
};
use crate::{
    Action, Revision, RevisionSeen, Time, goal,
    plan::WakeReason,
    traffic::Selection,
    waiting::{Ending, WaitReason},
};
use core::time::Duration;

/// Plans pods down: only in a plan that writes no traffic, when every proxy has routes and selectors; to 0 only after
/// the scale-down deadline.
pub(super) fn scale_down(draft: &mut Draft, at: &Position<'_>) {
    let (roles, strategy) = (&at.roles, &at.view.spec.strategy);
    for seen in at.view.revisions() {
        let revision = Some(&seen.revision);
        if seen.wanted == 0 {
            continue;
        }
        if revision == roles.stable {
            shrink(draft, at, seen, at.desired.stable);
        } else if revision == roles.canary && roles.aborted {
            if let Some(delay) = strategy.abort_scale_down_delay()
                && draft.passes(fleet::canary_may_go(at))
            {
                retire(draft, at, seen, delay);
            }
        } else if revision == roles.canary && roles.stable.is_none() {
            shrink(draft, at, seen, at.desired.canary);
        } else if revision == roles.canary {
            match keep(at) {
                0 if draft.passes(fleet::earlier_pods_may_go(at)) => {
                    retire(draft, at, seen, strategy.old_revision_delay());
                }
                0 => {}
                pods => shrink(draft, at, seen, pods),
            }
        } else if roles.stable.is_some() && draft.passes(fleet::old_pods_may_go(at)) {
            retire(draft, at, seen, old_delay(at, seen));
        }
    }
}

/// Sets scale-down deadlines in a plan that writes traffic. No pods are removed in it, but the delay starts for
/// revisions that neither routes nor selectors lead to any more.
pub(super) fn schedule_only(draft: &mut Draft, at: &Position<'_>) {
    let (view, roles) = (at.view, &at.roles);
    if roles.stable.is_none() {
        return;
    }
    for seen in view.revisions() {
        let has_role = [roles.stable, roles.canary].contains(&Some(&seen.revision));
        if has_role || seen.wanted == 0 || seen.scale_down_deadline.is_some() {
            continue;
        }
        let may_go = fleet::old_pods_may_go(at).is_ok() && settled(at, STEP_GRACE).is_ok();
        if may_go && !led_to(view, &seen.revision) {
            draft.act(scaling_down(view, seen, old_delay(at, seen)));
        }
    }
}

/// Returns how many pods the canary keeps: those for the position, and those for its current weight.
fn keep(at: &Position<'_>) -> u32 {
    let (view, spec) = (at.view, at.view.spec);
    let has_managed = view.seen.routes.iter().any(|object| !object.managed.is_empty());
    let weight = view.weight_at_most();
    let unavailable = !weight.is_none() && at.roles.stable.is_some_and(|stable| view.ready(stable).hi() == 0);
    let everything = if at.desired.failover || unavailable { spec.replicas } else { 0 };
    let needed = goal::pods_for(spec.replicas, weight).min(spec.replicas);
    at.desired.canary.max(u32::from(has_managed)).max(everything).max(needed)
}

/// Reduces the pods, but not to none. Every proxy must know the pods that stay.
fn shrink(draft: &mut Draft, at: &Position<'_>, seen: &RevisionSeen, pods: u32) {
    if seen.wanted <= pods || pods == 0 {
        return;
    }
    let follows = at.roles.stable != Some(&seen.revision) || at.view.spec.strategy.stable_follows_weight();
    let gate = if follows { fleet::earlier_pods_may_go(at) } else { Ok(()) };
    let gate = gate
        .and_then(|()| settled(at, at.view.spec.strategy.scale_down_delay()))
        .and_then(|()| proxies_known(at))
        .and_then(|()| at.endpoints_settled(&seen.revision));
    if off(Guard::DownGate) || draft.passes(gate) {
        draft.act(Action::Scale {
            revision: seen.revision.clone(),
            pods,
            scale_down_deadline: seen.scale_down_deadline,
        });
    }
}

fn retire(draft: &mut Draft, at: &Position<'_>, seen: &RevisionSeen, delay: Duration) {
    let view = at.view;
    let revision = seen.revision.clone();
    if led_to(view, &revision) && !off(Guard::DownGate) {
        return draft.wait(Closed::new(WaitReason::PodsGoing { revision }, Ending::Observed));
    }
    let to = |pods, scale_down_deadline: Option<Time>| Action::Scale {
        revision: seen.revision.clone(),
        pods,
        scale_down_deadline,
    };
    let Some(deadline) = seen.scale_down_deadline else {
        if off(Guard::ScaleDownDeadline) {
            draft.act(to(0, None));
        } else if draft.passes(settled(at, STEP_GRACE)) {
            draft.act(scaling_down(view, seen, delay));
        }
        return;
    };
    if delay.is_zero() && deadline > view.now.ceil_to_second() && !off(Guard::ScaleDownDeadline) {
        // The deadline rests on a delay that it no longer has: newer revisions took its place among those that are kept.
        return draft.act(scaling_down(view, seen, delay));
    }
    let grace = view.spec.strategy.scale_down_delay();
    let gate = settled(at, grace).and_then(|()| proxies_known(at));
    // If the proxies cannot be asked, the grace period may exceed the remaining delay.
    let settled_at = at.all_settled_at(grace);
    let until = settled_at.map_or(deadline, |settled_at| settled_at.max(deadline));
    if until > view.now && settled_at.is_some() {
        let until = until.max(at.proxies_known_at());
        draft.wait(Closed::until(
            WaitReason::ScaleDownDelay { revision },
            None,
            until,
            WakeReason::ScaleDown,
        ));
    } else if draft.passes(gate) {
        draft.act(to(0, None));
    }
}

/// Returns how long a revision without a role keeps its pods: only the newest few are kept at all.
fn old_delay(at: &Position<'_>, seen: &RevisionSeen) -> Duration {
    let (roles, strategy) = (&at.roles, &at.view.spec.strategy);
    let is_newer = |other: &&RevisionSeen| {
        other.wanted > 0
            && other.number > seen.number
            && ![roles.stable, roles.canary].contains(&Some(&other.revision))
    };
    let rank = || at.view.revisions().iter().filter(is_newer).count();
    let is_kept = strategy
        .scale_down_delay_revision_limit
        .is_none_or(|limit| u32::try_from(rank()).is_ok_and(|rank| rank < limit));
    if is_kept || off(Guard::OldPodsLimit) { strategy.old_revision_delay() } else { Duration::ZERO }
}

fn scaling_down(view: &View<'_>, seen: &RevisionSeen, delay: Duration) -> Action {
    let scale_down_deadline = Some((view.now + delay).ceil_to_second());
    Action::Scale { revision: seen.revision.clone(), pods: seen.wanted, scale_down_deadline }
}

/// Returns whether requests may reach this revision, by its own selector or by a user's selector that matches all.
fn led_to(view: &View<'_>, revision: &Revision) -> bool {
    let unpinned = |selection: &Selection| *selection == Selection::Unpinned;
    in_use(view, revision) || view.seen.behind.iter().flat_map(|(_, behind)| behind).any(unpinned)
}

fn proxies_known(at: &Position<'_>) -> Gate {
    if off(Guard::DownGate) { Ok(()) } else { at.proxies_known() }
}

/// The down gate: every proxy must have routes and selectors.
fn settled(at: &Position<'_>, grace: Duration) -> Gate {
    if off(Guard::DownGate) {
        return Ok(());
    }
    at.routes_settled(grace).and_then(|()| at.selectors_settled(grace))
}
