//! Names of other objects, which end up in request paths.

use super::notes::Notes;
use crate::{DnsName, Escaped, NotADnsName, argo::wire::Canary};
use alloc::{format, string::String};

const ISTIO: &str = "spec.strategy.canary.trafficRouting.istio";
/// The maximum length of a route's name in bytes.
const ROUTE: usize = 253;

pub(super) fn check(canary: &Canary, notes: &mut Notes) {
    let by_turns = canary.ping_pong.as_ref();
    let services = [
        ("stableService", canary.stable_service.as_deref()),
        ("canaryService", canary.canary_service.as_deref()),
        ("pingPong.pingService", by_turns.and_then(|services| services.ping_service.as_deref())),
        ("pingPong.pongService", by_turns.and_then(|services| services.pong_service.as_deref())),
    ];
    for (field, name) in services {
        name_of(&format!("spec.strategy.canary.{field}"), name, DnsName::label, notes);
    }
    let Some(routing) = &canary.traffic_routing else { return };
    for (index, route) in routing.managed_routes.iter().flatten().enumerate() {
        let path = format!("spec.strategy.canary.trafficRouting.managedRoutes[{index}].name");
        route_name(path, route.name.as_deref().unwrap_or_default(), notes);
    }
    let Some(istio) = &routing.istio else { return };
    if let Some(service) = &istio.virtual_service {
        name_of(&format!("{ISTIO}.virtualService.name"), service.name.as_deref(), DnsName::parse, notes);
    }
    for (index, service) in istio.virtual_services.iter().flatten().enumerate() {
        let path = format!("{ISTIO}.virtualServices[{index}].name");
        name_of(&path, service.name.as_deref(), DnsName::parse, notes);
    }
    if let Some(rule) = &istio.destination_rule {
        name_of(&format!("{ISTIO}.destinationRule.name"), rule.name.as_deref(), DnsName::parse, notes);
    }
}

/// Checks the name of an object. A missing or empty name is for other rules.
fn name_of(
    path: &str,
    name: Option<&str>,
    parse: fn(&str) -> Result<DnsName, NotADnsName>,
    notes: &mut Notes,
) {
    if let Some(Err(error)) = name.filter(|name| !name.is_empty()).map(parse) {
        notes.ours(path, format!("{error}"), slash(path, name).unwrap_or_else(|| DnsName::INSTEAD.into()));
    }
}

/// Suggests what to write instead of `namespace/name`, the notation of other programs for an object in another
/// namespace.
fn slash(path: &str, name: Option<&str>) -> Option<String> {
    let (namespace, name) = name?.split_once('/').filter(|_| path.contains("virtualService"))?;
    let both = [DnsName::label(namespace).ok()?, DnsName::parse(name).ok()?];
    let [namespace, name] = both;
    Some(format!("write `name: {name}.{namespace}`: the namespace comes after the last dot"))
}

/// Checks the name of a route, which may be any visible text.
fn route_name(path: String, name: &str, notes: &mut Notes) {
    let shown = format!("{}", Escaped(name));
    if name.len() > ROUTE {
        notes.ours(path, "the name of a route is too long", format!("write {ROUTE} bytes at most"));
    } else if shown != name {
        let message = format!("\"{shown}\" contains invisible characters");
        notes.ours(path, message, "write a name without control characters");
    }
}

#[cfg(test)]
mod tests {
    use crate::argo::check;
    use alloc::{string::String, vec::Vec};
    use serde_json::{Value, json};

    fn errors(canary: &Value) -> Vec<String> {
        let report = check(&json!({"spec": {"strategy": {"canary": canary}}}));
        let paths = report.errors().filter(|error| error.what.contains("is not a DNS name"));
        paths.map(|error| error.path.clone()).collect()
    }

    #[test]
    fn what_is_no_name_is_an_error_where_it_stands() {
        let bad = "web?dryRun=All";
        let canary = json!({
            "stableService": bad, "canaryService": "web.canary",
            "trafficRouting": {"istio": {
                "virtualServices": [{"name": "ok.shop"}, {"name": bad}],
                "destinationRule": {"name": "../x", "canarySubsetName": "c", "stableSubsetName": "s"}
            }}
        });
        let istio = "spec.strategy.canary.trafficRouting.istio";
        assert_eq!(
            errors(&canary),
            [
                "spec.strategy.canary.stableService",
                "spec.strategy.canary.canaryService",
                &*alloc::format!("{istio}.virtualServices[1].name"),
                &*alloc::format!("{istio}.destinationRule.name"),
            ]
        );
        let one = json!({"trafficRouting": {"istio": {"virtualService": {"name": "a/b"}}}});
        assert_eq!(errors(&one), [alloc::format!("{istio}.virtualService.name")]);
    }

    #[test]
    fn names_and_what_is_missing_are_fine_here() {
        let istio = json!({"virtualService": {"name": "web.shop"}, "destinationRule": {"name": "web"}});
        let canary = json!({"stableService": "web", "canaryService": "", "trafficRouting": {"istio": istio}});
        assert_eq!(errors(&canary), [""; 0]);
    }

    #[test]
    fn the_name_of_a_managed_route_can_be_seen() {
        let message = |name: &str| {
            let routing =
                json!({"istio": {"virtualService": {"name": "web"}}, "managedRoutes": [{"name": name}]});
            let report = check(&json!({"spec": {"strategy": {"canary": {"trafficRouting": routing}}}}));
            report
                .errors()
                .find(|error| error.path.ends_with("managedRoutes[0].name"))
                .map(|e| e.what.clone())
        };
        assert_eq!(message("canary header 1"), None);
        assert_eq!(message("a\n\u{202e}b").unwrap(), "\"a\\n\\u{202e}b\" contains invisible characters");
        assert_eq!(message(&"x".repeat(254)).unwrap(), "the name of a route is too long");
    }
}
