use super::{
    draft::{Closed, Draft, Gate},
    gates,
    position::Position,
    posts,
    roles::Roles,
    scale_up, selectors, surplus,
    view::View,
};
use crate::{
    Action, Revision,
    goal::{self, Goal},
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
    goal.stable = goal.stable.max(posts::door(view, stable).min(view.wanted(stable)));
    goal.canary = goal.canary.min(posts::at_most(view).saturating_sub(goal.stable));
    goal
}

/// Checks that the ratio of the position is reached: enough pods of the canary, no surplus of stable.
pub(super) fn is_reached(at: &Position<'_>) -> Gate {
    let view = at.view;
    let (Some(canary), Some(stable)) = (at.roles.canary, at.roles.stable) else { return Ok(()) };
    let goal = wanted(at);
    gates::available(view, canary, goal::enough_of(&view.spec.strategy, goal.canary))?;
    if view.wanted(stable) > goal.stable {
        return Err(posts::moving(view));
    }
    Ok(())
}

fn goal_of(roles: &Roles<'_>, revision: &Revision, goal: Goal) -> u32 {
    match Some(revision) {
        some if some == roles.stable => goal.stable,
        some if some == roles.canary => goal.canary,
        _ => 0,
    }
}

fn up(draft: &mut Draft, view: &View<'_>, roles: &Roles<'_>, goal: Goal) {
    let mut room = posts::at_most(view).saturating_sub(posts::all_wanted(view));
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
            draft.wait(posts::moving(view));
        }
        if more > 0 || scaling_down && wanted > 0 {
            let pods = wanted.saturating_add(more);
            draft.act(Action::Scale { revision: revision.clone(), pods, scale_down_deadline: None });
        }
    }
}
