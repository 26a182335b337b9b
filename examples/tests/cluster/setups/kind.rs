//! Which set-ups there are.

use super::{NAME, objects};
use crate::bed::{Bed, Namespace, Target};
use serde_json::{Value, json};

/// A set-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A canary by pods, without Services of its own.
    Basic,
    /// The same, with both Services.
    Services,
    /// Two Services as the destinations of a route.
    Hosts,
    /// Two Services that take turns as stable (`pingPong`).
    Turns,
    /// Two subsets.
    Subsets,
    /// Two VirtualServices.
    Several,
    /// A VirtualService in another namespace.
    Elsewhere,
    /// A route for TCP, through the gateway.
    Tcp,
    /// A route for TLS that nobody on the way ends.
    Tls,
    /// A third subset that keeps its share.
    Additional,
    /// The canary keeps away from the nodes of stable.
    AntiAffinity,
    /// Stable keeps the pods for its share (ten pods).
    DynamicStable,
    /// Pods have labels and annotations for their role.
    Metadata,
    /// The template of a Deployment, which keeps its pods.
    RefNever,
    /// The template of a Deployment, which goes when all is done.
    RefOnSuccess,
    /// The template of a Deployment, which goes pod by pod.
    RefProgressively,
}

impl Kind {
    pub(super) const ALL: [Self; 16] = [
        Self::Basic,
        Self::Services,
        Self::Hosts,
        Self::Turns,
        Self::Subsets,
        Self::Several,
        Self::Elsewhere,
        Self::Tcp,
        Self::Tls,
        Self::Additional,
        Self::AntiAffinity,
        Self::DynamicStable,
        Self::Metadata,
        Self::RefNever,
        Self::RefOnSuccess,
        Self::RefProgressively,
    ];

    /// Its name in the table, and what namespaces are named after.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Services => "services",
            Self::Hosts => "hosts",
            Self::Turns => "ping-pong",
            Self::Subsets => "subsets",
            Self::Several => "several",
            Self::Elsewhere => "elsewhere",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Additional => "additional-subset",
            Self::AntiAffinity => "anti-affinity",
            Self::DynamicStable => "dynamic-stable",
            Self::Metadata => "metadata",
            Self::RefNever => "ref-never",
            Self::RefOnSuccess => "ref-onsuccess",
            Self::RefProgressively => "ref-progressively",
        }
    }

    /// How many pods the Rollout has.
    pub(super) const fn pods(self) -> u32 {
        if matches!(self, Self::DynamicStable) { 10 } else { 3 }
    }

    /// The object whose template is changed.
    pub(super) const fn template(self) -> &'static str {
        match self.scale_down() {
            Some(_) => "deployment",
            None => "rollout",
        }
    }

    /// What becomes of the Deployment to which the Rollout refers.
    const fn scale_down(self) -> Option<&'static str> {
        if matches!(self, Self::RefNever) {
            Some("never")
        } else if matches!(self, Self::RefOnSuccess) {
            Some("onsuccess")
        } else if matches!(self, Self::RefProgressively) {
            Some("progressively")
        } else {
            None
        }
    }

    /// Everything that it consists of, to be applied in this namespace.
    pub(super) fn set_up(self, bed: &std::sync::Arc<Bed>, space: &Namespace) -> SetUp {
        let elsewhere = (self == Self::Elsewhere).then(|| bed.namespace("routing"));
        let there = elsewhere.as_ref().map_or(&*space.name, |there| &*there.name);
        let mut rollout = objects::rollout(self.pods(), self.canary(there));
        let mut around = self.around(space);
        if let Some(there) = &elsewhere {
            crate::faults::web::apply(there, &[objects::elsewhere(space)]);
        }
        if let Some(scale_down) = self.scale_down() {
            around.push(objects::given_away(&mut rollout, scale_down));
        }
        SetUp { kind: self, rollout, around, targets: self.targets(space), _elsewhere: elsewhere }
    }

    /// The fields of the canary strategy besides its steps.
    fn canary(self, there: &str) -> Value {
        let routed = |route: &Value| {
            json!({"trafficRouting": {"istio": {
                "virtualService": route,
                "destinationRule": {"name": NAME, "canarySubsetName": "canary", "stableSubsetName": "stable"}
            }}})
        };
        let services = json!({"stableService": "web-stable", "canaryService": "web-canary"});
        let with = |mut value: Value, field: &str, content: Value| {
            value[field] = content;
            value
        };
        let subsets = || routed(&json!({"name": NAME, "routes": ["primary"]}));
        match self {
            Self::Basic => json!({}),
            Self::Services => json!({"stableService": NAME, "canaryService": "web-canary"}),
            Self::Hosts => {
                with(services, "trafficRouting", json!({"istio": {"virtualService": {"name": NAME}}}))
            }
            Self::Elsewhere => {
                let name = format!("{NAME}.{there}");
                with(services, "trafficRouting", json!({"istio": {"virtualService": {"name": name}}}))
            }
            Self::Turns => json!({
                "pingPong": {"pingService": "web-ping", "pongService": "web-pong"},
                "trafficRouting": {"istio": {"virtualService": {"name": NAME}}}
            }),
            Self::Several => {
                let mut several = subsets();
                let istio = &mut several["trafficRouting"]["istio"];
                istio["virtualServices"] = json!([{"name": NAME, "routes": ["primary"]}, {"name": "shop"}]);
                istio.as_object_mut().unwrap().remove("virtualService");
                several
            }
            Self::Tcp => routed(&json!({"name": NAME, "tcpRoutes": [{"port": objects::port("tcp")}]})),
            Self::Tls => {
                let sni = objects::full(there);
                let port = objects::port("tls");
                routed(&json!({"name": NAME, "tlsRoutes": [{"port": port, "sniHosts": [sni]}]}))
            }
            Self::Additional => {
                let mut additional = subsets();
                additional["trafficRouting"]["istio"]["destinationRule"]["additionalSubsetNames"] =
                    json!(["pinned"]);
                additional
            }
            Self::AntiAffinity => {
                with(subsets(), "antiAffinity", json!({"requiredDuringSchedulingIgnoredDuringExecution": {}}))
            }
            Self::DynamicStable => {
                let dynamic = with(subsets(), "dynamicStableScale", json!(true));
                with(dynamic, "scaleDownDelaySeconds", Value::Null)
            }
            Self::Metadata => {
                let role = |role: &str| json!({"labels": {"role": role}, "annotations": {role: "yes"}});
                let canary = with(subsets(), "canaryMetadata", role("canary"));
                with(canary, "stableMetadata", role("stable"))
            }
            Self::Subsets | Self::RefNever | Self::RefOnSuccess | Self::RefProgressively => subsets(),
        }
    }

    /// Services, and what leads to them.
    fn around(self, space: &Namespace) -> Vec<Value> {
        let service = |name: &str| crate::faults::web::service(name, NAME);
        let host = |name: &str| json!({"host": name});
        let subset = |name: &str| json!({"host": NAME, "subset": name});
        let mut around = vec![service(NAME)];
        match self {
            Self::Basic => {}
            Self::Services => around.push(service("web-canary")),
            Self::Hosts => around.extend([
                service("web-stable"),
                service("web-canary"),
                objects::split(NAME, NAME, &host("web-stable"), &host("web-canary")),
            ]),
            Self::Elsewhere => around.extend([service("web-stable"), service("web-canary")]),
            Self::Turns => around.extend([
                service("web-ping"),
                service("web-pong"),
                objects::split(NAME, NAME, &host("web-ping"), &host("web-pong")),
            ]),
            Self::Several => {
                around.extend([
                    service("shop"),
                    objects::split("shop", "shop", &subset("stable"), &subset("canary")),
                ]);
                around.extend(crate::faults::web::routes(NAME));
            }
            Self::Tcp | Self::Tls => {
                let protocol = if self == Self::Tcp { "tcp" } else { "tls" };
                around = objects::streams(space, protocol);
            }
            Self::Additional => around.extend(objects::with_a_third_subset()),
            Self::Subsets
            | Self::AntiAffinity
            | Self::DynamicStable
            | Self::Metadata
            | Self::RefNever
            | Self::RefOnSuccess
            | Self::RefProgressively => around.extend(crate::faults::web::routes(NAME)),
        }
        around
    }

    /// Where requests go.
    fn targets(self, space: &Namespace) -> Vec<Target> {
        if matches!(self, Self::Tcp | Self::Tls) {
            return objects::stream_targets(space, if self == Self::Tcp { "tcp" } else { "tls" });
        }
        let mut hosts = vec![NAME];
        hosts.extend((self == Self::Hosts).then_some("web-stable"));
        hosts.extend((self == Self::Several).then_some("shop"));
        let through =
            |host: &&str| ["sidecar-1", "sidecar-2"].map(|proxy| Target::service(proxy, space, host, 8000));
        hosts.iter().flat_map(through).collect()
    }
}

/// A set-up, to be applied.
#[derive(Debug)]
pub(super) struct SetUp {
    pub(super) kind: Kind,
    pub(super) rollout: Value,
    /// All but the Rollout.
    pub(super) around: Vec<Value>,
    pub(super) targets: Vec<Target>,
    /// It is there as long as this is held.
    _elsewhere: Option<Namespace>,
}
