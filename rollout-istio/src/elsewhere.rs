//! Which destinations are named by routes that nobody weighs.

use crate::{
    config::IstioConfig,
    name::{first_label, namespace_of},
    rules::{Place, Protocol, managed_name, rules},
};
use rollout_core::traffic::{ByDestination, Destination, ObjectRef};
use serde_json::Value;
use std::collections::BTreeSet;

/// A VirtualService as it is looked through: its name, and which of its rules are weighed (`None` when it
/// is not ours at all).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Looked<'a> {
    pub(crate) name: &'a ObjectRef,
    pub(crate) weighed: Option<&'a BTreeSet<Place>>,
}

/// Adds to `named` which destinations the routes of one VirtualService name. Lists that make no sense are somebody
/// else's.
pub(crate) fn add(
    named: &mut ByDestination<bool>,
    config: &IstioConfig,
    host: Option<&str>,
    object: &Value,
    looked: Looked<'_>,
) {
    for protocol in Protocol::ALL {
        for (index, rule) in rules(object, protocol).unwrap_or_default().iter().enumerate() {
            let ours = looked.weighed.is_some();
            if ours && protocol == Protocol::Http && managed_name(config, rule).is_some() {
                continue;
            }
            let place = Place { protocol, index };
            let is_weighed = looked.weighed.is_some_and(|weighed| weighed.contains(&place));
            for to in destinations(rule, !is_weighed) {
                if let Some(destination) = destination(config, host, to, looked) {
                    named[destination] = true;
                }
            }
        }
    }
}

/// All destinations of a rule: those of its mirrors, and those of its routes if asked for.
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
    looked: Looked<'_>,
) -> Option<Destination> {
    let at = to.get("host")?.as_str()?;
    let subset = to.get("subset").and_then(Value::as_str).filter(|subset| !subset.is_empty());
    let is_here = match namespace_of(at) {
        Some(namespace) => *namespace == *config.namespace,
        // A short host is one of the VirtualService's own namespace; in our own VirtualServices Argo Rollouts
        // takes it for ours wherever they are.
        None => looked.weighed.is_some() || looked.name.namespace == config.namespace,
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
