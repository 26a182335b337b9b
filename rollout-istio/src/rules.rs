//! Which rules of a VirtualService are ours to weigh.

use crate::{
    config::{IstioConfig, TcpRoute, TlsRoute, VirtualServiceRef},
    problem::{Problem, names},
};
use serde_json::Value;
use std::collections::BTreeSet;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http,
    Tls,
    Tcp,
}

impl Protocol {
    pub(crate) const ALL: [Self; 3] = [Self::Http, Self::Tls, Self::Tcp];

    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Tls => "tls",
            Self::Tcp => "tcp",
        }
    }
}

/// One rule of a VirtualService.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) protocol: Protocol,
    pub(crate) index: usize,
}

impl Place {
    pub(crate) fn path(self) -> String {
        format!("spec.{}[{}]", self.protocol.key(), self.index)
    }

    pub(crate) fn of(self, object: &Value) -> Option<&Value> {
        object.get("spec")?.get(self.protocol.key())?.get(self.index)
    }

    pub(crate) fn of_mut(self, object: &mut Value) -> Option<&mut Value> {
        object.get_mut("spec")?.get_mut(self.protocol.key())?.get_mut(self.index)
    }
}

/// The rules of one protocol; none where the list is absent.
pub(crate) fn rules(object: &Value, protocol: Protocol) -> Result<&[Value], Problem> {
    match object.get("spec").and_then(|spec| spec.get(protocol.key())) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(rules)) => Ok(rules),
        Some(_) => {
            let path = format!("spec.{}", protocol.key());
            Err(Problem::new(path, "is no list of routes", "write a list"))
        }
    }
}

pub(crate) fn name_of(rule: &Value) -> Option<&str> {
    rule.get("name").and_then(Value::as_str).filter(|name| !name.is_empty())
}

/// The name of a managed route, if this is one.
pub(crate) fn managed_name<'a>(config: &IstioConfig, rule: &'a Value) -> Option<&'a str> {
    name_of(rule).filter(|name| config.managed_routes.iter().any(|managed| **managed == **name))
}

/// The rules that one entry of `virtualServices` means: http ones in the order of its `routes`.
pub(crate) fn weighed(
    object: &Value,
    entry: &VirtualServiceRef,
    config: &IstioConfig,
) -> Result<Vec<Place>, Problem> {
    let mut places = http(rules(object, Protocol::Http)?, entry, config)?;
    let tls = rules(object, Protocol::Tls)?;
    let wanted =
        entry.tls_routes.iter().map(|wanted| (wanted.to_string(), move |rule: &Value| is_tls(rule, wanted)));
    places.extend(matching(Protocol::Tls, tls, wanted.collect())?);
    let tcp = rules(object, Protocol::Tcp)?;
    let wanted =
        entry.tcp_routes.iter().map(|wanted| (wanted.to_string(), move |rule: &Value| is_tcp(rule, *wanted)));
    places.extend(matching(Protocol::Tcp, tcp, wanted.collect())?);
    if places.is_empty() {
        let what = "there is no http, tls or tcp route in which traffic could be split";
        return Err(Problem::new("spec", what, "write a route with both destinations, stable and canary"));
    }
    Ok(places)
}

fn http(rules: &[Value], entry: &VirtualServiceRef, config: &IstioConfig) -> Result<Vec<Place>, Problem> {
    let place = |index| Place { protocol: Protocol::Http, index };
    let own = || rules.iter().filter(|rule| managed_name(config, rule).is_none()).filter_map(name_of);
    if entry.routes.is_empty() {
        let own_places: Vec<_> = rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| managed_name(config, rule).is_none())
            .map(|(index, _)| place(index))
            .collect();
        if own_places.len() > 1 || (own_places.is_empty() && !rules.is_empty()) {
            let what = format!(
                "the Rollout names no route of this VirtualService, and it has {} of the user's own (named: {})",
                own_places.len(),
                names(own()),
            );
            let instead = "name the ones that are to be split in `routes` of the Rollout";
            return Err(Problem::new("spec.http", what, instead));
        }
        return Ok(own_places);
    }
    let mut places = Vec::new();
    for wanted in &entry.routes {
        let before = places.len();
        let named = rules.iter().enumerate().filter(|(_, rule)| name_of(rule) == Some(&**wanted));
        places.extend(named.map(|(index, _)| place(index)));
        if places.len() == before {
            let what = format!("HTTP Route '{wanted}' is not found in the defined Virtual Service.");
            let instead = format!("name one of these in `routes` of the Rollout: {}", names(own()));
            return Err(Problem::new("spec.http", what, instead));
        }
    }
    Ok(places)
}

/// Rules of a protocol without names: those that a wanted entry matches, or the only one.
fn matching<F: Fn(&Value) -> bool>(
    protocol: Protocol,
    rules: &[Value],
    wanted: Vec<(String, F)>,
) -> Result<Vec<Place>, Problem> {
    let place = |index| Place { protocol, index };
    let path = || format!("spec.{}", protocol.key());
    let upper = protocol.key().to_uppercase();
    let found = || rules.iter().map(|rule| traits(rule).to_string()).collect::<Vec<_>>().join("; ");
    if rules.is_empty() {
        return Ok(Vec::new());
    }
    if wanted.is_empty() {
        if rules.len() > 1 {
            let what = format!(
                "the Rollout names no {upper} route of this VirtualService, and it has {}: {}",
                rules.len(),
                found()
            );
            let instead =
                format!("name the ones that are to be split in `{}Routes` of the Rollout", protocol.key());
            return Err(Problem::new(path(), what, instead));
        }
        return Ok(vec![place(0)]);
    }
    let mut places = Vec::new();
    for (text, is) in wanted {
        let matched: Vec<_> =
            rules.iter().enumerate().filter(|(_, rule)| is(rule)).map(|(index, _)| place(index)).collect();
        if matched.is_empty() {
            let what = format!("No matching {upper} routes found in the defined Virtual Service. ({text})");
            let instead =
                format!("name one of these in `{}Routes` of the Rollout: {}", protocol.key(), found());
            return Err(Problem::new(path(), what, instead));
        }
        places.extend(matched.into_iter().filter(|place| !places.contains(place)).collect::<Vec<_>>());
    }
    Ok(places)
}

/// What a tls or tcp rule is known by: ports and hosts of all its match blocks together.
struct Traits<'a> {
    ports: BTreeSet<u64>,
    hosts: BTreeSet<&'a str>,
}

fn traits(rule: &Value) -> Traits<'_> {
    let blocks = || rule.get("match").and_then(Value::as_array).into_iter().flatten();
    let hosts = blocks().filter_map(|block| block.get("sniHosts")?.as_array()).flatten();
    Traits {
        ports: blocks().filter_map(|block| block.get("port")?.as_u64()).filter(|port| *port > 0).collect(),
        hosts: hosts.filter_map(Value::as_str).collect(),
    }
}

impl Traits<'_> {
    fn port_is(&self, wanted: u32) -> bool {
        self.ports.len() <= 1 && self.ports.first().copied().unwrap_or(0) == u64::from(wanted)
    }
}

impl std::fmt::Display for Traits<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.ports.len() {
            0 => f.write_str("no port")?,
            _ => write!(f, "port {}", self.ports.iter().map(u64::to_string).collect::<Vec<_>>().join(", "))?,
        }
        if self.hosts.is_empty() {
            Ok(())
        } else {
            write!(f, " and hosts {}", names(self.hosts.iter().copied()))
        }
    }
}

fn is_tls(rule: &Value, wanted: &TlsRoute) -> bool {
    let traits = traits(rule);
    traits.port_is(wanted.port) && traits.hosts == wanted.sni_hosts.iter().map(|host| &**host).collect()
}

fn is_tcp(rule: &Value, wanted: TcpRoute) -> bool {
    traits(rule).port_is(wanted.port)
}
