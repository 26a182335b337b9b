//! The weight canary of the guide, driven by the real plugin.

use crate::{
    bed::{Bed, Canary, IMAGE, Load, Rollout, Seen, Target, secs},
    story::{PROVIDER, Story},
};
use serde_json::json;

fn images(of: &[(&str, &str)]) -> Vec<String> {
    of.iter().map(|(version, role)| format!("{IMAGE}:{version} ({role})")).collect()
}

/// A first deploy and an update that is left to its timed pauses, with requests through all Envoys.
#[test]
fn an_update_goes_by_its_steps_and_no_request_fails() {
    let bed = Bed::shared();
    let space = bed.namespace("update");
    space.apply(&Canary::Weight.folder(&space, "3s"));
    let story = Story::begin(&space, PROVIDER);
    for target in Target::all(&space) {
        space.until_answered(&target, secs(20));
    }
    let load = Load::start(&bed, 50, secs(120), &Target::all(&space));
    let before = space.seen(|seen| seen.changes().len());
    story.set_image("v0.3");
    story.until("the update is finished", |rollout| rollout.is_healthy());
    space.until("the routes are as before", secs(30), |seen| seen.weights("provider") == Some((100, 0)));
    story.until("its status says so", |rollout| rollout.weight() == Some(0));
    let answers = load.stop();
    println!("{answers}");
    answers.assert_none_failed();

    let (moments, weights) = space.seen(|seen| (moments(seen, before), weights(seen, before)));
    let expected = [
        ("Progressing", 0, 0),
        ("Paused", 1, 5),
        ("Progressing", 2, 50),
        ("Paused", 3, 50),
        ("Progressing", 4, 100),
        // Only when no route leads to the canary any more.
        ("Healthy", 4, 0),
    ];
    let mut left = moments.iter();
    for (phase, step, weight) in expected {
        // In between, a status may be stored that says something of two moments.
        let is_it = |seen: &(String, i64, i64)| (&*seen.0, seen.1, seen.2) == (phase, step, weight);
        assert!(left.any(is_it), "no {phase} at {step} with {weight} in its place: {moments:?}");
    }
    assert_eq!(weights, [(95, 5), (50, 50), (0, 100), (100, 0)]);
}

/// Phase, step and weight of the statuses that were stored, each once in a row.
fn moments(seen: &Seen, from: usize) -> Vec<(String, i64, i64)> {
    let changes = seen.changes()[from..].iter();
    let rollouts = changes.filter(|change| change.kind == "Rollout" && change.name == PROVIDER);
    let rollouts = rollouts.map(|change| Rollout(&change.object));
    let mut moments: Vec<_> = rollouts
        .map(|rollout| {
            (rollout.phase().to_owned(), rollout.step().unwrap_or(-1), rollout.weight().unwrap_or(-1))
        })
        .collect();
    moments.dedup();
    moments
}

/// The weights that the VirtualService had, each once in a row.
fn weights(seen: &Seen, from: usize) -> Vec<(i64, i64)> {
    let changes = seen.changes()[from..].iter();
    let services = changes.filter(|change| change.kind == "VirtualService" && change.name == "provider");
    let mut weights: Vec<_> =
        services.filter_map(|change| crate::bed::weights_of(&change.object, "test-v1")).collect();
    weights.dedup();
    weights
}

/// Everything that a person sees on the way, and each pause ended by hand.
#[test]
fn the_plugin_shows_each_step_and_promote_ends_each_pause() {
    let bed = Bed::shared();
    let space = bed.namespace("promote");
    space.apply(&Canary::Weight.provider("1h"));
    let story = Story::begin(&space, PROVIDER);
    story.shows("✔ Healthy", "", "4/4", "100", "100");
    let shown = space.get(PROVIDER);
    assert_eq!(shown.images(), images(&[("v0.2", "stable")]), "{shown}");
    assert!(shown.replica_set(1).contains("✔ Healthy") && shown.replica_set(1).contains("stable"), "{shown}");
    assert_eq!((shown.head("Desired"), shown.head("Ready"), shown.pods()), ("1", "1", 1), "{shown}");
    assert_eq!(story.status().out.trim(), "Healthy");

    story.set_image("v0.3");
    story.until("paused at 5 %", |rollout| rollout.is_paused_at(1));
    story.shows("॥ Paused", "CanaryPauseStep", "1/4", "5", "5");
    let shown = space.get(PROVIDER);
    assert_eq!(shown.images(), images(&[("v0.2", "stable"), ("v0.3", "canary")]), "{shown}");
    assert!(shown.replica_set(1).contains("stable") && shown.replica_set(2).contains("canary"), "{shown}");
    assert_eq!((shown.head("Current"), shown.head("Updated"), shown.pods()), ("2", "1", 2), "{shown}");
    assert_eq!(story.status().out.trim(), "Paused - CanaryPauseStep");
    space.kubectl(&["wait", "--for=condition=Paused", "--timeout=10s", "rollout/dubbo3-provider"]).ok();

    let said = space.plugin(&["promote", PROVIDER]).ok();
    assert!(said.out.contains("promoted"), "{said}");
    story.until("paused at 50 %", |rollout| rollout.is_paused_at(3));
    story.shows("॥ Paused", "CanaryPauseStep", "3/4", "50", "50");

    space.plugin(&["promote", PROVIDER]).ok();
    let finished = space.plugin(&["status", PROVIDER, "--timeout", "60s"]).ok();
    assert_eq!(finished.out.trim().lines().last(), Some("Healthy"), "{finished}");
    story.until("finished", |rollout| rollout.is_healthy());
    story.shows("✔ Healthy", "", "4/4", "100", "100");
    let shown = space.get(PROVIDER);
    assert!(shown.replica_set(2).contains("stable"), "{shown}");
    assert!(shown.images().contains(&images(&[("v0.3", "stable")])[0]), "{shown}");
    space.until("the old pods are gone", secs(60), |seen| seen.objects("Pod").count() == 1);
    // `Healthy` means the old pods are gone, too.
    for condition in ["Healthy", "Completed", "Paused=False", "Available"] {
        let condition = format!("--for=condition={condition}");
        space.kubectl(&["wait", &condition, "--timeout=20s", "rollout/dubbo3-provider"]).ok();
    }
    let shown = space.get(PROVIDER);
    assert!(shown.replica_set(1).contains("• ScaledDown"), "{shown}");
}

#[test]
fn abort_at_50_percent_takes_all_requests_back_and_retry_begins_anew() {
    let bed = Bed::shared();
    let space = bed.namespace("abort");
    space.apply(&Canary::Weight.provider("1h"));
    let story = Story::begin(&space, PROVIDER);
    let targets = &Target::all(&space)[..2];
    for target in targets {
        space.until_answered(target, secs(20));
    }
    let load = Load::start(&bed, 50, secs(180), targets);
    story.at_50_percent();
    space.plugin(&["abort", PROVIDER]).ok();
    story.until("aborted", |rollout| rollout.phase() == "Degraded");
    space.until("no weight is left", secs(30), |seen| seen.weights("provider") == Some((100, 0)));
    let message = "RolloutAborted: Rollout aborted update to revision 2";
    story.shows("✖ Degraded", message, "0/4", "0", "0");
    let status = space.plugin(&["status", PROVIDER, "--timeout", "10s"]);
    assert!(status.code == 1 && status.out.contains("Degraded - RolloutAborted"), "{status}");
    let (aborted, reason, _) = story.condition("Progressing");
    assert_eq!((&*aborted, &*reason), ("False", "RolloutAborted"));

    space.plugin(&["retry", "rollout", PROVIDER]).ok();
    story.until("paused at 5 % again", |rollout| rollout.is_paused_at(1));
    story.shows("॥ Paused", "CanaryPauseStep", "1/4", "5", "5");
    space.plugin(&["promote", PROVIDER]).ok();
    story.until("paused at 50 % again", |rollout| rollout.is_paused_at(3));
    space.plugin(&["promote", PROVIDER]).ok();
    story.until("finished", |rollout| rollout.is_healthy());
    space.until("the routes are as before", secs(30), |seen| seen.weights("provider") == Some((100, 0)));
    let answers = load.stop();
    println!("{answers}");
    answers.assert_none_failed();
}

#[test]
fn undo_in_mid_update_goes_back_at_once_and_after_it_by_the_steps() {
    let bed = Bed::shared();
    let space = bed.namespace("undo");
    space.apply(&Canary::Weight.provider("1h"));
    let story = Story::begin(&space, PROVIDER);
    let first = story.now(|rollout| rollout.stable().to_owned());
    story.at_50_percent();
    space.plugin(&["undo", PROVIDER]).ok();
    story.until("the first revision again", |rollout| rollout.is_healthy() && rollout.newest() == first);
    space.until("no weight is left", secs(30), |seen| seen.weights("provider") == Some((100, 0)));
    let shown = space.get(PROVIDER);
    assert!(shown.replica_set(3).contains("stable"), "the first revision is the third now: {shown}");

    story.set_image("v0.4");
    story.until("paused at 5 %", |rollout| rollout.is_paused_at(1));
    space.plugin(&["promote", PROVIDER, "--full"]).ok();
    story.until("finished", |rollout| rollout.is_healthy() && rollout.stable() != first);
    space.plugin(&["undo", PROVIDER]).ok();
    story.until("paused at 5 % of the first", |rollout| rollout.is_paused_at(1) && rollout.newest() == first);
}

#[test]
fn promote_full_leaves_out_all_steps() {
    let bed = Bed::shared();
    let space = bed.namespace("full");
    space.apply(&Canary::Weight.provider("1h"));
    let story = Story::begin(&space, PROVIDER);
    story.set_image("v0.3");
    story.until("paused at 5 %", |rollout| rollout.is_paused_at(1));
    let said = space.plugin(&["promote", PROVIDER, "--full"]).ok();
    assert!(said.out.contains("fully promoted"), "{said}");
    story.until("finished", |rollout| rollout.is_healthy());
    story.shows("✔ Healthy", "", "4/4", "100", "100");
    let full = "Full promotion requested";
    space.until("it is said why", secs(10), |seen| {
        seen.events(PROVIDER).iter().any(|(why, text)| *why == "RolloutCompleted" && text.contains(full))
    });
    // Once is enough: the next one goes by the steps again.
    story.set_image("v0.4");
    story.until("paused at 5 %", |rollout| rollout.is_paused_at(1));
}

#[test]
fn steps_are_skipped_one_by_one_or_all_at_once() {
    let bed = Bed::shared();
    let space = bed.namespace("skip");
    space.apply(&Canary::Weight.provider("1h"));
    let story = Story::begin(&space, PROVIDER);
    story.set_image("v0.3");
    story.until("paused at 5 %", |rollout| rollout.is_paused_at(1));
    space.plugin(&["promote", PROVIDER, "--skip-current-step"]).ok();
    story.until("paused at 50 %", |rollout| rollout.is_paused_at(3));
    space.plugin(&["promote", PROVIDER, "--skip-current-step"]).ok();
    story.until("finished", |rollout| rollout.is_healthy());

    story.set_image("v0.4");
    story.until("paused at 5 % again", |rollout| rollout.is_paused_at(1));
    let newest = story.now(|rollout| rollout.newest().to_owned());
    space.plugin(&["promote", PROVIDER, "--skip-all-steps"]).ok();
    story.until("finished", |rollout| rollout.is_healthy() && rollout.stable() == newest);
}

#[test]
fn a_rollout_that_a_person_has_paused_stands_still_until_it_is_resumed() {
    let bed = Bed::shared();
    let space = bed.namespace("paused");
    space.apply(&Canary::Weight.provider("3s"));
    let story = Story::begin(&space, PROVIDER);
    space.plugin(&["pause", PROVIDER]).ok();
    story.until("paused", |rollout| rollout.phase() == "Paused" && rollout.message() == "manually paused");
    story.shows("॥ Paused", "manually paused", "4/4", "100", "100");
    // What a paused rollout would do first is to make a ReplicaSet.
    story.set_image("v0.3");
    story.until("the update is seen", |rollout| rollout.is_observed() && rollout.phase() == "Paused");
    space
        .patch("rollout/dubbo3-provider", "", &json!({"metadata": {"annotations": {"note": "looked at"}}}))
        .ok();
    space.plugin(&["promote", PROVIDER]).ok();
    story.until("finished", |rollout| rollout.is_healthy() && rollout.newest() == rollout.stable());
    space.until("v0.3 is stable", secs(10), |seen| {
        let images = |set: &serde_json::Value| set.pointer("/spec/template/spec/containers/0/image").cloned();
        let stable = seen.rollout(PROVIDER).unwrap().stable().to_owned();
        let mut sets = seen.objects("ReplicaSet");
        sets.any(|set| {
            set["metadata"]["labels"]["rollouts-pod-template-hash"] == *stable
                && images(set) == Some(json!(format!("{IMAGE}:v0.3")))
        })
    });
}
