//! Autoscalers: the number of pods changes through the scale subresource in mid-canary.

use super::{
    NAME,
    kind::Kind,
    story::{Manner, Story, USUAL},
    weights,
};
use crate::{
    bed::{Answers, Bed, Namespace, Seen, secs},
    faults::web::until,
};
use serde_json::{Value, json};
use std::sync::Arc;

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
    by_an_autoscaler(&bed, &space, USUAL).assert_none_failed();
}

pub(super) fn by_an_autoscaler(bed: &Arc<Bed>, space: &Namespace, manner: Manner) -> Answers {
    let story = Story::begin_in(bed, space, Kind::Subsets.set_up(bed, space), manner);
    story.at_half("v2");
    scale(space, 6);
    space.until("both sides have grown", secs(60), |seen| wanted(seen) == [3, 6]);
    scale(space, 2);
    space.until("both sides have shrunk", secs(120), |seen| wanted(seen) == [1, 2]);
    space.until_proxies_follow(secs(60));
    story.promote();
    scale(space, 4);
    space.until("stable has grown", secs(60), |seen| wanted(seen) == [4]);
    story.end()
}

#[test]
fn a_canary_that_is_scaled_to_zero_goes_on_where_it_was() {
    let bed = Bed::shared();
    let space = bed.namespace("zero");
    to_zero_and_back(&bed, &space, USUAL).assert_none_failed();
}

/// While there are no pods, requests fail: so none are sent. Returns what came back afterwards.
pub(super) fn to_zero_and_back(bed: &Arc<Bed>, space: &Namespace, manner: Manner) -> Answers {
    let story = Story::begin_in(bed, space, Kind::Subsets.set_up(bed, space), manner);
    story.at_half("v2");
    assert_eq!(space.seen(weights), Some((50, 50)));
    let story = story.without_requests();
    scale(space, 0);
    space.until("nothing has pods", secs(90), |seen| wanted(seen).is_empty());
    assert_eq!(space.seen(weights), Some((50, 50)), "routes stay as they are");
    scale(space, 3);
    until(space, NAME, "paused at half again", 120, |rollout| {
        rollout.is_paused_at(1) && rollout.0["status"]["availableReplicas"] == 5
    });
    // While only stable had pods, it got everything.
    space.until("the canary has its weight again", secs(60), |seen| weights(seen) == Some((50, 50)));
    let story = story.with_requests();
    story.promote();
    story.end()
}
