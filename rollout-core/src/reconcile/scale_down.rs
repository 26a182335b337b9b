use super::{
    desired::Desired,
    draft::{Closed, Draft, Gate},
    guard::{Guard, off},
    roles::Roles,
    scale_up::in_use,
    view::{STEP_DWELL, View},
};
use crate::{
    Action, Ending, Revision, RevisionSeen, Status, Time, WaitReason, WakeReason, goal, traffic::Selection,
};
use core::time::Duration;

/// Pods down: only in a plan that writes no traffic, when every proxy has routes and selectors; to 0 only
/// under the mark, after its delay.
pub(super) fn scale_down(draft: &mut Draft, roles: &Roles<'_>, desired: &Desired, view: &View<'_>) {
    let status = draft.status.clone();
    for seen in view.revisions() {
        let revision = Some(&seen.revision);
        if seen.wanted == 0 {
            continue;
        }
        if revision == roles.stable {
            shrink(draft, view, &status, seen, view.spec.replicas);
        } else if revision == roles.canary && roles.aborted {
            if let Some(delay) = view.spec.strategy.abort_scale_down_delay() {
                retire(draft, view, &status, seen, delay);
            }
        } else if revision == roles.canary && roles.stable.is_none() {
            shrink(draft, view, &status, seen, view.spec.replicas);
        } else if revision == roles.canary {
            match keep(roles, desired, view, &status) {
                0 => retire(draft, view, &status, seen, view.spec.strategy.scale_down_delay()),
                pods => shrink(draft, view, &status, seen, pods),
            }
        } else if roles.stable.is_some() {
            retire(draft, view, &status, seen, view.spec.strategy.scale_down_delay());
        }
    }
}

/// In a plan that writes traffic no pods go, but what neither routes nor selectors lead to any more may be marked:
/// its delay runs from then on.
pub(super) fn mark_only(draft: &mut Draft, roles: &Roles<'_>, view: &View<'_>) {
    let delay = view.spec.strategy.scale_down_delay();
    if roles.stable.is_none() {
        return;
    }
    for seen in view.revisions() {
        let has_role = [roles.stable, roles.canary].contains(&Some(&seen.revision));
        if has_role || seen.wanted == 0 || seen.mark.is_some() {
            continue;
        }
        if !led_to(view, &seen.revision) && settled(view, &draft.status, STEP_DWELL).is_ok() {
            draft.act(marked(view, seen, delay));
        }
    }
}

/// How many pods the canary keeps: what the position asks for, and what the weight needs that it has.
fn keep(roles: &Roles<'_>, desired: &Desired, view: &View<'_>, status: &Status) -> u32 {
    let managed =
        !desired.managed.is_empty() || view.seen.routes.iter().any(|object| !object.managed.is_empty());
    let weight = view.seen.weight().hi();
    let dark = weight > 0 && roles.stable.is_some_and(|stable| view.ready(stable).hi() == 0);
    let everything = if desired.rescue || dark { view.spec.replicas } else { 0 };
    let goal = goal::at(view.spec, status).canary.max(u32::from(managed || desired.weight > 0));
    goal.max(everything).max(goal::pods_for(view.spec, weight).min(view.spec.replicas))
}

/// Fewer pods, but not none: those that stay must be known to every proxy.
fn shrink(draft: &mut Draft, view: &View<'_>, status: &Status, seen: &RevisionSeen, pods: u32) {
    if seen.wanted <= pods || pods == 0 {
        return;
    }
    let gate = settled(view, status, view.spec.strategy.scale_down_delay())
        .and_then(|()| proxies_known(view, status))
        .and_then(|()| view.endpoints_settled(status, &seen.revision));
    if off(Guard::DownGate) || draft.passes(gate) {
        draft.act(Action::Scale { revision: seen.revision.clone(), pods, mark: seen.mark });
    }
}

fn retire(draft: &mut Draft, view: &View<'_>, status: &Status, seen: &RevisionSeen, delay: Duration) {
    let revision = seen.revision.clone();
    if led_to(view, &revision) && !off(Guard::DownGate) {
        return draft.wait(Closed::new(WaitReason::PodsGoing { revision }, Ending::Observed));
    }
    let to = |pods, mark: Option<Time>| Action::Scale { revision: seen.revision.clone(), pods, mark };
    let Some(at) = seen.mark else {
        if off(Guard::Mark) {
            draft.act(to(0, None));
        } else if draft.passes(settled(view, status, STEP_DWELL)) {
            draft.act(marked(view, seen, delay));
        }
        return;
    };
    let gate = settled(view, status, view.spec.strategy.scale_down_delay())
        .and_then(|()| proxies_known(view, status));
    // Where the proxies cannot be asked, a dwell may be longer than what is left of the delay.
    let dwells = view.all_settled_at(status, view.spec.strategy.scale_down_delay());
    let at = dwells.map_or(at, |dwells| dwells.max(at));
    if at > view.now && dwells.is_some() {
        let at = at.max(view.proxies_known_at(status));
        draft.wait(Closed::until(WaitReason::ScaleDownDelay { revision }, None, at, WakeReason::ScaleDown));
    } else if draft.passes(gate) {
        draft.act(to(0, None));
    }
}

fn marked(view: &View<'_>, seen: &RevisionSeen, delay: Duration) -> Action {
    let mark = Some((view.now + delay).ceil_to_second());
    Action::Scale { revision: seen.revision.clone(), pods: seen.wanted, mark }
}

/// Whether requests may meet this revision: by its own name, or by a selector of the user's that matches all.
fn led_to(view: &View<'_>, revision: &Revision) -> bool {
    let unpinned = |selection: &Selection| *selection == Selection::Unpinned;
    in_use(view, revision) || view.seen.stable.iter().chain(&view.seen.canary).any(unpinned)
}

fn proxies_known(view: &View<'_>, status: &Status) -> Gate {
    if off(Guard::DownGate) { Ok(()) } else { view.proxies_known(status) }
}

/// The down gate: every proxy has routes and selectors.
fn settled(view: &View<'_>, status: &Status, dwell: Duration) -> Gate {
    if off(Guard::DownGate) {
        return Ok(());
    }
    view.routes_settled(status, dwell).and_then(|()| view.selectors_settled(status, dwell))
}
