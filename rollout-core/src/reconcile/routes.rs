use super::{
    draft::Draft,
    gates,
    guard::{Guard, off},
    position::Position,
    selectors,
};
use crate::{
    Action, Revision,
    traffic::{ManagedChange, ManagedRoute, ManagedSeen, Routes, WeightChange},
};
use alloc::vec::Vec;

/// Plans one layer of traffic: a falling route first, then selectors, then a rising route. A route that is held back is
/// not written.
pub(super) fn plan_traffic(draft: &mut Draft, at: &Position<'_>) {
    let desired = &at.desired;
    let Some(lead) = at.roles.lead() else { return };
    let change = Change::of(at);
    let rise = (change.rises || change.adds) && {
        let gate = gates::up(at, lead);
        draft.passes(gate)
    };
    let falls_to = if change.falls { draft.granted(gates::fall(at)) } else { None };
    let fall = falls_to.is_some();
    let may_lose = (change.drops || change.replaces && rise) && {
        let gate = gates::drop_managed(at);
        draft.passes(gate)
    };
    let drop = change.drops && may_lose;
    let weight = if change.rises && !rise || change.falls && !fall || !change.rises && !change.falls {
        WeightChange::Keep
    } else {
        WeightChange::To(falls_to.unwrap_or(desired.weight))
    };
    let managed = if change.adds && rise && (may_lose || !change.drops && !change.replaces) {
        ManagedChange::To(desired.managed.clone())
    } else if drop {
        ManagedChange::Retain(desired.managed.iter().map(|route| route.name.clone()).collect())
    } else {
        ManagedChange::Keep
    };
    let falls = fall && weight != WeightChange::Keep || drop;
    // Until all weight is gone, the routes stay those of the revision that has it.
    let is_partial = falls_to.is_some_and(|weight| weight != desired.weight);
    let owner = desired.stale_owner.as_ref().filter(|_| is_partial).unwrap_or(lead);
    let routes = write(weight, managed, owner);
    if falls {
        draft.actions.extend(routes);
        return;
    }
    let select = selectors::plan_selectors(draft, at);
    let selects = select.is_some();
    draft.actions.extend(select.map(Action::Select));
    if !selects || off(Guard::OneLayer) {
        draft.actions.extend(routes);
    }
}

fn write(weight: WeightChange, managed: ManagedChange, owner: &Revision) -> Option<Action> {
    if weight == WeightChange::Keep && managed == ManagedChange::Keep {
        return None;
    }
    Some(Action::Route(Routes { weight, managed, written_for: owner.clone() }))
}

/// How the objects differ from the desired state.
#[expect(clippy::struct_excessive_bools, reason = "five independent answers, named")]
struct Change {
    rises: bool,
    falls: bool,
    /// A managed route is missing, is not what is wanted, or is in the wrong place.
    adds: bool,
    /// A managed route is not wanted.
    drops: bool,
    /// A managed route has other conditions than are wanted, so some of its requests may go to stable.
    replaces: bool,
}

impl Change {
    fn of(at: &Position<'_>) -> Self {
        let (desired, view) = (&at.desired, at.view);
        let weight = view.seen.weight();
        let objects = &view.seen.routes;
        let drops = objects.iter().any(|object| desired.has_more(object));
        // An object that only has surplus routes needs no additions.
        let missing: Vec<_> = objects.iter().filter(|object| !desired.has_managed(object)).collect();
        let adds = missing.iter().any(|object| {
            let kept = object
                .managed
                .iter()
                .filter(|seen| desired.managed.iter().any(|want| want.name == seen.name));
            !object.in_order || !kept.map(|seen| seen.route.as_ref()).eq(desired.managed.iter().map(Some))
        });
        let leaves = |seen: &ManagedSeen, want: &ManagedRoute| {
            let moves_requests =
                !want.is_mirror() || seen.route.as_ref().is_none_or(|route| !route.is_mirror());
            want.name == seen.name && seen.route.as_deref() != Some(want) && moves_requests
        };
        let replaces = objects
            .iter()
            .flat_map(|object| &object.managed)
            .any(|seen| desired.managed.iter().any(|want| leaves(seen, want)));
        let there = !objects.is_empty();
        Self {
            rises: there && weight.lo() < desired.weight.parts(),
            falls: weight.hi() > desired.weight.parts(),
            adds,
            drops,
            replaces,
        }
    }
}
