use super::{
    draft::{Closed, Draft, Gate},
    gates,
    guard::{Guard, off},
    position::Position,
    settled::STEP_GRACE,
    stable_scale,
};
use crate::{
    Revision, goal,
    traffic::{Destination, RoutesSeen, Selection, Selectors},
    waiting::{Ending, WaitReason},
};

/// Where the destinations should lead, as far as they may be pointed there now.
pub(super) fn plan_selectors(draft: &mut Draft, at: &Position<'_>) -> Option<Selectors> {
    let view = at.view;
    let (stable, lead) = (at.roles.stable?, at.roles.lead()?);
    let mut to = Selectors::default();
    if !view.stable_leads_to(stable) {
        let gate = for_stable(at, stable);
        to.stable = draft.passes(gate).then(|| stable.clone().into());
    }
    let aim = if is_wanted(at) { lead } else { stable };
    if !view.canary_leads_to(aim) {
        let gate = for_canary(at, aim);
        to.canary = draft.passes(gate).then(|| aim.clone().into());
    }
    (!to.is_empty()).then_some(to)
}

/// Whether the position wants pods of the canary. Where it wants none, its destination leads to stable: nobody
/// waits for pods, and those that there are may go.
fn is_wanted(at: &Position<'_>) -> bool {
    let (view, desired) = (at.view, &at.desired);
    let routed = view.spec.strategy.routing().is_some();
    // Where stable has no pod, nobody is better off there.
    at.roles.stable.is_some_and(|stable| view.ready(stable).hi() == 0)
        || at.goal.canary > 0
        || routed && !desired.is_idle()
}

/// Stable's destination is nearly always in use: it is pointed only at enough ready pods that every proxy
/// has. Where no request can reach it, pods are not needed yet.
fn for_stable(at: &Position<'_>, stable: &Revision) -> Gate {
    let view = at.view;
    gates::not_scaling_down(view, stable)?;
    let objects = &view.seen.routes;
    let everything = view.spec.strategy.max_weight();
    let front_door = view.spec.strategy.stable_service || view.seen.used_elsewhere.stable;
    let idle = !objects.is_empty() && objects.iter().all(|object| object.weight.lo() == everything);
    let unused = if idle && !front_door { Some(at.routes_settled(STEP_GRACE)) } else { None };
    if matches!(unused, Some(Ok(()))) {
        return Ok(());
    }
    // Where the weight is a ratio of pods, the old revision may have kept one for this destination, and the new one
    // has no room for all of its own: as many as there were behind it are enough.
    let by_ratio = view.spec.strategy.routing().is_none();
    let behind = view.seen.behind.stable.iter().map(|selection| view.ready_behind(selection).hi()).max();
    let enough = if by_ratio { behind.unwrap_or(u32::MAX).max(1) } else { u32::MAX };
    let follows = view.spec.strategy.stable_follows_weight();
    let share = if follows { stable_scale::needed(view) } else { u32::MAX };
    let live = live(at, stable, view.carry_need().min(enough).min(share));
    // Pods need not come where it is enough that every proxy knows that nothing leads here.
    match unused {
        Some(closed) => live.or(closed),
        None => live,
    }
}

fn live(at: &Position<'_>, revision: &Revision, need: u32) -> Gate {
    if !off(Guard::LiveCapacity) {
        gates::ready(at.view, revision, need)?;
    }
    if off(Guard::LiveEndpoints) {
        return Ok(());
    }
    at.lone_endpoints_settled(revision).map(drop)
}

/// The canary's destination may be pointed anywhere while no request can reach it. In use, it is pointed
/// only at enough ready pods that every proxy has, with settled routes, and never under a managed route of
/// another revision. A revision that still has weight loses it first, unless stable is unavailable.
fn for_canary(at: &Position<'_>, lead: &Revision) -> Gate {
    let (view, roles) = (at.view, &at.roles);
    gates::not_scaling_down(view, lead)?;
    let leads = view.seen.routes.iter().any(RoutesSeen::leads_to_canary);
    let behind =
        view.seen.behind.canary.iter().find_map(Selection::revision).filter(|behind| *behind != lead);
    let unavailable = roles.under_way && roles.stable.is_some_and(|stable| view.is_unavailable(stable));
    if leads && behind.is_some() {
        let managed = view.seen.routes.iter().any(|object| !object.managed.is_empty());
        if managed || !unavailable {
            // It may become unavailable, and then pods are waited for: so they are all the time.
            if !managed && roles.under_way && roles.stable.is_some_and(|stable| view.ready(stable).hi() == 0)
            {
                gates::ready(view, lead, goal::enough_of(&view.spec.strategy, view.spec.replicas))?;
            }
            return Err(gates::elsewhere(view, Destination::Canary));
        }
    } else if let Some(revision) = at.desired.stale_owner.clone().filter(|_| leads) {
        return Err(Closed::new(WaitReason::RoutesOfAnother { revision }, Ending::Observed));
    }
    if !off(Guard::DownGate) {
        at.routes_settled(STEP_GRACE)?;
    }
    if leads || view.seen.used_elsewhere.canary {
        // Where stable is unavailable, the successor takes everything.
        let all = goal::enough_of(&view.spec.strategy, view.spec.replicas);
        let need = if unavailable { all } else { gates::enough(at, view.weight_at_most()) };
        return live(at, lead, need);
    }
    // Idle: nobody asks for pods, unless somebody may ask the canary's Service itself.
    if roles.under_way && view.spec.strategy.canary_service { gates::ready(view, lead, 1) } else { Ok(()) }
}
