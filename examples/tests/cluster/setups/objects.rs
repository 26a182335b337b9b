//! What set-ups consist of.

use super::NAME;
use crate::{
    bed::{Namespace, Target},
    faults::web::{half, plain, routes},
};
use serde_json::{Value, json};

/// The port of the streams of this protocol (`tcp`, `tls`). The gateway is everybody's: it is theirs alone.
pub(super) fn port(protocol: &str) -> u16 {
    if protocol == "tls" { 9443 } else { 9100 }
}

/// A Rollout with so many pods whose canary strategy has these fields besides the steps.
pub(super) fn rollout(pods: u32, canary: Value) -> Value {
    let mut whole = json!({"steps": half(), "scaleDownDelaySeconds": 1, "abortScaleDownDelaySeconds": 1});
    if let (Some(whole), Value::Object(canary)) = (whole.as_object_mut(), canary) {
        whole.extend(canary);
    }
    if whole["trafficRouting"].is_null() {
        // Delays need traffic routing.
        whole["scaleDownDelaySeconds"].take();
        whole["abortScaleDownDelaySeconds"].take();
    }
    plain(NAME, pods, &whole)
}

/// A VirtualService for this host, which splits requests between two destinations.
pub(super) fn split(name: &str, host: &str, stable: &Value, canary: &Value) -> Value {
    json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": name},
        "spec": {"hosts": [host], "http": [{
            "name": "primary", "retries": {"attempts": 0},
            "route": [{"weight": 100, "destination": stable}, {"weight": 0, "destination": canary}]
        }]}
    })
}

/// The whole name of the Service in this namespace.
pub(super) fn full(namespace: &str) -> String {
    format!("{NAME}.{namespace}.svc.cluster.local")
}

/// The VirtualService of another namespace that leads to this one.
pub(super) fn elsewhere(space: &Namespace) -> Value {
    let host = |name: &str| json!({"host": format!("{name}.{}.svc.cluster.local", space.name)});
    let mut route = split(NAME, &full(&space.name), &host("web-stable"), &host("web-canary"));
    route["metadata"]["annotations"] = json!({rollout_istio::ALLOW_FROM_ANNOTATION: space.name});
    route
}

/// A Service, a Gateway, a VirtualService and a DestinationRule for streams of this protocol (`tcp`, `tls`).
pub(super) fn streams(space: &Namespace, protocol: &str) -> Vec<Value> {
    let (host, port) = (full(&space.name), port(protocol));
    let to = |subset, weight| json!({"weight": weight, "destination": {"host": NAME, "subset": subset}});
    let matched =
        if protocol == "tls" { json!({"port": port, "sniHosts": [host]}) } else { json!({"port": port}) };
    let mut server = json!({"port": {"name": protocol, "number": port, "protocol": "TCP"}, "hosts": ["*"]});
    if protocol == "tls" {
        server["port"]["protocol"] = json!("TLS");
        server["tls"] = json!({"mode": "PASSTHROUGH"});
        server["hosts"] = json!([host]);
    }
    let [_, rule] = routes(NAME);
    vec![
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME},
            "spec": {"selector": {"app": NAME}, "ports": [{"name": protocol, "port": port, "targetPort": 8080}]}
        }),
        json!({
            "apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": NAME},
            "spec": {"selector": {"istio": "ingressgateway"}, "servers": [server]}
        }),
        json!({
            "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": NAME},
            "spec": {"hosts": [host], "gateways": [NAME], protocol: [
                {"match": [matched], "route": [to("stable", 100), to("canary", 0)]}
            ]}
        }),
        rule,
    ]
}

/// Through the gateway: each request has a connection of its own.
pub(super) fn stream_targets(space: &Namespace, protocol: &str) -> Vec<Target> {
    let scheme = if protocol == "tls" { "https" } else { "tcp" };
    vec![Target::new("gateway", &format!("{scheme}://{}:{}/", full(&space.name), port(protocol)))]
}

/// The usual routes with a third subset, which has a tenth of the requests, and its pod.
pub(super) fn with_a_third_subset() -> Vec<Value> {
    let [mut route, mut rule] = routes(NAME);
    let pinned = json!({"app": NAME, "version": "pinned"});
    let entries = &mut route["spec"]["http"][0]["route"];
    entries[0]["weight"] = json!(90);
    let third = json!({"weight": 10, "destination": {"host": NAME, "subset": "pinned"}});
    entries.as_array_mut().unwrap().push(third);
    let subset = json!({"name": "pinned", "labels": {"version": "pinned"}});
    rule["spec"]["subsets"].as_array_mut().unwrap().push(subset);
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "pinned"},
        "spec": {"replicas": 1, "selector": {"matchLabels": pinned}, "template": {
            "metadata": {"labels": pinned},
            "spec": {"containers": [{"name": "c", "image": format!("{NAME}:v0")}]}
        }}
    });
    vec![route, rule, deployment]
}

/// Gives the Rollout's template to a Deployment, which is returned.
pub(super) fn given_away(rollout: &mut Value, scale_down: &str) -> Value {
    let spec = rollout["spec"].as_object_mut().unwrap();
    let (selector, template) = (spec.remove("selector"), spec.remove("template"));
    let reference =
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": NAME, "scaleDown": scale_down});
    spec.insert("workloadRef".to_owned(), reference);
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": NAME},
        "spec": {"replicas": spec["replicas"], "selector": selector, "template": template}
    })
}
