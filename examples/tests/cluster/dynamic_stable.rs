//! `dynamicStableScale`, with `minReadySeconds`: stable keeps the pods for its share, and no request is lost.

use crate::{
    bed::{Bed, Canary, Load, Seen, Target, secs},
    story::{PROVIDER, Story},
};
use serde_json::Value;

/// The weight canary with four pods, whose stable follows the weight.
fn manifests() -> String {
    let mut text = Canary::Weight.provider("1h");
    let changes = [
        ("  replicas: 1\n", "  replicas: 4\n  minReadySeconds: 1\n"),
        ("    canary:\n", "    canary:\n      dynamicStableScale: true\n"),
    ];
    for (from, to) in changes {
        assert!(text.contains(from), "the manifests have no `{from}` any more");
        text = text.replacen(from, to, 1);
    }
    text
}

/// The pods that the ReplicaSets with any ask for, the fewest first.
fn wanted(seen: &Seen) -> Vec<i64> {
    let pods =
        seen.objects("ReplicaSet").filter_map(|set| set.pointer("/spec/replicas").and_then(Value::as_i64));
    let mut pods: Vec<_> = pods.filter(|pods| *pods > 0).collect();
    pods.sort_unstable();
    pods
}

#[test]
fn a_stable_that_follows_the_weight_takes_back_what_its_pods_carry() {
    let bed = Bed::shared();
    let space = bed.namespace("follow");
    space.apply(&manifests());
    let story = Story::begin(&space, PROVIDER);
    let targets = &Target::all(&space)[..2];
    for target in targets {
        space.until_answered(target, secs(20));
    }
    let load = Load::start(&bed, 50, secs(240), targets);
    story.at_50_percent();
    space.until("each side has its share", secs(60), |seen| wanted(seen) == [2, 2]);

    space.plugin(&["abort", PROVIDER]).ok();
    story.until("aborted", |rollout| rollout.phase() == "Degraded");
    space.until("no weight is left", secs(60), |seen| seen.weights("provider") == Some((100, 0)));
    space.until("stable has all pods, the canary none", secs(60), |seen| wanted(seen) == [4]);

    space.plugin(&["retry", "rollout", PROVIDER]).ok();
    story.until("paused at 5 % again", |rollout| rollout.is_paused_at(1));
    space.plugin(&["promote", PROVIDER]).ok();
    story.until("paused at 50 % again", |rollout| rollout.is_paused_at(3));
    space.until("each side has its share again", secs(60), |seen| wanted(seen) == [2, 2]);

    story.set_image("v0.4");
    story.until("the newer image is paused at 5 %", |rollout| rollout.is_paused_at(1));
    space.until("stable carries the rest", secs(60), |seen| wanted(seen) == [1, 4]);
    space.plugin(&["promote", PROVIDER, "--full"]).ok();
    story.until("finished", |rollout| rollout.is_healthy());
    space.until("the new pods are the only ones", secs(60), |seen| wanted(seen) == [4]);
    space.until("the routes are as before", secs(30), |seen| seen.weights("provider") == Some((100, 0)));
    let answers = load.stop();
    println!("{answers}");
    answers.assert_none_failed();
}
