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
    let fall = change.falls && {
        let gate = gates::fall(at);
        draft.passes(gate)
    };
    let drop = change.drops && {
        let gate = gates::drop_managed(at);
        draft.passes(gate)
    };
    let weight = if change.rises && !rise || change.falls && !fall || !change.rises && !change.falls {
        WeightChange::Keep
    } else {
        WeightChange::To(desired.weight)
    };
    let managed = if change.adds && rise && (drop || !change.drops) {
        ManagedChange::To(desired.managed.clone())
    } else if drop {
        ManagedChange::Retain(desired.managed.iter().map(|route| route.name.clone()).collect())
    } else {
        ManagedChange::Keep
    };
    let falls = fall && weight != WeightChange::Keep || drop;
    let routes = write(weight, managed, lead);
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

fn write(weight: WeightChange, managed: ManagedChange, lead: &Revision) -> Option<Action> {
    if weight == WeightChange::Keep && managed == ManagedChange::Keep {
        return None;
    }
    Some(Action::Route(Routes { weight, managed, written_for: lead.clone() }))
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
