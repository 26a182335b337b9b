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

/// Returns where the destinations should lead, as far as they may be pointed there now.
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

/// Returns whether the position wants pods of the canary. If it does not, the canary destination leads to stable:
/// nothing waits for pods, and existing ones may be removed.
fn is_wanted(at: &Position<'_>) -> bool {
    let (view, desired) = (at.view, &at.desired);
    let routed = view.spec.strategy.routing().is_some();
    // If stable has no pod, requests would fare no better there.
    at.roles.stable.is_some_and(|stable| view.ready(stable).hi() == 0)
        || at.goal.canary > 0
        || routed && !desired.is_idle()
}

/// Checks stable's destination, which is nearly always in use: it is pointed only at enough ready pods that every proxy
/// has. If no request can reach it, no pods are needed yet.
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
    // If the weight is a ratio of pods, the old revision may have kept one pod for this destination, which leaves no
    // room for all pods of the new one: as many as were behind it are enough.
    let by_ratio = view.spec.strategy.routing().is_none();
    let behind = view.seen.behind.stable.iter().map(|selection| view.ready_behind(selection).hi()).max();
    let enough = if by_ratio { behind.unwrap_or(u32::MAX).max(1) } else { u32::MAX };
    let follows = view.spec.strategy.stable_follows_weight();
    let share = if follows { stable_scale::needed(view) } else { u32::MAX };
    let live = live(at, stable, view.carry_need().min(enough).min(share));
    // No pods are needed if every proxy knows that nothing leads here.
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

/// Checks the canary's destination, which may be pointed anywhere while no request can reach it. In use, it is pointed
/// only at enough ready pods that every proxy has, with settled routes, and never under a managed route of another
/// revision. A revision that still has weight loses it first, unless stable is unavailable.
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
            // Stable may become unavailable, and then the rollout would wait for pods: so it always waits for them.
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
        // If stable is unavailable, the successor takes all traffic.
        let all = goal::enough_of(&view.spec.strategy, view.spec.replicas);
        let need = if unavailable { all } else { gates::enough(at, view.weight_at_most()) };
        return live(at, lead, need);
    }
    // Idle: no pods are needed, unless a client uses the canary's Service directly.
    if roles.under_way && view.spec.strategy.canary_service { gates::ready(view, lead, 1) } else { Ok(()) }
}
