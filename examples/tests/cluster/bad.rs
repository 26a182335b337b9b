//! Objects that are wrong, spoiled, or gone.

use crate::{
    bed::{Bed, Canary, Load, Namespace, Seen, Target, secs},
    story::{CONSUMER, PROVIDER, Story},
};
use serde_json::{Value, json};

/// A Rollout with a name and a canary strategy of its own, and no traffic manager.
fn rollout(name: &str, canary: &Value) -> String {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": name},
        "spec": {
            "replicas": 1, "selector": {"matchLabels": {"app": name}}, "strategy": {"canary": canary},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "c", "image": "web:v1"}]}
            }
        }
    })
    .to_string()
}

/// Waits until a Rollout is refused, and returns what it is told.
fn refused(space: &Namespace, name: &str) -> String {
    space.until_some("it is refused", secs(30), |seen| {
        let (status, _, message) = seen.rollout(name)?.condition("InvalidSpec")?;
        (status == "True" && seen.rollout(name)?.phase() == "Degraded").then(|| message.to_owned())
    })
}

fn has_pods_of(space: &Namespace, name: &str) -> bool {
    space.seen(|seen| {
        seen.objects("ReplicaSet").any(|set| set["metadata"]["ownerReferences"][0]["name"] == name)
    })
}

/// Updates the good Rollout beside the bad one, to its end.
fn the_other_is_updated(story: &Story<'_>) {
    story.set_image("v0.9");
    story.until("the other is updated", |rollout| {
        rollout.is_healthy() && rollout.newest() == rollout.stable()
    });
}

#[test]
fn what_is_wrong_with_a_rollout_is_all_said_at_once_and_mended_without_a_restart() {
    let space = Bed::shared().namespace("invalid");
    space.apply(&Canary::Weight.provider("3s"));
    let story = Story::begin(&space, PROVIDER);
    let wrong = json!({
        "maxSurge": 0, "maxUnavailable": 0,
        "steps": [{"setWeight": 150}, {"pause": {"duration": "soon"}}, {"setWeight": 10, "pause": {}}]
    });
    space.apply(&rollout("wrong", &wrong));
    let told = refused(&space, "wrong");
    println!("{told}");
    assert!(told.starts_with("The Rollout \"wrong\" is invalid: spec.strategy"), "{told}");
    for place in ["maxSurge", "steps[0].setWeight", "steps[1].pause.duration", "steps[2]"] {
        assert!(told.contains(place), "{place} is not in: {told}");
    }
    let shown = space.get("wrong");
    assert!(
        shown.head("Status").contains("Degraded") && shown.head("Message").contains("InvalidSpec"),
        "{shown}"
    );
    assert!(!has_pods_of(&space, "wrong"));
    the_other_is_updated(&story);

    space.apply(&rollout("wrong", &json!({"steps": [{"setWeight": 50}, {"pause": {"duration": "1s"}}]})));
    story.other_is("wrong", |rollout| rollout.is_healthy() && rollout.condition("InvalidSpec").is_none());
}

#[test]
fn what_is_not_driven_yet_is_named_and_nothing_is_touched() {
    let space = Bed::shared().namespace("undriven");
    space.apply(&Canary::Weight.provider("3s"));
    let story = Story::begin(&space, PROVIDER);
    let analysis =
        json!({"steps": [{"setWeight": 10}, {"analysis": {"templates": [{"templateName": "rate"}]}}]});
    space.apply(&rollout("judged", &analysis));
    let told = refused(&space, "judged");
    println!("{told}");
    assert!(told.contains("analysis"), "{told}");
    assert!(!has_pods_of(&space, "judged"));

    // In mid-life: the running Rollout asks for another traffic manager, and keeps what it has.
    let before = space.seen(|seen| seen.object("VirtualService", "provider").cloned());
    let nginx =
        json!({"spec": {"strategy": {"canary": {"trafficRouting": {"nginx": {"stableIngress": "web"}}}}}});
    space.patch("rollout/dubbo3-provider", "", &nginx).ok();
    let told = refused(&space, PROVIDER);
    println!("{told}");
    assert!(told.contains("nginx"), "{told}");
    assert_eq!(before, space.seen(|seen| seen.object("VirtualService", "provider").cloned()));
    space.seen(|seen| assert_eq!(seen.objects("Pod").count(), 1, "{}", seen.report()));

    let none = json!({"spec": {"strategy": {"canary": {"trafficRouting": {"nginx": null}}}}});
    space.patch("rollout/dubbo3-provider", "", &none).ok();
    story.until("it is driven again", |rollout| {
        rollout.is_healthy() && rollout.condition("InvalidSpec").is_none()
    });
}

/// Whatever stands in it: what cannot be meant is held with an event, what can be meant moves the weight in the ways
/// that are allowed, and no request is lost.
#[test]
fn a_status_that_a_hand_has_spoiled_costs_no_request_and_can_be_put_right() {
    let bed = Bed::shared();
    let space = bed.namespace("spoiled");
    space.apply(&Canary::Weight.folder(&space, "1h"));
    let story = Story::begin(&space, PROVIDER);
    story.other_is(CONSUMER, |rollout| rollout.is_healthy());
    story.at_50_percent();
    let targets = Target::all(&space);
    for target in &targets {
        space.until_answered(target, secs(20));
    }
    let load = Load::start(&bed, 50, secs(300), &targets);
    let good = story.now(|rollout| rollout.0["status"].clone());
    let nonsense = [
        (true, json!({"currentStepIndex": -5})),
        (true, json!({"pauseConditions": [{"reason": "CanaryPauseStep", "startTime": null}]})),
        (false, json!({"currentStepIndex": 99})),
        (false, json!({"stableRS": "nonsense"})),
        (false, json!({"currentPodHash": "nonsense"})),
        (false, json!({"currentStepHash": "nonsense"})),
        (
            false,
            json!({"pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2999-01-01T00:00:00Z"}]}),
        ),
        (false, json!({"canary": {"weights": {"canary": {"weight": 77}, "stable": {"weight": 23}}}})),
        (false, json!({"observedGeneration": "many"})),
        (
            false,
            json!({"conditions": [{"type": "Paused", "status": "Maybe", "reason": "?", "message": "?"}]}),
        ),
    ];
    for (is_held, spoiled) in &nonsense {
        let began = space.seen(|seen| seen.changes().len());
        let said = space.patch("rollout/dubbo3-provider", "status", &json!({"status": spoiled}));
        if said.code != 0 {
            println!("{spoiled}: the definition of the resource refuses it");
            continue;
        }
        let held = |seen: &Seen| {
            let mut events = seen.changes()[began..].iter().filter(|change| change.kind == "Event");
            events.any(|change| change.object["reason"] == "RolloutHeld")
        };
        if *is_held {
            space.until("it is held with an event", secs(30), held);
        } else {
            // Long enough to do something about it.
            println!("{spoiled}: {}", if space.within(secs(3), held) { "held" } else { "goes on" });
        }
        space.patch("rollout/dubbo3-provider", "status", &json!({"status": good})).ok();
    }
    story.other_is(CONSUMER, |rollout| rollout.is_healthy());
    story.set_image("v0.9");
    story.until("a new update is in its first pause", |rollout| {
        rollout.is_paused_at(1) && rollout.0.to_string().contains("v0.9")
    });
    space.plugin(&["promote", PROVIDER, "--full"]).ok();
    story.until("finished", |rollout| rollout.is_healthy() && rollout.newest() == rollout.stable());
    let answers = load.stop();
    println!("{answers}");
    answers.assert_none_failed();
}

#[test]
fn objects_that_are_deleted_in_mid_update_are_missed_by_name_and_the_update_goes_on_when_they_are_back() {
    let space = Bed::shared().namespace("deleted");
    let folder = Canary::Weight.folder(&space, "1h");
    space.apply(&folder);
    let story = Story::begin(&space, PROVIDER);
    story.other_is(CONSUMER, |rollout| rollout.is_healthy());
    story.at_50_percent();
    for object in ["virtualservice/provider", "destinationrule/dubbo-provider"] {
        missed(&space, object);
        // The rest of the folder is changed meanwhile, and the other goes its way.
        space.apply(&folder.replace(":v0.2", ":v0.3"));
        story.until("it is back in its pause", |rollout| {
            rollout.is_paused_at(3) && rollout.condition("InvalidSpec").is_none()
        });
        space.until("the weight is back", secs(40), |seen| seen.weights("provider") == Some((50, 50)));
    }
    story.other_is(CONSUMER, |rollout| rollout.is_paused_at(1));
    space.plugin(&["promote", PROVIDER]).ok();
    story.until("finished", |rollout| rollout.is_healthy());
    space.seen(|seen| {
        let updates = seen.events(PROVIDER).into_iter().filter(|(reason, _)| *reason == "RolloutUpdated");
        assert_eq!(updates.count(), 2, "what was said once is not said again: {:?}", seen.events(PROVIDER));
    });
}

#[test]
fn a_service_that_is_deleted_in_mid_update_is_missed_by_name_and_the_update_goes_on_when_it_is_back() {
    let space = Bed::shared().namespace("service");
    space.apply(&Canary::Header.provider("3s"));
    let story = Story::begin(&space, PROVIDER);
    story.set_image("v0.3");
    story.until("paused with its header route", |rollout| rollout.is_paused_at(2));
    let newest = story.now(|rollout| rollout.newest().to_owned());
    for object in ["service/dubbo3-provider-canary", "service/dubbo3-provider"] {
        missed(&space, object);
        space.apply(&Canary::Header.provider("3s").replace(":v0.2", ":v0.3"));
        story.until("it is back in its pause", |rollout| {
            rollout.is_paused_at(2) && rollout.condition("InvalidSpec").is_none()
        });
    }
    space.plugin(&["promote", PROVIDER]).ok();
    story.until("finished", |rollout| rollout.is_healthy() && rollout.stable() == newest);
}

/// Deletes an object, and waits until the Rollout says that it is not there.
fn missed(space: &Namespace, object: &str) {
    let name = object.split('/').next_back().unwrap();
    space.kubectl(&["delete", object]).ok();
    let missed = space.until_some("it is missed", secs(40), |seen| {
        let (_, _, message) = seen.rollout(PROVIDER)?.condition("InvalidSpec")?;
        message.contains(&format!("{name} not found")).then(|| message.to_owned())
    });
    println!("{object}: {missed}");
}
