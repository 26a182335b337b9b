use super::{
    draft::Draft,
    gates,
    guard::{Guard, off},
    position::Position,
    selectors,
};
use crate::{
    Action, Revision,
    traffic::{ManagedChange, Routes, WeightChange},
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
    let drop = change.drops && {
        let gate = gates::drop_managed(at);
        draft.passes(gate)
    };
    let weight = if change.rises && !rise || change.falls && !fall || !change.rises && !change.falls {
        WeightChange::Keep
    } else {
        WeightChange::To(falls_to.unwrap_or(desired.weight))
    };
    let managed = if change.adds && rise && (drop || !change.drops) {
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
#[expect(clippy::struct_excessive_bools, reason = "four independent answers, named")]
struct Change {
    rises: bool,
    falls: bool,
    adds: bool,
    drops: bool,
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
        let there = !objects.is_empty();
        Self {
            rises: there && weight.lo() < desired.weight.parts(),
            falls: weight.hi() > desired.weight.parts(),
            adds,
            drops,
        }
    }
}
