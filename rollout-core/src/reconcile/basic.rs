use super::{
    draft::{Closed, Draft, Gate},
    gates,
    position::Position,
    roles::Roles,
    scale_up, selectors, surplus,
    view::View,
};
use crate::{
    Action, Revision,
    goal::{self, Goal},
    strategy::Fenceposts,
    waiting::{Ending, WaitReason},
};

/// Plans without a traffic manager: the weight is a ratio of pods, moved within `maxSurge` and `maxUnavailable`;
/// Services, if there are any, follow.
pub(super) fn plan_basic(draft: &mut Draft, at: &Position<'_>) {
    let (view, roles) = (at.view, &at.roles);
    let goal = wanted(at);
    up(draft, view, roles, goal);
    if let Some(stable) = roles.stable.filter(|stable| roles.under_way && view.revision(stable).is_none()) {
        scale_up::look_at_unavailable(draft, view, stable);
    }
    if let Some(to) = selectors::plan_selectors(draft, at) {
        return draft.act(Action::Select(to));
    }
    if view.knows_traffic() {
        surplus::remove_surplus(draft, at, |revision| goal_of(roles, revision, goal));
    } else {
        draft.hold(WaitReason::TrafficUnknown);
    }
}

/// Returns the pods that the position wants of each revision, with at least one of stable while the stable Service
/// leads to it, if necessary at the canary's cost.
pub(super) fn wanted(at: &Position<'_>) -> Goal {
    let (view, roles, mut goal) = (at.view, &at.roles, at.goal);
    let replicas = view.spec.replicas;
    let Some(stable) = roles.stable else {
        (goal.canary, goal.stable) = (replicas, 0);
        return goal;
    };
    if !roles.under_way {
        (goal.canary, goal.stable) = (0, replicas);
        return goal;
    }
    if view.revision(stable).is_none() {
        // No pod of stable will come back by itself, and the canary keeps what it got for that reason.
        if view.is_unavailable(stable) {
            (goal.canary, goal.stable) = (replicas, 0);
        } else {
            let has = roles.canary.map_or(0, |canary| view.wanted(canary));
            goal.canary = goal.canary.max(has.min(replicas));
        }
        return goal;
    }
    goal.stable = goal.stable.max(door(view, stable).min(view.wanted(stable)));
    goal.canary = goal.canary.min(at_most(view).saturating_sub(goal.stable));
    goal
}

/// Returns one pod if the stable Service leads to a revision, unless that would leave no room for another.
pub(super) fn door(view: &View<'_>, revision: &Revision) -> u32 {
    let leads = view.seen.behind.stable.iter().any(|selection| selection.is(revision));
    u32::from(leads && at_most(view) > 1)
}

/// Checks that the ratio of the position is reached: enough pods of the canary, no surplus of stable.
pub(super) fn is_reached(at: &Position<'_>) -> Gate {
    let view = at.view;
    let (Some(canary), Some(stable)) = (at.roles.canary, at.roles.stable) else { return Ok(()) };
    let goal = wanted(at);
    gates::available(view, canary, goal::enough_of(&view.spec.strategy, goal.canary))?;
    if view.wanted(stable) > goal.stable {
        return Err(moving(view));
    }
    Ok(())
}

pub(super) fn posts(view: &View<'_>) -> Fenceposts {
    let strategy = &view.spec.strategy;
    Fenceposts::resolve(view.spec.replicas, strategy.max_surge, strategy.max_unavailable)
}

/// Returns the maximum number of pods of all revisions together.
pub(super) fn at_most(view: &View<'_>) -> u32 {
    view.spec.replicas.saturating_add(posts(view).surge)
}

pub(super) fn moving(view: &View<'_>) -> Closed {
    let at_least = view.spec.replicas.saturating_sub(posts(view).unavailable);
    let reason = WaitReason::Fenceposts { at_most: at_most(view), at_least };
    Closed::new(reason, Ending::PodsReady)
}

fn goal_of(roles: &Roles<'_>, revision: &Revision, goal: Goal) -> u32 {
    match Some(revision) {
        some if some == roles.stable => goal.stable,
        some if some == roles.canary => goal.canary,
        _ => 0,
    }
}

pub(super) fn all_wanted(view: &View<'_>) -> u32 {
    view.revisions().iter().fold(0_u32, |sum, seen| sum.saturating_add(seen.wanted))
}

fn up(draft: &mut Draft, view: &View<'_>, roles: &Roles<'_>, goal: Goal) {
    let mut room = at_most(view).saturating_sub(all_wanted(view));
    let both = [roles.canary, roles.stable.filter(|stable| roles.canary != Some(stable))];
    for revision in both.into_iter().flatten() {
        let (wanted, scaling_down) = (view.wanted(revision), view.is_scaling_down(revision));
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
        if more > 0 || scaling_down && wanted > 0 {
            let pods = wanted.saturating_add(more);
            draft.act(Action::Scale { revision: revision.clone(), pods, scale_down_deadline: None });
        }
    }
}
