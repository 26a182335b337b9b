//! Never two controllers on one Rollout; and one that only looks.

use crate::{
    bed::{Bed, Canary, IMAGE, Namespace, secs},
    story::{PROVIDER, Story},
};
use serde_json::{Value, json};

/// A lease of Argo Rollouts' controller, held from now on for an hour.
fn lease(name: &str) -> String {
    json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name},
        "spec": {"holderIdentity": "argo_1", "leaseDurationSeconds": 3600, "renewTime": now()}
    })
    .to_string()
}

fn now() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = rollout_core::Time::from_millis(i64::try_from(since.as_millis()).unwrap()).to_string();
    // In the notation of leases, with microseconds.
    format!("{}.000000Z", &now[.."2026-01-31T12:00:00".len()])
}

/// On a cluster of its own: the lease is looked for in all namespaces.
#[test]
fn while_another_controller_holds_its_lease_only_labelled_rollouts_are_driven() {
    let bed = Bed::own("lease", &[]);
    let space = bed.namespace("lease");
    space.apply(&lease("argo-rollouts-controller-lock"));
    space.apply(&Canary::Weight.provider("3s"));
    let mut refused = space.controller().start();
    assert_eq!(refused.ended(secs(20)), 2);
    let said = refused.log();
    for word in ["argo-rollouts-controller-lock", "argo_1", "--instance-id", "controller-instance-id=ID"] {
        assert!(said.contains(word), "{word} is not in: {said}");
    }
    space.seen(|seen| assert_eq!(seen.objects("ReplicaSet").count(), 0));

    let labelled = Canary::Weight.provider("3s").replacen(
        "  name: dubbo3-provider\n",
        "  name: mine\n  labels: { argo-rollouts.argoproj.io/controller-instance-id: blue }\n",
        1,
    );
    space.apply(&labelled);
    let _blue = space.controller().flags(&["--instance-id", "blue"]).start();
    space.until("the labelled one is driven", secs(60), |seen| {
        seen.rollout("mine").is_some_and(|rollout| rollout.is_healthy())
    });
    space.seen(|seen| {
        let owners =
            seen.objects("ReplicaSet").map(|set| set["metadata"]["ownerReferences"][0]["name"].clone());
        assert_eq!(owners.collect::<Vec<_>>(), ["mine"], "the other Rollout is not ours");
        assert!(seen.object("Rollout", PROVIDER).unwrap().get("status").is_none());
    });
}

/// A Rollout as another controller has left it: stable at a ReplicaSet that it made.
fn as_of_another_controller(space: &Namespace) {
    space.apply(&Canary::Weight.provider("3s"));
    let rollout: Value =
        serde_json::from_str(&space.kubectl(&["get", "rollout", PROVIDER, "-o", "json"]).ok().out).unwrap();
    let mut template = rollout["spec"]["template"].clone();
    template["metadata"]["labels"]["rollouts-pod-template-hash"] = json!("5d4f8c9b7");
    let set = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": "dubbo3-provider-5d4f8c9b7", "labels": template["metadata"]["labels"],
            "annotations": {"rollout.argoproj.io/revision": "1"},
            "ownerReferences": [{
                "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": PROVIDER, "controller": true,
                "uid": rollout["metadata"]["uid"]
            }]
        },
        "spec": {"replicas": 1, "selector": {"matchLabels": template["metadata"]["labels"]}, "template": template}
    });
    space
        .kubectl_with(&["create", "--field-manager", "rollouts-controller", "-f", "-"], &set.to_string())
        .ok();
    let status = json!({"status": {
        "stableRS": "5d4f8c9b7", "currentPodHash": "5d4f8c9b7", "currentStepIndex": 4, "observedGeneration": "1",
        "phase": "Healthy"
    }});
    space.patch("rollout/dubbo3-provider", "status", &status).ok();
}

#[test]
fn a_rollout_of_another_controller_is_held_with_an_event_and_not_written() {
    let space = Bed::shared().namespace("foreign");
    as_of_another_controller(&space);
    let controller = space.controller().start();
    space.until("it is held with an event", secs(30), |seen| {
        seen.events(PROVIDER).iter().any(|(reason, text)| {
            *reason == "RolloutHeld" && text.contains("5d4f8c9b7") && text.contains("another controller")
        })
    });
    controller.until_logged(&["held", "5d4f8c9b7"], secs(10));
    // An update of the template does not make it ours.
    space.plugin(&["set", "image", PROVIDER, &format!("container-1={IMAGE}:v0.3")]).ok();
    // Another Rollout of the namespace is driven meanwhile: whatever was going to be written has been written by then.
    let other = Canary::Weight.consumer(&space, "3s");
    space.apply(&other);
    space.until("another is driven", secs(60), |seen| {
        seen.rollout("dubbo3-consumer").is_some_and(|rollout| rollout.is_healthy())
    });
    let requests = space.requests();
    let written = requests.0.iter().filter(|request| request.writes() && request.counts());
    let written: Vec<_> = written.filter(|request| request.name.contains("provider")).collect();
    assert!(written.is_empty(), "{written:?}");
    space.seen(|seen| {
        let sets =
            seen.objects("ReplicaSet").filter(|set| set["metadata"]["name"] != "dubbo3-provider-5d4f8c9b7");
        assert_eq!(sets.count(), 1, "{}", seen.report());
    });
}

#[test]
fn a_dry_run_decides_and_logs_and_writes_nothing() {
    let space = Bed::shared().namespace("dry");
    space.apply(&Canary::Weight.provider("3s"));
    let dry = space.controller().flags(&["--dry-run"]).start();
    dry.until_logged(&["decided", PROVIDER, "actions"], secs(20));
    drop(dry);
    let before = space.requests();
    assert_eq!(before.writes(), 0, "{before}");
    assert!(before.0.iter().all(|request| request.resource != "events"), "{before}");

    // In mid-update, too; with the rollout as the real one left it.
    let mut story = Story::begin(&space, PROVIDER);
    story.set_image("v0.3");
    story.until("paused at 5 %", |rollout| rollout.is_paused_at(1));
    story.controller.kill();
    let before = space.requests().0.len();
    let dry = space.controller().flags(&["--dry-run", "--log-format", "json"]).start();
    let line = dry.until_logged(&["decided", PROVIDER], secs(20));
    assert!(serde_json::from_str::<Value>(&line).is_ok(), "{line}");
    // The pause is over while it looks; it decides on the next step, and does not take it.
    dry.until_logged(&["decided", "routed canary 50"], secs(20));
    let requests = crate::bed::Requests(space.requests().0[before..].to_vec());
    let writes = requests.0.iter().filter(|request| request.writes());
    assert_eq!(writes.count(), 0, "{requests}");
}
