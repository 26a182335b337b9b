//! Twenty Rollouts whose routes are all in one VirtualService of the gateway, updated at once.

use super::story::{Manner, USUAL};
use crate::{
    bed::{Answers, Bed, Load, Namespace, Target, secs},
    faults::web::{apply, half, plain, service, set_image, until, until_done},
};
use serde_json::{Value, json};

const ROLLOUTS: usize = 20;
/// Requests a second to each of them, at most.
const MOST: u32 = 10;

fn name(number: usize) -> String {
    format!("app-{number}")
}

fn objects(host: &str) -> Vec<Value> {
    let mut objects = Vec::new();
    let mut http = Vec::new();
    for name in (0..ROLLOUTS).map(name) {
        let istio = json!({
            "virtualService": {"name": "all", "routes": [name]},
            "destinationRule": {"name": name, "canarySubsetName": "canary", "stableSubsetName": "stable"}
        });
        let canary = json!({
            "steps": half(), "scaleDownDelaySeconds": 1, "abortScaleDownDelaySeconds": 1,
            "trafficRouting": {"istio": istio}
        });
        objects.extend([plain(&name, 1, &canary), service(&name, &name)]);
        let labels = json!({"app": name});
        objects.push(json!({
            "apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "metadata": {"name": name},
            "spec": {"host": name, "subsets": [
                {"name": "stable", "labels": labels}, {"name": "canary", "labels": labels}
            ]}
        }));
        let to = |subset, weight| json!({"weight": weight, "destination": {"host": name, "subset": subset}});
        http.push(json!({
            "name": name, "match": [{"uri": {"prefix": format!("/{name}/")}}], "retries": {"attempts": 0},
            "route": [to("stable", 100), to("canary", 0)]
        }));
    }
    objects.push(json!({
        "apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": "all"},
        "spec": {"selector": {"istio": "ingressgateway"}, "servers": [
            {"port": {"name": "http", "number": 9090, "protocol": "HTTP"}, "hosts": [host]}
        ]}
    }));
    objects.push(json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "all"},
        "spec": {"hosts": [host], "gateways": ["all"], "http": http}
    }));
    objects
}

#[test]
fn twenty_rollouts_over_one_gateway_at_once() {
    let bed = Bed::shared();
    let space = bed.namespace("many");
    at_once(&bed, &space, Manner { rate: 4, ..USUAL }).assert_none_failed();
}

/// Half of the updates are promoted, half are aborted.
pub(super) fn at_once(bed: &Bed, space: &Namespace, manner: Manner) -> Answers {
    let host = format!("{}.test", space.name);
    apply(space, &objects(&host));
    let _controller = space.controller().start();
    let all: Vec<String> = (0..ROLLOUTS).map(name).collect();
    for name in &all {
        until_done(space, name, 120);
    }
    let target = |name: &String| Target::new("gateway", &format!("http://{host}:9090/{name}/"));
    let targets: Vec<Target> = all.iter().map(target).collect();
    for target in &targets {
        space.until_answered(target, secs(30));
    }
    let load = Load::start(bed, manner.rate.min(MOST), secs(900), &targets);
    manner.give(bed, || all.iter().for_each(|name| set_image(space, name, "v2")));
    for name in &all {
        until(space, name, "paused at half", 180, |rollout| rollout.is_paused_at(1));
    }
    let (promoted, aborted) = all.split_at(ROLLOUTS / 2);
    manner.give(bed, || {
        for name in promoted {
            space.plugin(&["promote", name]).ok();
        }
        for name in aborted {
            space.plugin(&["abort", name]).ok();
        }
    });
    for name in promoted {
        until_done(space, name, 180);
    }
    for name in aborted {
        until(space, name, "aborted", 180, |rollout| rollout.is_aborted() && rollout.phase() == "Degraded");
        space.until("no weight is left", secs(60), |seen| {
            let route = seen.object("VirtualService", "all");
            route.and_then(|route| crate::bed::weights_of(route, name)) == Some((100, 0))
        });
    }
    let answers = load.stop();
    println!("{answers}");
    answers
}
