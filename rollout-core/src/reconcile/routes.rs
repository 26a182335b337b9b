use super::{
    desire::Desire,
    draft::Draft,
    gates,
    guard::{Guard, off},
    roles::Roles,
    selectors,
    view::View,
};
use crate::{
    Action, Revision,
    traffic::{ManagedChange, Routes, WeightChange},
};
use alloc::vec::Vec;

/// One layer of traffic: a falling route first, then selectors, then a rising route. What is held is not
/// written.
pub(super) fn decide(draft: &mut Draft, roles: &Roles<'_>, desire: &Desire, view: &View<'_>) {
    let Some(lead) = roles.lead() else { return };
    let need = Need::of(desire, view);
    let rise = (need.rises || need.adds) && {
        let gate = gates::up(view, &draft.status, desire, lead);
        draft.passes(gate)
    };
    let fall = need.falls && {
        let gate = gates::fall(view, &draft.status, roles);
        draft.passes(gate)
    };
    let drop = need.drops && {
        let gate = gates::drop_managed(view, &draft.status, roles);
        draft.passes(gate)
    };
    let weight = if need.rises && !rise || need.falls && !fall || !need.rises && !need.falls {
        WeightChange::Keep
    } else {
        WeightChange::To { weight: desire.weight, of: view.spec.strategy.max_weight() }
    };
    let managed = if need.adds && rise && (drop || !need.drops) {
        ManagedChange::To(desire.managed.clone())
    } else if drop {
        ManagedChange::Retain(desire.managed.iter().map(|route| route.name.clone()).collect())
    } else {
        ManagedChange::Keep
    };
    let falls = fall && weight != WeightChange::Keep || drop;
    let routes = write(weight, managed, lead);
    if falls {
        draft.actions.extend(routes);
        return;
    }
    let select = selectors::decide(draft, roles, desire, view);
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

/// In which directions the objects differ from what is wanted.
#[expect(clippy::struct_excessive_bools, reason = "four independent answers, named")]
struct Need {
    rises: bool,
    falls: bool,
    adds: bool,
    drops: bool,
}

impl Need {
    fn of(desire: &Desire, view: &View<'_>) -> Self {
        let weight = view.seen.weight();
        let objects = &view.seen.routes;
        let drops = objects.iter().any(|object| desire.has_more(object));
        // An object that only has too many routes needs nothing added.
        let missing: Vec<_> = objects.iter().filter(|object| !desire.has_managed(object)).collect();
        let adds = missing.iter().any(|object| {
            let kept =
                object.managed.iter().filter(|seen| desire.managed.iter().any(|want| want.name == seen.name));
            !object.in_order || !kept.map(|seen| seen.route.as_ref()).eq(desire.managed.iter().map(Some))
        });
        let there = !objects.is_empty();
        Self { rises: there && weight.lo() < desire.weight, falls: weight.hi() > desire.weight, adds, drops }
    }
}
