//! The objects of the Rollouts that are played.

use crate::history::{App, History, Step};
use serde_json::{Value, json};

const ISTIO: &str = "/apis/networking.istio.io/v1alpha3/namespaces/shop";

pub(crate) fn name(at: usize) -> String {
    format!("app-{at}")
}

pub(crate) fn rollout_path(at: usize) -> String {
    format!("/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/{}", name(at))
}

pub(crate) fn set_path(name: &str) -> String {
    format!("/apis/apps/v1/namespaces/shop/replicasets/{name}")
}

pub(crate) fn pod_path(name: &str) -> String {
    format!("/api/v1/namespaces/shop/pods/{name}")
}

/// The VirtualService that an app's route is in.
pub(crate) fn route_of(history: &History, at: usize) -> String {
    if history.apps[at].shares { "shared".to_owned() } else { name(at) }
}

pub(crate) fn rule_path(name: &str) -> String {
    format!("{ISTIO}/destinationrules/{name}")
}

pub(crate) fn route_path(name: &str) -> String {
    format!("{ISTIO}/virtualservices/{name}")
}

/// Everything that is there at the beginning, by path.
pub(crate) fn objects(history: &History) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    let mut routes: Vec<String> = (0..history.apps.len()).map(|at| route_of(history, at)).collect();
    routes.dedup();
    routes.sort();
    routes.dedup();
    for route in routes {
        let of = |at: &usize| route_of(history, *at) == route;
        let mut http: Vec<Value> = (0..history.apps.len()).filter(of).map(http_route).collect();
        http.push(foreign(1));
        let hosts: Vec<String> = (0..history.apps.len()).filter(of).map(name).collect();
        all.push((
            route_path(&route),
            json!({
                "apiVersion": "networking.istio.io/v1alpha3", "kind": "VirtualService",
                "spec": {"hosts": hosts, "http": http}
            }),
        ));
    }
    for (at, app) in history.apps.iter().enumerate() {
        let name = name(at);
        let subset = |subset| json!({"name": subset, "labels": {"app": name}});
        all.push((
            rule_path(&name),
            json!({
                "apiVersion": "networking.istio.io/v1alpha3", "kind": "DestinationRule",
                "spec": {"host": name, "subsets": [subset("stable"), subset("canary")]}
            }),
        ));
        all.push((rollout_path(at), rollout(app, &name, &route_of(history, at))));
    }
    all
}

/// A route that belongs to nobody here.
pub(crate) fn foreign(seconds: u64) -> Value {
    json!({
        "name": "theirs", "timeout": format!("{seconds}s"), "match": [{"uri": {"prefix": "/theirs"}}],
        "route": [{"destination": {"host": "theirs"}}]
    })
}

fn http_route(at: usize) -> Value {
    let name = name(at);
    let to = |subset, weight: u32| json!({"destination": {"host": name, "subset": subset}, "weight": weight});
    json!({
        "name": name, "match": [{"uri": {"prefix": format!("/{name}")}}], "retries": {"attempts": 2},
        "route": [to("stable", 100), to("canary", 0)]
    })
}

/// The template's part that changes with the version.
pub(crate) fn image(version: u8) -> String {
    format!("app:v{version}")
}

/// Pods of this version never get ready.
pub(crate) const BAD: u8 = 4;

pub(crate) fn template(name: &str, version: u8) -> Value {
    json!({
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "app", "image": image(version)}]}
    })
}

fn rollout(app: &App, name: &str, route: &str) -> Value {
    let step = |step: &Step| match step {
        Step::Weight(weight) => json!({"setWeight": weight}),
        Step::Pause(0) => json!({"pause": {}}),
        Step::Pause(seconds) => json!({"pause": {"duration": seconds}}),
    };
    let steps: Vec<Value> = app.steps.iter().map(step).collect();
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "spec": {
            "replicas": app.replicas, "selector": {"matchLabels": {"app": name}}, "template": template(name, 0),
            "strategy": {"canary": {
                "scaleDownDelaySeconds": 5, "abortScaleDownDelaySeconds": 5, "steps": steps,
                "trafficRouting": {"istio": {
                    "virtualService": {"name": route, "routes": [name]},
                    "destinationRule": {
                        "name": name, "stableSubsetName": "stable", "canarySubsetName": "canary"
                    }
                }}
            }}
        }
    })
}
