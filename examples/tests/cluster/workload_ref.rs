//! `workloadRef`: a Rollout takes over from a Deployment that serves, and gives it back, and no request is lost.

use crate::{
    bed::{Bed, Canary, IMAGE, Load, Namespace, Seen, Target, secs},
    story::{PROVIDER, Story},
};
use rollout_core::argo::read;
use serde_json::{Value, json};

/// The weight canary as a Deployment with two pods, and the Rollout that takes over from it.
fn manifests(scale_down: &str) -> (String, String) {
    let text = Canary::Weight.provider("1h");
    let (rollouts, around): (Vec<_>, Vec<_>) =
        read(&text, "provider.yaml").documents.into_iter().partition(|one| one.kind() == Some("Rollout"));
    let mut around: Vec<_> = around.into_iter().map(|document| document.into_value().to_string()).collect();
    let rollout = rollouts.into_iter().next().unwrap().into_value();
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": PROVIDER},
        "spec": {"replicas": 2, "selector": rollout["spec"]["selector"], "template": rollout["spec"]["template"]}
    });
    let mut refers = rollout;
    let spec = refers["spec"].as_object_mut().unwrap();
    spec.retain(|field, _| field != "template" && field != "selector");
    spec.insert("replicas".to_owned(), json!(2));
    let reference =
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": PROVIDER, "scaleDown": scale_down});
    spec.insert("workloadRef".to_owned(), reference);
    around.push(deployment.to_string());
    (around.join("\n---\n"), refers.to_string())
}

/// The pods that the Deployment asks for, and those that its own ReplicaSets still have.
fn deployment(space: &Namespace) -> (u64, u64) {
    let asked = space.kubectl(&["get", "deployment", PROVIDER, "-o", "json"]).ok().out;
    let asked: Value = serde_json::from_str(&asked).unwrap();
    let count = |value: &Value| value.as_u64().unwrap_or(0);
    (count(&asked["spec"]["replicas"]), count(&asked["status"]["replicas"]))
}

/// The pods of the Rollout's ReplicaSets.
fn ours(seen: &Seen) -> i64 {
    let sets = seen.objects("ReplicaSet").filter(|set| {
        set.pointer("/metadata/labels")
            .is_some_and(|labels| labels.get("rollouts-pod-template-hash").is_some())
    });
    sets.filter_map(|set| set.pointer("/spec/replicas").and_then(Value::as_i64)).sum()
}

fn takes_over(scale_down: &str) {
    let bed = Bed::shared();
    let space = bed.namespace(&format!("ref-{}", &scale_down[..2]));
    let (deployed, rollout) = manifests(scale_down);
    space.apply(&deployed);
    let targets = &Target::all(&space)[..2];
    for target in targets {
        space.until_answered(target, secs(60));
    }
    let load = Load::start(&bed, 50, secs(240), targets);
    space.apply(&rollout);
    let story = Story::begin(&space, PROVIDER);
    let end = if scale_down == "never" { 2 } else { 0 };
    space.until("the Deployment has its last pods", secs(60), |_| deployment(&space) == (end, end));
    story.until("clients see that its generation was observed", |rollout| {
        let seen = &rollout.0["metadata"]["annotations"]["rollout.argoproj.io/workload-generation"];
        seen.is_string() && *seen == rollout.0["status"]["workloadObservedGeneration"]
    });

    // An update by weight: the template is changed where it is.
    let image = format!("container-1={IMAGE}:v0.3");
    space.kubectl(&["set", "image", &format!("deployment/{PROVIDER}"), &image]).ok();
    story.until("paused at 5 %", |rollout| rollout.is_paused_at(1));
    space.plugin(&["promote", PROVIDER]).ok();
    story.until("paused at 50 %", |rollout| rollout.is_paused_at(3));
    space.plugin(&["abort", PROVIDER]).ok();
    story.until("aborted", |rollout| rollout.phase() == "Degraded");
    space.until("no weight is left", secs(60), |seen| seen.weights("provider") == Some((100, 0)));
    space.plugin(&["retry", "rollout", PROVIDER]).ok();
    story.until("paused at 5 % again", |rollout| rollout.is_paused_at(1));
    space.plugin(&["promote", PROVIDER, "--full"]).ok();
    story.until("finished", |rollout| rollout.is_healthy());
    assert!(story.now(|rollout| rollout.0["spec"]["template"].is_null()), "the template is never stored");

    // And back: the Deployment serves again before the Rollout's pods go.
    space
        .patch(&format!("rollout/{PROVIDER}"), "", &json!({"spec": {"workloadRef": {"scaleDown": "never"}}}))
        .ok();
    space.kubectl(&["scale", "deployment", PROVIDER, "--replicas=2"]).ok();
    space.kubectl(&["rollout", "status", "deployment", PROVIDER, "--timeout=60s"]).ok();
    space.kubectl(&["delete", "rollout", PROVIDER, "--cascade=orphan"]).ok();
    space.until("both subsets select every pod again", secs(90), |seen| {
        let rules = seen.objects("DestinationRule").map(ToString::to_string).collect::<String>();
        !rules.is_empty() && !rules.contains("rollouts-pod-template-hash")
    });
    space.kubectl(&["delete", "replicaset", "-l", "rollouts-pod-template-hash"]).ok();
    space.until("only the Deployment's pods are left", secs(60), |seen| ours(seen) == 0);
    let answers = load.stop();
    println!("{answers}");
    answers.assert_none_failed();
}

#[test]
fn a_rollout_takes_over_from_a_deployment_that_keeps_its_pods() {
    takes_over("never");
}

#[test]
fn a_rollout_takes_over_from_a_deployment_that_goes_when_all_is_done() {
    takes_over("onsuccess");
}

#[test]
fn a_rollout_takes_over_from_a_deployment_pod_by_pod() {
    takes_over("progressively");
}
