//! What labels may say about the requests of a simulation.

use super::super::promql::Matcher;
use rollout_core::{argo::wire::Rollout, traffic::Destination};
use serde_json::Value;

/// The names around one Rollout that a label may hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    name: String,
    namespace: String,
    /// Names that belong to requests of any revision.
    shared: Vec<String>,
    /// Labels of pods that only one revision has.
    base: Vec<String>,
    new: Vec<String>,
    stable: Vec<String>,
    canary: Vec<String>,
}

/// Labels that hold the code of an answer, and its class.
pub(super) const CODES: [&str; 8] = [
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
    /// Whether it is the revision from before the update.
    pub(super) is_base: bool,
    pub(super) is_bad: bool,
}

/// What a condition on a label means for requests of a simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It selects some of them.
    Some,
    /// It asks for a code that no answer has.
    NoAnswer,
    /// Nothing: they have no such label, or no such name.
    None,
}

/// What a label holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// The code of an answer, or its class.
    Code,
    Class,
    /// Something about who asks, which is not simulated, or a name that all revisions share.
    Shared,
    /// The destination or the revision.
    Side,
}

impl Holds {
    fn of(label: &str) -> Self {
        if CODES.contains(&label) {
            Self::Code
        } else if CLASSES.contains(&label) {
            Self::Class
        } else if label.starts_with("source_") || label.ends_with("namespace") || label.ends_with("app") {
            Self::Shared
        } else {
            Self::Side
        }
    }
}

impl Places {
    /// Around a Rollout, with the pod templates from before and after the update.
    pub(crate) fn of(before: &Value, after: &Value) -> Self {
        let text = |pointer: &str| before.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let wire = Rollout::from_value(before);
        let (name, namespace) = (text("/metadata/name"), text("/metadata/namespace"));
        let namespace = if namespace.is_empty() { "default" } else { namespace };
        let services = wire.services();
        let istio = "/spec/strategy/canary/trafficRouting/istio/destinationRule";
        let names = |service: Option<&str>, subset: &str| {
            let subset = text(&format!("{istio}/{subset}"));
            let service = service.filter(|service| !service.is_empty());
            let mut names = service.map_or_else(Vec::new, |service| hosts(service, namespace));
            names.extend(clusters(&names));
            names.extend((!subset.is_empty()).then(|| subset.to_owned()));
            names
        };
        let mut shared = values(before, "/metadata/labels");
        // As Istio names both sides.
        shared.extend(["source", "destination", namespace, name].map(str::to_owned));
        shared.extend(hosts(name, namespace));
        let [mut base, mut new] =
            [before, after].map(|manifest| values(manifest, "/spec/template/metadata/labels"));
        shared.extend(base.iter().filter(|value| new.contains(value)).cloned());
        base.retain(|value| !shared.contains(value));
        new.retain(|value| !shared.contains(value));
        let stable = names(services.stable, "stableSubsetName");
        let canary = names(services.canary, "canarySubsetName");
        let (name, namespace) = (name.to_owned(), namespace.to_owned());
        Self { name, namespace, shared, base, new, stable, canary }
    }

    /// Whether a matcher names these requests; nothing if the label says nothing about requests of a simulation.
    pub(super) fn says(&self, matcher: &Matcher, of: Kind<'_>, revisions: &[&str]) -> Option<bool> {
        let any = |names: &[&str]| names.iter().any(|name| matcher.names(name));
        let is_shared = self.shared.iter().any(|name| matcher.names(name));
        match Holds::of(&matcher.label) {
            Holds::Code => return Some(any(if of.is_bad { &["500"] } else { &["200"] })),
            Holds::Class => return Some(any(if of.is_bad { &["5", "5xx"] } else { &["2", "2xx"] })),
            Holds::Shared if is_shared || matcher.label.starts_with("source_") => return Some(true),
            Holds::Shared | Holds::Side => {}
        }
        // Envoy's cluster of a subset: outbound|80|canary|web.shop.svc.cluster.local
        let subset = matcher.value.split('|').nth(2).filter(|_| matcher.value.starts_with("outbound|"));
        let is_named = |names: &[String]| {
            names.iter().any(|name| matcher.names(name) || subset.is_some_and(|subset| subset == name))
        };
        let of_revision = |revision: &str| any(&self.names_of(revision).each_ref().map(String::as_str));
        let is_canary = of.destination == Destination::Canary;
        let (own, other) =
            if is_canary { (&self.canary, &self.stable) } else { (&self.stable, &self.canary) };
        let (own_labels, other_labels) =
            if of.is_base { (&self.base, &self.new) } else { (&self.new, &self.base) };
        let named = is_named(own) || is_named(own_labels) || of_revision(of.revision);
        let others = || {
            is_named(other)
                || is_named(other_labels)
                || revisions.iter().any(|revision| of_revision(revision))
        };
        if named || others() {
            return Some(named);
        }
        is_shared.then_some(true)
    }

    /// What a matcher says about requests of a simulation. The revisions have no hashes yet.
    pub(super) fn meaning(&self, matcher: &Matcher) -> Meaning {
        let revisions = [LATEST, STABLE];
        let kinds = revisions.into_iter().flat_map(|revision| {
            [Destination::Stable, Destination::Canary].into_iter().flat_map(move |destination| {
                [false, true].map(|is_bad| Kind {
                    destination,
                    revision,
                    is_base: revision == STABLE,
                    is_bad,
                })
            })
        });
        let said: Vec<bool> = kinds.filter_map(|kind| self.says(matcher, kind, &revisions)).collect();
        match said.as_slice() {
            [] => Meaning::None,
            said if said.contains(&true) => Meaning::Some,
            _ => Meaning::NoAnswer,
        }
    }

    /// How the pods of a revision are named: by hash, by ReplicaSet, and one of them.
    pub(super) fn names_of(&self, revision: &str) -> [String; 3] {
        let workload = format!("{}-{revision}", self.name);
        [revision.to_owned(), workload.clone(), format!("{workload}-x7k2p")]
    }

    /// The Service of a destination, if there is one.
    pub(super) fn service(&self, destination: Destination) -> Option<&str> {
        let names = if destination == Destination::Canary { &self.canary } else { &self.stable };
        names.first().map(String::as_str)
    }

    pub(super) fn namespace(&self) -> &str {
        &self.namespace
    }
}

/// In place of the hashes, before anything is played.
pub(crate) const STABLE: &str = "stable";
pub(crate) const LATEST: &str = "latest";

fn values(manifest: &Value, labels: &str) -> Vec<String> {
    let labels = manifest.pointer(labels).and_then(Value::as_object);
    labels.into_iter().flatten().filter_map(|(_, value)| Some(value.as_str()?.to_owned())).collect()
}

/// How a Service is named; the short name first.
fn hosts(service: &str, namespace: &str) -> Vec<String> {
    let short = service.split('.').next().unwrap_or(service);
    let ends = ["", &format!(".{namespace}"), &format!(".{namespace}.svc")].map(str::to_owned);
    let whole = format!(".{namespace}.svc.cluster.local");
    ends.into_iter().chain([whole]).map(|rest| format!("{short}{rest}")).collect()
}

fn clusters(hosts: &[String]) -> Vec<String> {
    let of = |port: u16| hosts.iter().map(move |host| format!("outbound|{port}||{host}"));
    PORTS.into_iter().flat_map(of).collect()
}
