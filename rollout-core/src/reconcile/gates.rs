//! The conditions that must hold before traffic rises or falls.

use super::{
    draft::{Closed, Gate},
    gradual_abort,
    guard::{Guard, off},
    position::Position,
    settled::STEP_GRACE,
    stable_scale::lowest_weight,
    verdict,
    view::View,
};
use crate::{
    Range, Revision, goal,
    traffic::{Destination, Selection, Weight},
    waiting::{Ending, WaitReason},
};

/// Checks that enough pods of a revision are available.
pub(super) fn available(view: &View<'_>, revision: &Revision, need: u32) -> Gate {
    let seen = if off(Guard::Available) { view.ready(revision) } else { view.available(revision) };
    pods(revision, need, seen)
}

/// Checks that enough pods of a revision are ready.
pub(super) fn ready(view: &View<'_>, revision: &Revision, need: u32) -> Gate {
    pods(revision, need, view.ready(revision))
}

fn pods(revision: &Revision, need: u32, seen: Range) -> Gate {
    if seen.lo() >= need {
        return Ok(());
    }
    Err(Closed::new(WaitReason::Pods { revision: revision.clone(), need, seen }, Ending::PodsReady))
}

/// Returns how many ready pods are enough for the canary at a weight: the smaller of what the weight needs and what the
/// strategy asks for; past the steps, the full count.
pub(super) fn enough(at: &Position<'_>, weight: Weight) -> u32 {
    let spec = at.view.spec;
    let full = at.goal.weight.is_all() && at.status.is_past(spec.strategy.steps());
    let wanted = if at.desired.failover {
        1
    } else if full {
        spec.replicas
    } else {
        goal::pods_for(spec.replicas, weight).min(at.goal.canary)
    };
    goal::enough_of(&spec.strategy, wanted).max(1)
}

/// The up gate: before a weight rises or a managed route is added, there must be enough pods behind the destination,
/// and every proxy must have its selectors and endpoints.
pub(super) fn up(at: &Position<'_>, lead: &Revision) -> Gate {
    let view = at.view;
    if off(Guard::UpGate) {
        return Ok(());
    }
    if !view.canary_leads_to(lead) {
        return Err(elsewhere(view, Destination::Canary));
    }
    not_scaling_down(view, lead)?;
    if !at.desired.failover {
        verdict::beside(at.status, view)?;
    }
    let need = enough(at, at.desired.weight);
    // If stable is unavailable, a pod that has just become ready is better than none.
    ready(view, lead, need)?;
    if !at.desired.failover {
        available(view, lead, need)?;
    }
    at.selectors_settled(STEP_GRACE)?;
    at.endpoints_settled(lead)
}

/// Checks that a revision has no scale-down deadline, with which it must not get traffic.
pub(super) fn not_scaling_down(view: &View<'_>, revision: &Revision) -> Gate {
    if off(Guard::ScaleDownDeadline) || !view.is_scaling_down(revision) {
        return Ok(());
    }
    Err(Closed::new(WaitReason::ScalingDown { revision: revision.clone() }, Ending::Observed))
}

/// Checks that weight may return to stable, and returns the weight to write: more than desired while the pods of a
/// stable that follows the weight come back, or while an abort is gradual.
pub(super) fn fall(at: &Position<'_>) -> Result<Weight, Closed> {
    let canary = at.status.canary.as_ref().filter(|_| at.roles.aborted);
    // Nobody is better off with a canary that has no ready pod, or with routes that lead to another one.
    let serves =
        canary.is_some_and(|canary| at.view.canary_leads_to(canary) && at.view.ready(canary).lo() > 0);
    let carried = carried(at)?;
    if serves && !at.overridden { gradual_abort::at_least(carried, at.status, at.view) } else { Ok(carried) }
}

/// Checks that stable can carry the traffic before weight returns to it, and returns the weight to write: more than
/// desired while the pods of a stable that follows the weight come back. After a commit, when the canary destination
/// already leads to stable or to the user's own selector, stable's own destination must lead there too, in every
/// object.
fn carried(at: &Position<'_>) -> Result<Weight, Closed> {
    let view = at.view;
    let desired = at.desired.weight;
    let Some(stable) = at.roles.stable else { return Ok(desired) };
    if !off(Guard::StableReturn) {
        // If the pods of both are gone, any other pods behind stable's destination are better.
        let carries = view.ready(stable).hi() > 0;
        let itself = returns_to_itself(view, stable) && carries;
        // A canary destination with the user's own selector reaches any pod, so moving its traffic can wait.
        let anywhere = is_unpinned(&view.seen.behind.canary) && carries;
        if (itself || anywhere) && !view.stable_leads_to(stable) {
            return Err(elsewhere(view, Destination::Stable));
        }
        // The pods that stable's selector replaced may be gone, and some proxy may still have that selector. A step
        // can wait for that; an abort, a rollback or a newer revision does not wait without need.
        let is_step = at.roles.under_way && at.desired.stale_owner.is_none() && !at.desired.vanished;
        if itself || anywhere || is_step || is_unpinned(&view.seen.behind.stable) {
            at.selectors_settled(STEP_GRACE)?;
        }
        if itself {
            return Ok(desired);
        }
    }
    let seen = behind_stable(view, stable);
    let need = view.carry_need();
    let rival = canary_alive(view);
    let follows = view.spec.strategy.stable_follows_weight() && !off(Guard::StableGains);
    if follows && rival != Some(0) && !(at.overridden && seen.lo() >= 1) {
        let weight = lowest_weight(desired, seen, view)?;
        return known_to_proxies(at, stable).map(|()| weight);
    }
    if seen.lo() < 1 || seen.lo() < need && seen.lo() < rival.unwrap_or(u32::MAX) && !at.overridden {
        // An operator may accept too few pods, but not none.
        let ends = if seen.lo() < 1 { Ending::PodsReady } else { Ending::StableCarries };
        return Err(Closed::new(WaitReason::StableCannotCarry { need, seen }, ends));
    }
    known_to_proxies(at, stable).map(|()| desired)
}

/// Stable's pods may be ready before a proxy has them: while the canary can serve, wait for that.
fn known_to_proxies(at: &Position<'_>, stable: &Revision) -> Gate {
    if canary_alive(at.view) == Some(0) {
        return Ok(());
    }
    let mut behind = at.view.seen.behind.stable.iter().filter_map(Selection::revision).peekable();
    if behind.peek().is_none() {
        return at.endpoints_settled(stable);
    }
    behind.try_for_each(|revision| at.endpoints_settled(revision))
}

/// Returns the maximum number of ready pods behind the canary destination; `None` for the user's own selector.
fn canary_alive(view: &View<'_>) -> Option<u32> {
    view.seen.behind.canary.iter().filter_map(Selection::revision).map(|of| view.ready(of).hi()).max()
}

/// Checks what is needed before a managed route is removed: one ready pod behind stable; or, if stable is unavailable,
/// a successor that waits for the destination. If the canary has the whole weight, stable needs no pod.
pub(super) fn drop_managed(at: &Position<'_>) -> Gate {
    let (view, roles) = (at.view, &at.roles);
    let Some(stable) = roles.stable else { return Ok(()) };
    if returns_to_itself(view, stable) && view.ready(stable).hi() > 0 {
        return carried(at).map(drop);
    }
    let successor = roles.under_way && roles.lead().is_some_and(|lead| !view.canary_leads_to(lead));
    let seen = behind_stable(view, stable);
    if seen.lo() >= 1 {
        return known_to_proxies(at, stable);
    }
    let is_whole = view.seen.weight().lo() >= view.spec.strategy.max_weight();
    if is_whole || successor && view.is_unavailable(stable) {
        return Ok(());
    }
    Err(Closed::new(WaitReason::StableCannotCarry { need: 1, seen }, Ending::PodsReady))
}

/// Returns the closed gate for a destination that leads elsewhere.
pub(super) fn elsewhere(view: &View<'_>, destination: Destination) -> Closed {
    let revision = view.seen.behind[destination].iter().find_map(Selection::revision).cloned();
    Closed::new(WaitReason::LeadsElsewhere { destination, revision }, Ending::Observed)
}

/// Returns whether some object leads to whatever the user's own selector matches.
fn is_unpinned(behind: &[Selection]) -> bool {
    behind.iter().any(|selection| selection.revision().is_none())
}

/// Returns whether the canary destination leads to the stable revision only.
fn returns_to_itself(view: &View<'_>, stable: &Revision) -> bool {
    !view.seen.behind.canary.is_empty() && view.canary_leads_to(stable)
}

fn behind_stable(view: &View<'_>, stable: &Revision) -> Range {
    let behind = view.seen.behind.stable.iter().map(|selection| view.ready_behind(selection));
    behind
        .reduce(|a, b| Range::new(a.lo().min(b.lo()), a.hi().min(b.hi())))
        .unwrap_or_else(|| view.ready(stable))
}
