//! The list of http routes in Argo Rollouts' order: managed routes at the very front.

use super::{Slot, rank, rank_of};
use crate::{
    config::IstioConfig,
    managed::{ArgoRoutes, same},
};
use rollout_core::{Finding, traffic::ManagedRoute};
use serde_json::Value;
use std::sync::Arc;

/// Returns the new list after these steps; `None` if it does not change.
pub(crate) fn stepped(
    argo: &ArgoRoutes<'_>,
    config: &IstioConfig,
    http: &[Value],
    steps: &[(Arc<str>, Option<Arc<ManagedRoute>>)],
) -> Result<Option<Vec<Slot>>, Finding> {
    let (mut there, mut own) = (Vec::new(), Vec::new());
    for (index, rule) in http.iter().enumerate() {
        match rank(config, rule) {
            Some(rank) => there.push((rank, index)),
            None => own.push(index),
        }
    }
    let is = |rank: usize, name: &Arc<str>| config.managed_routes.get(rank) == Some(name);
    let stay = there.iter().filter(|(rank, _)| !steps.iter().any(|(name, _)| is(*rank, name)));
    let mut front: Vec<(usize, Slot)> = stay.map(|(rank, index)| (*rank, Slot::Old(*index))).collect();
    let last = |name: &Arc<str>| steps.iter().rev().find(|(other, _)| other == name);
    for route in steps.iter().filter_map(|(name, _)| last(name)?.1.as_ref()) {
        let rank = rank_of(config, route)?;
        let new = argo.write(route)?;
        let means_it = |(other, index): &&(usize, usize)| {
            *other == rank && http.get(*index).is_some_and(|old| same(old, &new))
        };
        let old = there.iter().find(means_it).map(|(_, index)| Slot::Old(*index));
        front.retain(|(other, _)| *other != rank);
        front.push((rank, old.unwrap_or(Slot::New(new))));
    }
    front.sort_by_key(|(rank, _)| *rank);
    let new = front.into_iter().map(|(_, slot)| slot);
    let new: Vec<_> = new.chain(own.into_iter().map(Slot::Old)).collect();
    let is_old =
        new.len() == http.len() && new.iter().enumerate().all(|(index, slot)| *slot == Slot::Old(index));
    Ok((!is_old).then_some(new))
}
