//! Destinations that are used by unweighed routes.

use crate::{
    config::IstioConfig,
    name::{first_label, namespace_of},
    rules::{Place, Protocol, managed_name, rules},
};
use rollout_core::traffic::{ByDestination, Destination, ObjectRef};
use serde_json::Value;
use std::collections::BTreeSet;

/// A VirtualService being examined: its name, and which of its rules are weighed (`None` if the Rollout does not name
/// it at all).
#[derive(Debug, Clone, Copy)]
pub(crate) struct RouteSource<'a> {
    pub(crate) name: &'a ObjectRef,
    pub(crate) weighed: Option<&'a BTreeSet<Place>>,
}

/// Marks in `used` the destinations that the unweighed routes of one VirtualService use. Invalid lists are for others
/// to report.
pub(crate) fn add(
    used: &mut ByDestination<bool>,
    config: &IstioConfig,
    host: Option<&str>,
    object: &Value,
    source: RouteSource<'_>,
) {
    for protocol in Protocol::ALL {
        for (index, rule) in rules(object, protocol).unwrap_or_default().iter().enumerate() {
            let ours = source.weighed.is_some();
            if ours && protocol == Protocol::Http && managed_name(config, rule).is_some() {
                continue;
            }
            let place = Place { protocol, index };
            let is_weighed = source.weighed.is_some_and(|weighed| weighed.contains(&place));
            for to in destinations(rule, !is_weighed) {
                if let Some(destination) = destination(config, host, to, source) {
                    used[destination] = true;
                }
            }
        }
    }
}

/// Iterates over the destinations of a rule: those of its mirrors and, on request, those of its routes.
pub(crate) fn destinations(rule: &Value, routes: bool) -> impl Iterator<Item = &Value> {
    let listed = |key| rule.get(key).and_then(Value::as_array).into_iter().flatten();
    let routes = listed("route").filter(move |_| routes);
    let whole = routes.chain(listed("mirrors")).filter_map(|entry| entry.get("destination"));
    whole.chain(rule.get("mirror"))
}

fn destination(
    config: &IstioConfig,
    host: Option<&str>,
    to: &Value,
    source: RouteSource<'_>,
) -> Option<Destination> {
    let at = to.get("host")?.as_str()?;
    let subset = to.get("subset").and_then(Value::as_str).filter(|subset| !subset.is_empty());
    let is_here = match namespace_of(at) {
        Some(namespace) => *namespace == *config.namespace,
        // A short host belongs to the VirtualService's own namespace. In the Rollout's own VirtualServices, Argo
        // Rollouts takes it for a host of the Rollout's namespace, wherever they are.
        None => source.weighed.is_some() || source.name.namespace == config.namespace,
    };
    if !is_here {
        return None;
    }
    let is = |name: Option<&str>| name.is_some_and(|name| first_label(name) == first_label(at));
    if let (Some(rule), Some(subset), true) = (&config.destination_rule, subset, is(host)) {
        if *subset == *rule.subsets.stable {
            return Some(Destination::Stable);
        }
        if *subset == *rule.subsets.canary {
            return Some(Destination::Canary);
        }
    }
    if is(config.services.canary.as_deref()) {
        return Some(Destination::Canary);
    }
    is(config.services.stable.as_deref()).then_some(Destination::Stable)
}
