//! Every set-up that people have: the same story for each, with requests flowing, of which none may fail.

mod many;
mod scaled;
mod story;

use crate::{
    bed::{Bed, Namespace},
    faults::web::{half, plain, routes, service},
};
use serde_json::{Value, json};
use story::play;

/// The Rollout that each story is about.
const NAME: &str = "web";

/// Returns a Rollout with three pods whose canary strategy has these fields besides the steps.
fn rollout(canary: Value) -> Value {
    let mut whole = json!({"steps": half(), "scaleDownDelaySeconds": 1, "abortScaleDownDelaySeconds": 1});
    if let (Some(whole), Value::Object(canary)) = (whole.as_object_mut(), canary) {
        whole.extend(canary);
    }
    if whole["trafficRouting"].is_null() {
        // Delays need traffic routing.
        whole["scaleDownDelaySeconds"].take();
        whole["abortScaleDownDelaySeconds"].take();
    }
    plain(NAME, 3, &whole)
}

/// Returns a VirtualService for this host, which splits requests between two destinations.
fn split(name: &str, host: &str, stable: &Value, canary: &Value) -> Value {
    json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": name},
        "spec": {"hosts": [host], "http": [{
            "name": "primary", "retries": {"attempts": 0},
            "route": [{"weight": 100, "destination": stable}, {"weight": 0, "destination": canary}]
        }]}
    })
}

#[test]
fn a_basic_canary_without_services() {
    play("basic", &[rollout(json!({})), service(NAME, NAME)], &[NAME]);
}

#[test]
fn a_basic_canary_with_both_services() {
    let canary = json!({"stableService": NAME, "canaryService": "web-canary"});
    play("services", &[rollout(canary), service(NAME, NAME), service("web-canary", NAME)], &[NAME]);
}

#[test]
fn two_services_as_destinations() {
    let canary = json!({
        "stableService": "web-stable", "canaryService": "web-canary",
        "trafficRouting": {"istio": {"virtualService": {"name": NAME}}}
    });
    let host = |name| json!({"host": name});
    let objects = [
        rollout(canary),
        service(NAME, NAME),
        service("web-stable", NAME),
        service("web-canary", NAME),
        split(NAME, NAME, &host("web-stable"), &host("web-canary")),
    ];
    play("hosts", &objects, &[NAME, "web-stable"]);
}

#[test]
fn two_services_that_take_turns() {
    let canary = json!({
        "pingPong": {"pingService": "web-ping", "pongService": "web-pong"},
        "trafficRouting": {"istio": {"virtualService": {"name": NAME}}}
    });
    let host = |name| json!({"host": name});
    let objects = [
        rollout(canary),
        service(NAME, NAME),
        service("web-ping", NAME),
        service("web-pong", NAME),
        split(NAME, NAME, &host("web-ping"), &host("web-pong")),
    ];
    let bed = Bed::shared();
    let space = bed.namespace("turns");
    play_in(&bed, &space, &objects, &[NAME]);
    // Two updates were completed: each selected the pods of its own Service, and they swapped twice.
    space.seen(|seen| {
        let stable = seen.rollout(NAME).unwrap().0["status"]["canary"]["stablePingPong"].clone();
        assert_eq!(stable, "ping", "{}", seen.report());
    });
}

#[test]
fn several_virtual_services() {
    let canary = json!({"trafficRouting": {"istio": {
        "virtualServices": [{"name": NAME, "routes": ["primary"]}, {"name": "shop"}],
        "destinationRule": {"name": NAME, "canarySubsetName": "canary", "stableSubsetName": "stable"}
    }}});
    let subset = |name| json!({"host": NAME, "subset": name});
    let mut objects = vec![
        rollout(canary),
        service(NAME, NAME),
        service("shop", NAME),
        split("shop", "shop", &subset("stable"), &subset("canary")),
    ];
    objects.extend(routes(NAME));
    play("several", &objects, &[NAME, "shop"]);
}

#[test]
fn a_virtual_service_in_another_namespace() {
    let bed = Bed::shared();
    let (routing, space) = (bed.namespace("routing"), bed.namespace("routed"));
    let canary = json!({
        "stableService": "web-stable", "canaryService": "web-canary",
        "trafficRouting": {"istio": {"virtualService": {"name": format!("{NAME}.{}", routing.name)}}}
    });
    let objects =
        [rollout(canary), service(NAME, NAME), service("web-stable", NAME), service("web-canary", NAME)];
    let host = |name: &str| json!({"host": format!("{name}.{}.svc.cluster.local", space.name)});
    let mut route = split(
        NAME,
        &format!("{NAME}.{}.svc.cluster.local", space.name),
        &host("web-stable"),
        &host("web-canary"),
    );
    route["metadata"]["annotations"] = json!({rollout_istio::ALLOW_FROM_ANNOTATION: space.name});
    crate::faults::web::apply(&routing, &[route]);
    play_in(&bed, &space, &objects, &[NAME]);
}

/// Plays the story in a namespace that exists.
fn play_in(bed: &Bed, space: &Namespace, objects: &[Value], hosts: &[&str]) {
    story::Story::begin(bed, space, objects, hosts).play().assert_none_failed();
}
