//! The placement of managed routes: each directly before the weighed route whose requests it takes, in the order of
//! `managedRoutes`.

mod argo;

use crate::{
    config::IstioConfig,
    managed::{RouteContext, same},
    rules::managed_name,
};
use rollout_core::{Finding, traffic::ManagedRoute};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

pub(crate) use argo::stepped;

/// The change to the managed routes of one VirtualService.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Managed<'a> {
    /// They stay unchanged.
    Keep,
    /// All but these are removed.
    Retain(&'a [Arc<str>]),
    /// They become exactly these.
    To(&'a [Arc<ManagedRoute>]),
    /// Each of these replaces one of the same name, or is removed, as Argo Rollouts does it; the others stay.
    Steps(&'a [(Arc<str>, Option<Arc<ManagedRoute>>)]),
}

/// Returns whether each managed route is directly before a weighed one, in the order of `managedRoutes`.
///
/// Other Rollouts have routes in the same list, with their managed routes before their own, so no Rollout ever gets in
/// the way of another.
pub(crate) fn in_order(config: &IstioConfig, http: &[Value], weighed: impl Iterator<Item = usize>) -> bool {
    let weighed: BTreeSet<usize> = weighed.collect();
    let mut last = None;
    for (index, rule) in http.iter().enumerate() {
        match rank(config, rule) {
            Some(rank) if last.is_some_and(|last| last >= rank) => return false,
            Some(rank) => last = Some(rank),
            None if last.is_some() && !weighed.contains(&index) => return false,
            None => last = None,
        }
    }
    last.is_none()
}

/// Returns the index of this route in `managedRoutes`.
pub(crate) fn rank(config: &IstioConfig, rule: &Value) -> Option<usize> {
    let name = managed_name(config, rule)?;
    config.managed_routes.iter().position(|managed| **managed == *name)
}

/// Returns the existing managed routes by rank, each in the order of the list.
pub(crate) fn there<'a>(
    config: &IstioConfig,
    http: &'a [Value],
) -> BTreeMap<usize, VecDeque<(usize, &'a Value)>> {
    let mut there: BTreeMap<usize, VecDeque<_>> = BTreeMap::new();
    for (index, rule) in http.iter().enumerate() {
        if let Some(rank) = rank(config, rule) {
            there.entry(rank).or_default().push_back((index, rule));
        }
    }
    there
}

/// One http route of the new list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Slot {
    /// The route that was at this index before.
    Old(usize),
    /// A new route.
    New(Value),
}

/// Returns the new list of http routes; `None` if it does not change.
pub(crate) fn arranged(
    context: &RouteContext<'_>,
    config: &IstioConfig,
    http: &[Value],
    to: &[Arc<ManagedRoute>],
) -> Result<Option<Vec<Slot>>, Finding> {
    let mut there = there(config, http);
    let ours: BTreeSet<usize> = there.values().flatten().map(|(index, _)| *index).collect();
    let mut made: BTreeMap<usize, VecDeque<Option<Value>>> = BTreeMap::new();
    for route in to {
        made.insert(rank_of(config, route)?, context.make(route)?.into());
    }
    let weighed: BTreeSet<usize> = context.indices().collect();
    let mut new = Vec::new();
    for index in (0..http.len()).filter(|index| !ours.contains(index)) {
        if weighed.contains(&index) {
            for (rank, made) in &mut made {
                let Some(route) = made.pop_front().flatten() else { continue };
                let old = there.get_mut(rank);
                // A route with the same meaning stays as another client's tools have written it.
                let same = old.and_then(|old| {
                    if old.front().is_some_and(|(_, old)| same(old, &route)) { old.pop_front() } else { None }
                });
                new.push(same.map_or(Slot::New(route), |(index, _)| Slot::Old(index)));
            }
        }
        new.push(Slot::Old(index));
    }
    let is_old =
        new.len() == http.len() && new.iter().enumerate().all(|(index, slot)| *slot == Slot::Old(index));
    Ok((!is_old).then_some(new))
}

/// Returns the list without the managed routes that are not named; `None` if all are.
pub(crate) fn retained(config: &IstioConfig, http: &[Value], names: &[Arc<str>]) -> Option<Vec<Slot>> {
    let stays = |rule: &Value| {
        managed_name(config, rule).is_none_or(|name| names.iter().any(|retained| **retained == *name))
    };
    let stay: Vec<_> =
        http.iter().enumerate().filter(|(_, rule)| stays(rule)).map(|(index, _)| Slot::Old(index)).collect();
    (stay.len() < http.len()).then_some(stay)
}

fn rank_of(config: &IstioConfig, route: &ManagedRoute) -> Result<usize, Finding> {
    let rank = config.managed_routes.iter().position(|managed| *managed == route.name);
    rank.ok_or_else(|| {
        let what = format!("'{}' is not one of the Rollout's managedRoutes", route.name);
        Finding::error("spec.http", what, "add it to managedRoutes")
    })
}

/// Rearranges the routes according to `slots`.
pub(crate) fn arrange(http: &mut Value, slots: Vec<Slot>) {
    let Some(list) = http.as_array_mut() else { return };
    let mut old: Vec<Option<Value>> = std::mem::take(list).into_iter().map(Some).collect();
    list.extend(slots.into_iter().filter_map(|slot| match slot {
        Slot::Old(index) => old.get_mut(index)?.take(),
        Slot::New(rule) => Some(rule),
    }));
}
