//! Counts and conditions without any routing.

use super::web::{apply, plain, until, until_done};
use crate::bed::{Bed, secs};
use serde_json::{Value, json};

/// Pods that are asked for, of all revisions.
fn asked_for(seen: &crate::bed::Seen) -> i64 {
    seen.objects("ReplicaSet").filter_map(|set| set["spec"]["replicas"].as_i64()).sum()
}

#[test]
fn fewer_replicas_in_mid_update_are_fewer_pods_of_both_revisions() {
    let space = Bed::shared().namespace("fewer");
    // No steps: all pods are to be the canary's, as fast as the bounds allow; a quarter of them may be unavailable.
    let canary = json!({"maxSurge": 2});
    apply(&space, &[plain("web", 8, &canary)]);
    let _controller = space.controller().start();
    until_done(&space, "web", 60);
    let update = json!({"spec": {"template": {
        "metadata": {"annotations": {"testbed/never-ready": "true"}},
        "spec": {"containers": [{"name": "c", "image": "web:v2"}]}
    }}});
    space.patch("rollout/web", "", &update).ok();
    space.until("the canary's pods are asked for", secs(30), |seen| seen.objects("ReplicaSet").count() == 2);
    space.until("as many as there may be", secs(30), |seen| asked_for(seen) == 10);
    space.patch("rollout/web", "", &json!({"spec": {"replicas": 4}})).ok();
    space.until("replicas and maxSurge, no more", secs(30), |seen| asked_for(seen) <= 6);
}

#[test]
fn a_replica_set_that_is_refused_is_never_called_created() {
    let space = Bed::shared().namespace("refused");
    let mut rollout = plain("web", 1, &json!({"steps": []}));
    rollout["spec"]["template"]["spec"]["containers"][0]["ports"] = json!([{"containerPort": 99_999_999}]);
    apply(&space, &[rollout]);
    let _controller = space.controller().start();
    let condition = |rollout: crate::bed::Rollout<'_>| {
        rollout.condition("Progressing").map(|(status, reason, _)| (status.to_owned(), reason.to_owned()))
    };
    until(&space, "web", "it says that it was refused", 30, |rollout| {
        condition(rollout) == Some(("False".to_owned(), "ReplicaSetCreateError".to_owned()))
    });
    space.seen(|seen| {
        let lies = seen.changes().iter().filter(|change| change.kind == "Rollout").filter(|change| {
            let conditions: &Value = &change.object["status"]["conditions"];
            conditions.to_string().contains("NewReplicaSetCreated")
        });
        assert_eq!(lies.count(), 0, "{}", seen.report());
    });
}
