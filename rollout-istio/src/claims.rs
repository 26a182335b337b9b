//! The claims of a Rollout on its Istio objects.

use crate::{
    config::{IstioConfig, TlsRouteRef, VirtualServiceRef},
    name,
    rules::Protocol,
};
use rollout_core::{backend::Claim, traffic::ObjectRef};
use std::collections::BTreeSet;

/// Returns the routes and subsets that the Rollout names; all routes of a VirtualService if it names none of them.
///
/// A managed route counts as a route of its name: no other Rollout may set its weights, or manage one of that name.
pub(crate) fn claims(config: &IstioConfig) -> Vec<Claim> {
    let mut claims = BTreeSet::new();
    if let Some(rule) = &config.destination_rule {
        let object = name::destination_rule(&config.namespace, &rule.name);
        for subset in [&rule.subsets.stable, &rule.subsets.canary] {
            let object = object.clone();
            claims.insert(Claim::new(config.rollout.clone(), object, "spec.subsets", "subset", Some(subset)));
        }
    }
    for entry in &config.virtual_services {
        let object = entry.object(&config.namespace);
        claims.extend(routes(config, entry, &object));
    }
    claims.into_iter().collect()
}

fn routes(config: &IstioConfig, entry: &VirtualServiceRef, object: &ObjectRef) -> Vec<Claim> {
    let claim = |protocol: Protocol, name: Option<&str>| {
        let (path, kind) = (format!("spec.{}", protocol.key()), format!("{} route", protocol.key()));
        Claim::new(config.rollout.clone(), object.clone(), &path, &kind, name)
    };
    if entry.routes.is_empty() && entry.tls_routes.is_empty() && entry.tcp_routes.is_empty() {
        return Protocol::ALL.into_iter().map(|protocol| claim(protocol, None)).collect();
    }
    let http = entry.routes.iter().chain(&config.managed_routes);
    let http = http.map(|route| claim(Protocol::Http, Some(route)));
    let tls = entry.tls_routes.iter().map(|route| claim(Protocol::Tls, Some(&in_order(route).to_string())));
    let tcp = entry.tcp_routes.iter().map(|route| claim(Protocol::Tcp, Some(&route.to_string())));
    http.chain(tls).chain(tcp).collect()
}

/// Sorts the hosts of the route, because their order has no meaning.
fn in_order(route: &TlsRouteRef) -> TlsRouteRef {
    let hosts: BTreeSet<_> = route.sni_hosts.iter().cloned().collect();
    TlsRouteRef { port: route.port, sni_hosts: hosts.into_iter().collect() }
}
