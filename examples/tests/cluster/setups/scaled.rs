//! Autoscalers: the number of pods changes through the scale subresource in mid-canary.

use super::{NAME, rollout, story::Story};
use crate::{
    bed::{Bed, Namespace, Seen, secs},
    faults::web::{routes, service, until, until_done},
};
use serde_json::{Value, json};

/// Returns the weight canary of the other stories.
fn objects() -> Vec<Value> {
    let canary = json!({"trafficRouting": {"istio": {
        "virtualService": {"name": NAME, "routes": ["primary"]},
        "destinationRule": {"name": NAME, "canarySubsetName": "canary", "stableSubsetName": "stable"}
    }}});
    let mut objects = vec![rollout(canary), service(NAME, NAME)];
    objects.extend(routes(NAME));
    objects
}

/// Scales as a HorizontalPodAutoscaler does.
fn scale(space: &Namespace, pods: u32) {
    space.patch(&format!("rollout/{NAME}"), "scale", &json!({"spec": {"replicas": pods}})).ok();
}

/// Returns how many pods each ReplicaSet with any wants, the fewest first.
fn wanted(seen: &Seen) -> Vec<i64> {
    let pods =
        seen.objects("ReplicaSet").filter_map(|set| set.pointer("/spec/replicas").and_then(Value::as_i64));
    let mut pods: Vec<_> = pods.filter(|pods| *pods > 0).collect();
    pods.sort_unstable();
    pods
}

#[test]
fn an_autoscaler_changes_the_pods_in_mid_canary() {
    let bed = Bed::shared();
    let space = bed.namespace("scaled");
    let story = Story::begin(&bed, &space, &objects(), &[NAME]);
    story.at_half("v2");
    scale(&space, 6);
    space.until("both sides have grown", secs(60), |seen| wanted(seen) == [3, 6]);
    scale(&space, 2);
    space.until("both sides have shrunk", secs(120), |seen| wanted(seen) == [1, 2]);
    story.promote();
    scale(&space, 4);
    space.until("stable has grown", secs(60), |seen| wanted(seen) == [4]);
    story.end().assert_none_failed();
}

/// While there are no pods, requests fail: so none are sent.
#[test]
fn a_canary_that_is_scaled_to_zero_goes_on_where_it_was() {
    let bed = Bed::shared();
    let space = bed.namespace("zero");
    let story = Story::begin(&bed, &space, &objects(), &[NAME]);
    story.at_half("v2");
    let weights =
        || space.seen(|seen| crate::bed::weights_of(seen.object("VirtualService", NAME)?, "primary"));
    assert_eq!(weights(), Some((50, 50)));
    let (space, controller) = (&space, story.end_requests());
    scale(space, 0);
    space.until("nothing has pods", secs(90), |seen| wanted(seen).is_empty());
    assert_eq!(weights(), Some((50, 50)), "routes stay as they are");
    scale(space, 3);
    until(space, NAME, "paused at half again", 120, |rollout| {
        rollout.is_paused_at(1) && rollout.0["status"]["availableReplicas"] == 5
    });
    // While only stable had pods, it got everything.
    space.until("the canary has its weight again", secs(60), |seen| {
        seen.object("VirtualService", NAME).and_then(|route| crate::bed::weights_of(route, "primary"))
            == Some((50, 50))
    });
    let load = crate::faults::web::load(&bed, space, &[NAME]);
    space.plugin(&["promote", NAME]).ok();
    until_done(space, NAME, 120);
    load.stop().assert_none_failed();
    drop(controller);
}
