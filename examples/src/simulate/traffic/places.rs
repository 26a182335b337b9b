//! What labels may say about the requests of a simulation.

use super::super::promql::Matcher;
use rollout_core::{argo::wire::Rollout, traffic::Destination};
use serde_json::Value;

/// The names around one Rollout that a label may hold.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    name: String,
    namespace: String,
    /// Names that belong to requests of any revision.
    shared: Vec<String>,
    stable: Vec<String>,
    canary: Vec<String>,
}

/// Labels that hold the code of an answer, and its class.
const CODES: [&str; 8] = [
    "code",
    "status",
    "status_code",
    "response_code",
    "http_code",
    "http_status_code",
    "http_response_status_code",
    "envoy_response_code",
];
const CLASSES: [&str; 4] = ["envoy_response_code_class", "response_code_class", "status_class", "code_class"];

/// The ports in the names of Envoy's clusters that are tried.
const PORTS: [u16; 6] = [80, 8080, 8000, 9080, 443, 8443];

/// Requests that count together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind<'k> {
    pub(super) destination: Destination,
    pub(super) revision: &'k str,
    pub(super) is_bad: bool,
}

impl Places {
    pub(super) fn of(manifest: &Value) -> Self {
        let wire = Rollout::from_value(manifest);
        let text =
            |pointer: &str| manifest.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let namespace = text("/metadata/namespace");
        let namespace = if namespace.is_empty() { "default".to_owned() } else { namespace };
        let services = wire.services();
        let istio = "/spec/strategy/canary/trafficRouting/istio/destinationRule";
        let names = |service: Option<&str>, subset: &str| {
            let mut names = Vec::new();
            let subset = text(&format!("{istio}/{subset}"));
            if let Some(service) = service.filter(|service| !service.is_empty()) {
                names.extend(hosts(service, &namespace));
                names.extend(clusters("", &hosts(service, &namespace)));
            }
            if !subset.is_empty() {
                names.push(subset);
            }
            names
        };
        let labels = ["/metadata/labels", "/spec/template/metadata/labels", "/spec/selector/matchLabels"];
        let shared = labels.iter().filter_map(|place| manifest.pointer(place)?.as_object());
        let shared = shared.flatten().filter_map(|(_, value)| Some(value.as_str()?.to_owned()));
        let mut shared: Vec<String> = shared.collect();
        let name = text("/metadata/name");
        // As Istio names both sides, and a gateway.
        shared.extend(["source".into(), "destination".into(), namespace.clone(), name.clone()]);
        shared.extend(hosts(&name, &namespace));
        let stable = names(services.stable, "stableSubsetName");
        let canary = names(services.canary, "canarySubsetName");
        Self { name, namespace, shared, stable, canary }
    }

    /// Whether a matcher names these requests; nothing if the label says nothing about requests of a simulation.
    pub(super) fn says(&self, matcher: &Matcher, of: Kind<'_>, revisions: &[&str]) -> Option<bool> {
        let label = matcher.label.as_str();
        let any = |names: &[&str]| names.iter().any(|name| matcher.names(name));
        if CODES.contains(&label) {
            return Some(any(if of.is_bad { &["500"] } else { &["200"] }));
        }
        if CLASSES.contains(&label) {
            return Some(any(if of.is_bad { &["5", "5xx"] } else { &["2", "2xx"] }));
        }
        let is_named = |names: &[String]| {
            let parts = |name: &String| {
                // Envoy's cluster of a subset: outbound|80|canary|web.shop.svc.cluster.local
                let subset =
                    matcher.value.split('|').nth(2).filter(|_| matcher.value.starts_with("outbound|"));
                matcher.names(name) || subset.is_some_and(|subset| subset == name)
            };
            names.iter().any(parts)
        };
        let of_revision = |revision: &str| {
            let workload = format!("{}-{revision}", self.name);
            matcher.names(revision) || matcher.names(&workload) || matcher.names(&format!("{workload}-x7k2p"))
        };
        let (own, other) = if of.destination == Destination::Canary {
            (&self.canary, &self.stable)
        } else {
            (&self.stable, &self.canary)
        };
        let named = is_named(own) || of_revision(of.revision);
        let others = is_named(other) || revisions.iter().any(|revision| of_revision(revision));
        if named || others {
            return Some(named);
        }
        is_named(&self.shared).then_some(true)
    }

    pub(super) fn namespace(&self) -> &str {
        &self.namespace
    }
}

/// How a Service is named.
fn hosts(service: &str, namespace: &str) -> Vec<String> {
    let short = service.split('.').next().unwrap_or(service);
    ["", &format!(".{namespace}"), &format!(".{namespace}.svc"), &format!(".{namespace}.svc.cluster.local")]
        .map(|rest| format!("{short}{rest}"))
        .into()
}

fn clusters(subset: &str, hosts: &[String]) -> Vec<String> {
    let of = |port: u16| hosts.iter().map(move |host| format!("outbound|{port}|{subset}|{host}"));
    PORTS.into_iter().flat_map(of).collect()
}
