//! Where managed routes stand: in front, in the order of `managedRoutes`.

use crate::{
    config::IstioConfig,
    managed::{Ground, same},
    problem::Problem,
    rules::managed_name,
};
use rollout_core::traffic::ManagedRoute;
use serde_json::Value;
use std::sync::Arc;

/// What becomes of the managed routes of one VirtualService.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Managed<'a> {
    /// They stay as they are.
    Keep,
    /// All but these go.
    Retain(&'a [Arc<str>]),
    /// Exactly these.
    To(&'a [Arc<ManagedRoute>]),
    /// Each of these is put in place of one of its name, or taken away; the others stay.
    Steps(&'a [(Arc<str>, Option<ManagedRoute>)]),
}

/// Whether the managed routes stand before the first weighed route, each once, in the order of `managedRoutes`.
///
/// What else stands before it, or between them, may be another Rollout's: to insist on the very front would be to
/// change places with it for ever.
pub(crate) fn in_order(config: &IstioConfig, http: &[Value], weighed: Option<usize>) -> bool {
    let places = || http.iter().enumerate().filter_map(|(index, rule)| Some((rank(config, rule)?, index)));
    let before = |index| weighed.is_none_or(|weighed| index < weighed);
    places().all(|(_, index)| before(index))
        && places().zip(places().skip(1)).all(|(one, next)| one.0 < next.0)
}

fn rank(config: &IstioConfig, rule: &Value) -> Option<usize> {
    let name = managed_name(config, rule)?;
    config.managed_routes.iter().position(|managed| **managed == *name)
}

/// One http route of the new list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Slot {
    /// The one that stood here before.
    Old(usize),
    /// Another one.
    New(Value),
}

/// The new list of http routes, or `None` when it stays as it is.
pub(crate) fn arranged(
    ground: &Ground<'_>,
    config: &IstioConfig,
    http: &[Value],
    weighed: Option<usize>,
    to: Managed<'_>,
) -> Result<Option<Vec<Slot>>, Problem> {
    if matches!(to, Managed::Keep) {
        return Ok(None);
    }
    let (mut there, mut own) = (Vec::new(), Vec::new());
    for (index, rule) in http.iter().enumerate() {
        match rank(config, rule) {
            Some(rank) => there.push((rank, index)),
            None => own.push(index),
        }
    }
    let is = |rank: usize, name: &Arc<str>| config.managed_routes.get(rank) == Some(name);
    let mut front: Vec<(usize, Slot)> = match to {
        Managed::Keep | Managed::To(_) => Vec::new(),
        Managed::Retain(names) => {
            there.retain(|(rank, _)| names.iter().any(|name| is(*rank, name)));
            own.extend(there.iter().map(|(_, index)| *index));
            own.sort_unstable();
            let all_stay = own.len() == http.len();
            return Ok((!all_stay).then(|| own.into_iter().map(Slot::Old).collect()));
        }
        Managed::Steps(steps) => {
            let stay = there.iter().filter(|(rank, _)| !steps.iter().any(|(name, _)| is(*rank, name)));
            stay.map(|(rank, index)| (*rank, Slot::Old(*index))).collect()
        }
    };
    let wanted: Vec<&ManagedRoute> = match to {
        Managed::Keep | Managed::Retain(_) => Vec::new(),
        Managed::To(routes) => routes.iter().map(AsRef::as_ref).collect(),
        Managed::Steps(steps) => {
            let last = |name: &Arc<str>| steps.iter().rev().find(|(other, _)| other == name);
            steps.iter().filter_map(|(name, _)| last(name)?.1.as_ref()).collect()
        }
    };
    for route in wanted {
        let Some(rank) = config.managed_routes.iter().position(|managed| *managed == route.name) else {
            let what = format!("'{}' is not one of the Rollout's managedRoutes", route.name);
            return Err(Problem::new("spec.http", what, "add it to managedRoutes"));
        };
        let new = ground.write(route)?;
        // What means the same stays as somebody's tools have written it.
        let means_it = |(other, index): &&(usize, usize)| {
            *other == rank && http.get(*index).is_some_and(|old| same(old, &new))
        };
        let old = there.iter().find(means_it).map(|(_, index)| Slot::Old(*index));
        let slot = old.unwrap_or(Slot::New(new));
        front.retain(|(other, _)| *other != rank);
        front.push((rank, slot));
    }
    front.sort_by_key(|(rank, _)| *rank);
    let all_stay = front.len() == there.len() && front.iter().all(|(_, slot)| matches!(slot, Slot::Old(_)));
    if all_stay && in_order(config, http, weighed) {
        return Ok(None);
    }
    let new = front.into_iter().map(|(_, slot)| slot);
    Ok(Some(new.chain(own.into_iter().map(Slot::Old)).collect()))
}

/// Puts the routes where `slots` says.
pub(crate) fn arrange(http: &mut Value, slots: Vec<Slot>) {
    let Some(list) = http.as_array_mut() else { return };
    let mut old: Vec<Option<Value>> = std::mem::take(list).into_iter().map(Some).collect();
    list.extend(slots.into_iter().filter_map(|slot| match slot {
        Slot::Old(index) => old.get_mut(index)?.take(),
        Slot::New(rule) => Some(rule),
    }));
}
