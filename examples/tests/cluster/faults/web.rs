//! The Rollout that most of these are about: three pods, a VirtualService for the mesh, no retries.

use crate::bed::{Bed, Load, Namespace, Rollout, Target, secs};
use serde_json::{Value, json};

/// Its steps: half of the requests, until a person goes on.
pub(crate) fn half() -> Value {
    json!([{"setWeight": 50}, {"pause": {}}])
}

/// A Rollout without routing: so many pods, these fields of its canary strategy.
pub(crate) fn plain(name: &str, pods: u32, canary: &Value) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": name},
        "spec": {
            "replicas": pods, "revisionHistoryLimit": 3, "selector": {"matchLabels": {"app": name}},
            "strategy": {"canary": canary},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "c", "image": format!("{name}:v1")}]}
            }
        }
    })
}

/// A Rollout whose requests a VirtualService and a DestinationRule of its name share; the delays of its old pods are 1 s.
pub(crate) fn routed(name: &str, steps: &Value) -> Value {
    plain(
        name,
        3,
        &json!({
            "steps": steps, "scaleDownDelaySeconds": 1, "abortScaleDownDelaySeconds": 1,
            "trafficRouting": {"istio": {
                "virtualService": {"name": name, "routes": ["primary"]},
                "destinationRule": {"name": name, "canarySubsetName": "canary", "stableSubsetName": "stable"}
            }}
        }),
    )
}

/// The Service of this name, with the pods of the app of this name.
pub(crate) fn service(name: &str, app: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"selector": {"app": app}, "ports": [{"name": "http", "port": 8000, "targetPort": 8080}]}
    })
}

/// The VirtualService and the DestinationRule of [`routed`].
pub(crate) fn routes(name: &str) -> [Value; 2] {
    let to = |subset, weight| json!({"weight": weight, "destination": {"host": name, "subset": subset}});
    let labels = json!({"app": name});
    [
        json!({
            "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": name},
            "spec": {"hosts": [name], "http": [{
                "name": "primary", "retries": {"attempts": 0}, "route": [to("stable", 100), to("canary", 0)]
            }]}
        }),
        json!({
            "apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "metadata": {"name": name},
            "spec": {"host": name, "subsets": [
                {"name": "stable", "labels": labels}, {"name": "canary", "labels": labels}
            ]}
        }),
    ]
}

/// All that [`routed`] needs.
pub(crate) fn whole(name: &str, steps: &Value) -> Vec<Value> {
    let mut all = vec![routed(name, steps), service(name, name)];
    all.extend(routes(name));
    all
}

/// `kubectl apply` of all of them at once.
pub(crate) fn apply(space: &Namespace, objects: &[Value]) {
    space.apply(&json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string());
}

/// `kubectl argo rollouts set image`.
pub(crate) fn set_image(space: &Namespace, name: &str, version: &str) {
    space.plugin(&["set", "image", name, &format!("c={name}:{version}")]).ok();
}

/// Waits until this can be said of a Rollout.
pub(crate) fn until(
    space: &Namespace,
    name: &str,
    what: &str,
    within: u64,
    holds: impl Fn(Rollout<'_>) -> bool,
) {
    let what = format!("{name}: {what}");
    space.until(&what, secs(within), |seen| seen.rollout(name).is_some_and(&holds));
}

/// Waits until an update is over, and was the last.
pub(crate) fn until_done(space: &Namespace, name: &str, within: u64) {
    until(space, name, "released", within, |rollout| {
        rollout.is_healthy() && rollout.newest() == rollout.stable() && !rollout.stable().is_empty()
    });
}

/// The first deploy, and an update to the pause at half of the requests.
pub(crate) fn at_half(space: &Namespace, name: &str) {
    until_done(space, name, 60);
    set_image(space, name, "v2");
    until(space, name, "paused at half", 60, |rollout| rollout.is_paused_at(1));
}

/// Requests through both sidecars, from the first answer on.
pub(crate) fn load(bed: &Bed, space: &Namespace, names: &[&str]) -> Load {
    let targets: Vec<Target> = names
        .iter()
        .flat_map(|name| ["sidecar-1", "sidecar-2"].map(|proxy| Target::service(proxy, space, name, 8000)))
        .collect();
    for target in &targets {
        space.until_answered(target, secs(20));
    }
    Load::start(bed, 40, secs(300), &targets)
}

/// The weights of its route: stable, canary.
pub(crate) fn weights(space: &Namespace, name: &str) -> Option<(i64, i64)> {
    space.seen(|seen| crate::bed::weights_of(seen.object("VirtualService", name)?, "primary"))
}
