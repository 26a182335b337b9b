use super::{
    desire::Desire,
    draft::{Closed, Draft, Gate},
    gates,
    roles::Roles,
    selectors,
    view::View,
};
use crate::{
    Action, Ending, Fenceposts, Revision, RevisionSeen, Status, WaitReason,
    goal::{self, Goal},
};
use core::time::Duration;

/// Without a traffic manager the weight is a ratio of pods, moved within `maxSurge` and `maxUnavailable`;
/// Services, where there are any, follow.
pub(super) fn decide(draft: &mut Draft, view: &View<'_>) {
    let status = draft.status.clone();
    let roles = Roles::of(&status);
    let goal = wanted(view, &status, &roles);
    up(draft, view, &roles, goal);
    let desire = Desire::at(&status, &roles, view);
    if let Some(to) = selectors::decide(draft, &roles, &desire, view) {
        return draft.act(Action::Select(to));
    }
    down(draft, view, &status, &roles, goal);
}

fn wanted(view: &View<'_>, status: &Status, roles: &Roles<'_>) -> Goal {
    let replicas = view.spec.replicas;
    let mut goal = goal::at_rest(view.spec, status);
    if roles.stable.is_none() {
        (goal.canary, goal.stable) = (replicas, 0);
    } else if !roles.under_way {
        (goal.canary, goal.stable) = (0, replicas);
    }
    goal
}

/// Whether the ratio that the position asks for is there: enough of the canary's pods, no more of stable's.
pub(super) fn at_rest(view: &View<'_>, status: &Status, goal: Goal) -> Gate {
    let (Some(canary), Some(stable)) = (&status.canary, &status.stable) else { return Ok(()) };
    gates::available(view, canary, goal::enough_of(&view.spec.strategy, goal.canary))?;
    if view.wanted(stable) > goal.stable {
        return Err(moving(view));
    }
    Ok(())
}

fn posts(view: &View<'_>) -> Fenceposts {
    let strategy = &view.spec.strategy;
    Fenceposts::resolve(view.spec.replicas, strategy.max_surge, strategy.max_unavailable)
}

fn moving(view: &View<'_>) -> Closed {
    let (posts, replicas) = (posts(view), view.spec.replicas);
    let reason = WaitReason::Fenceposts {
        at_most: replicas.saturating_add(posts.surge),
        at_least: replicas.saturating_sub(posts.unavailable),
    };
    Closed::new(reason, Ending::PodsReady)
}

fn goal_of(roles: &Roles<'_>, revision: &Revision, goal: Goal) -> u32 {
    match Some(revision) {
        some if some == roles.stable => goal.stable,
        some if some == roles.canary => goal.canary,
        _ => 0,
    }
}

fn up(draft: &mut Draft, view: &View<'_>, roles: &Roles<'_>, goal: Goal) {
    let all = view.revisions().iter().fold(0_u32, |sum, seen| sum.saturating_add(seen.wanted));
    let mut room = view.spec.replicas.saturating_add(posts(view).surge).saturating_sub(all);
    let both = [roles.canary, roles.stable.filter(|stable| roles.canary != Some(stable))];
    for revision in both.into_iter().flatten() {
        let (wanted, marked) = (view.wanted(revision), view.is_marked(revision));
        let missing = goal_of(roles, revision, goal).saturating_sub(wanted);
        if view.revision(revision).is_none() && *revision != view.spec.target {
            let gone = WaitReason::StableGone { revision: revision.clone() };
            draft.wait(Closed::new(gone, Ending::ManifestChanged));
            continue;
        }
        let more = missing.min(room);
        room = room.saturating_sub(more);
        if more < missing {
            draft.wait(moving(view));
        }
        if more > 0 || marked && wanted > 0 {
            let pods = wanted.saturating_add(more);
            draft.act(Action::Workload { revision: revision.clone(), pods, mark: None });
        }
    }
}

fn down(draft: &mut Draft, view: &View<'_>, status: &Status, roles: &Roles<'_>, goal: Goal) {
    if !view.knows_traffic() {
        return draft.hold(WaitReason::TrafficUnknown);
    }
    let posts = posts(view);
    let there = |seen: &RevisionSeen| seen.available.lo().min(seen.wanted);
    let available = view.revisions().iter().fold(0_u32, |sum, seen| sum.saturating_add(there(seen)));
    // Where a pod may be added first, the last one is never taken away, whatever may be unavailable.
    let at_least = view.spec.replicas.saturating_sub(posts.unavailable).max(posts.surge.min(1));
    let mut spare = available.saturating_sub(at_least);
    let of_roles =
        |seen: &&RevisionSeen| Some(&seen.revision) == roles.stable || Some(&seen.revision) == roles.canary;
    let others = view.revisions().iter().filter(|seen| !of_roles(seen));
    for seen in others.chain(view.revisions().iter().filter(of_roles)) {
        let excess = seen.wanted.saturating_sub(floor(view, roles, seen, goal, posts));
        if excess == 0 {
            continue;
        }
        let settled = view.selectors_settled(status, Duration::ZERO);
        if !draft.passes(settled) {
            return;
        }
        // Pods that are not available may go at any time.
        let broken = seen.wanted.saturating_sub(seen.available.hi());
        let cut = excess.min(broken.saturating_add(spare));
        spare = spare.saturating_sub(cut.saturating_sub(broken));
        if cut < excess {
            draft.wait(moving(view));
        }
        if cut > 0 {
            let pods = seen.wanted.saturating_sub(cut);
            draft.act(Action::Workload { revision: seen.revision.clone(), pods, mark: None });
        }
    }
}

/// The fewest pods of a revision: its goal, and one while a Service still leads to it, unless the fence
/// posts leave no room for that.
fn floor(view: &View<'_>, roles: &Roles<'_>, seen: &RevisionSeen, goal: Goal, posts: Fenceposts) -> u32 {
    let front_door = view.seen.stable.iter().any(|selection| selection.is(&seen.revision));
    goal_of(roles, &seen.revision, goal).max(u32::from(front_door && posts.surge > 0))
}
