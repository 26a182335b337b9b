//! The rules of a VirtualService that the Rollout weighs.

use crate::{
    config::{IstioConfig, VirtualServiceRef},
    problem::names,
    rules::{Place, Protocol, managed_name, name_of, rules},
    split::DestinationMatcher,
    traits::{Traits, found, traits},
};
use rollout_core::Finding;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The rules of one protocol that are not managed, with their indices.
type Own<'a> = Vec<(usize, &'a Value)>;

/// Returns the rules that one entry of `virtualServices` refers to, http ones in the order of its `routes`.
///
/// If the entry names rules of some protocols only, an unnamed rule of another may be foreign: the only rule of a
/// protocol is weighed if it contains both destinations. `routes` count only if there are http routes, as in Argo
/// Rollouts.
pub(crate) fn weighed(
    object: &Value,
    entry: &VirtualServiceRef,
    config: &IstioConfig,
    matcher: DestinationMatcher<'_>,
) -> Result<Vec<Place>, Finding> {
    let mut places = Vec::new();
    let named_any = !entry.routes.is_empty() || !entry.tls_routes.is_empty() || !entry.tcp_routes.is_empty();
    for protocol in Protocol::ALL {
        let rules = rules(object, protocol)?;
        if rules.is_empty() {
            continue;
        }
        let is_own = |rule: &Value| protocol != Protocol::Http || managed_name(config, rule).is_none();
        let own: Own<'_> = rules.iter().enumerate().filter(|(_, rule)| is_own(rule)).collect();
        let wanted = match protocol {
            Protocol::Http => Wanted::names(entry),
            Protocol::Tls => Wanted::tls(entry),
            Protocol::Tcp => Wanted::tcp(entry),
        };
        let indices = match wanted {
            Wanted::Nothing if named_any => only_if_ours(protocol, &own, matcher)?,
            Wanted::Nothing => only(protocol, &own)?,
            Wanted::Names(wanted) => named(rules, &own, wanted)?,
            Wanted::Traits(wanted) => matching(protocol, rules, &wanted)?,
        };
        places.extend(indices.into_iter().map(|index| Place { protocol, index }));
    }
    if places.is_empty() {
        return Err(nothing(object, entry));
    }
    Ok(places)
}

/// The names in an entry for one protocol.
enum Wanted<'a> {
    Nothing,
    Names(Vec<&'a str>),
    Traits(Vec<(Traits<'a>, String)>),
}

impl<'a> Wanted<'a> {
    fn names(entry: &'a VirtualServiceRef) -> Self {
        let names: Vec<_> = entry.routes.iter().map(|name| &**name).collect();
        if names.is_empty() { Self::Nothing } else { Self::Names(names) }
    }

    fn tls(entry: &'a VirtualServiceRef) -> Self {
        Self::traits(entry.tls_routes.iter().map(|tls| {
            let hosts = tls.sni_hosts.iter().map(|host| &**host);
            (Traits::new(tls.port.into(), hosts), tls.to_string())
        }))
    }

    fn tcp(entry: &'a VirtualServiceRef) -> Self {
        Self::traits(entry.tcp_routes.iter().map(|tcp| (Traits::new(tcp.port.into(), []), tcp.to_string())))
    }

    fn traits(wanted: impl Iterator<Item = (Traits<'a>, String)>) -> Self {
        let wanted: Vec<_> = wanted.collect();
        if wanted.is_empty() { Self::Nothing } else { Self::Traits(wanted) }
    }
}

/// Returns the only rule, if nothing is named at all.
fn only(protocol: Protocol, own: &Own<'_>) -> Result<Vec<usize>, Finding> {
    match own.as_slice() {
        [(index, _)] => Ok(vec![*index]),
        _ => Err(several(protocol, own)),
    }
}

fn only_if_ours(
    protocol: Protocol,
    own: &Own<'_>,
    matcher: DestinationMatcher<'_>,
) -> Result<Vec<usize>, Finding> {
    let ours: Vec<_> =
        own.iter().filter(|(_, rule)| matcher.both_in(rule)).map(|(index, _)| *index).collect();
    if own.len() > 1 && !ours.is_empty() { Err(several(protocol, own)) } else { Ok(ours) }
}

fn several(protocol: Protocol, own: &Own<'_>) -> Finding {
    let (count, path) = (own.len(), format!("spec.{}", protocol.key()));
    if protocol == Protocol::Http {
        let what = format!(
            "the Rollout names no route of this VirtualService, and it has {count} of the user's own (named: {})",
            names(own.iter().filter_map(|(_, rule)| name_of(rule))),
        );
        return Finding::error(path, what, "name the ones to split in `routes` of the Rollout");
    }
    let upper = protocol.key().to_uppercase();
    let what = format!(
        "the Rollout names no {upper} route of this VirtualService, and it has {count}: {}",
        found(own.iter().map(|(_, rule)| *rule)),
    );
    let instead = format!("name the ones to split in `{}Routes` of the Rollout", protocol.key());
    Finding::error(path, what, instead)
}

/// Returns the http rules with these names, in the order of the names.
fn named(rules: &[Value], own: &Own<'_>, wanted: Vec<&str>) -> Result<Vec<usize>, Finding> {
    let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, rule) in rules.iter().enumerate() {
        if let Some(name) = name_of(rule) {
            by_name.entry(name).or_default().push(index);
        }
    }
    let mut indices = Vec::new();
    for wanted in wanted {
        let Some(places) = by_name.get(wanted) else {
            let what = format!("HTTP Route '{wanted}' is not found in the defined Virtual Service.");
            let there: Vec<_> = own.iter().filter_map(|(_, rule)| name_of(rule)).collect();
            let instead = if there.is_empty() {
                format!("write `name: {wanted}` in the http route to split: none has a name")
            } else {
                format!("name one of these in `routes` of the Rollout: {}", names(there))
            };
            return Err(Finding::error("spec.http", what, instead));
        };
        indices.extend(places);
    }
    Ok(indices)
}

/// Returns the tls or tcp rules with the wanted identities.
fn matching(
    protocol: Protocol,
    rules: &[Value],
    wanted: &[(Traits<'_>, String)],
) -> Result<Vec<usize>, Finding> {
    let mut by_traits: BTreeMap<Traits<'_>, Vec<usize>> = BTreeMap::new();
    for (index, rule) in rules.iter().enumerate() {
        let mut traits = traits(rule);
        if protocol == Protocol::Tcp {
            traits.hosts.clear();
        }
        if traits.has_one_port() {
            by_traits.entry(traits).or_default().push(index);
        }
    }
    let (mut indices, mut there) = (Vec::new(), BTreeSet::new());
    for (wanted, text) in wanted {
        let Some(places) = by_traits.get(wanted) else {
            let upper = protocol.key().to_uppercase();
            let what = format!("No matching {upper} routes found in the defined Virtual Service. ({text})");
            let instead =
                format!("name one of these in `{}Routes` of the Rollout: {}", protocol.key(), found(rules));
            return Err(Finding::error(format!("spec.{}", protocol.key()), what, instead));
        };
        indices.extend(places.iter().filter(|index| there.insert(**index)));
    }
    Ok(indices)
}

/// Reports that no rule can be weighed.
fn nothing(object: &Value, entry: &VirtualServiceRef) -> Finding {
    let what = "there is no http, tls or tcp route in which traffic could be split";
    let there = |protocol| rules(object, protocol).unwrap_or_default();
    let (tls, tcp) = (there(Protocol::Tls), there(Protocol::Tcp));
    if tls.is_empty() && tcp.is_empty() || !there(Protocol::Http).is_empty() {
        return Finding::error("spec", what, "write a route with both destinations, stable and canary");
    }
    let what = match entry.routes.first() {
        Some(_) => "there is no http route, and no tls or tcp route has both destinations, stable and canary",
        None => what,
    };
    let listed = [("tlsRoutes", tls), ("tcpRoutes", tcp)].into_iter().filter(|(_, rules)| !rules.is_empty());
    let listed: Vec<_> = listed.map(|(key, rules)| format!("`{key}`: {}", found(rules))).collect();
    let instead = format!("name the ones to split in {} of the Rollout", listed.join(", in "));
    Finding::error("spec", what, instead)
}
