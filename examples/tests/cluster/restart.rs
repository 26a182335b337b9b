//! `kubectl argo rollouts restart`: pods are evicted a few at a time, a budget is honoured, and no request is lost.

use crate::{
    bed::{Bed, Canary, Load, Seen, Target, secs},
    story::{PROVIDER, Story},
};
use std::collections::BTreeSet;

/// The weight canary with four pods.
fn manifests() -> String {
    Canary::Weight.provider("1h").replacen("  replicas: 1\n", "  replicas: 4\n", 1)
}

/// A `PodDisruptionBudget` that lets no pod go.
const BUDGET: &str = "
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: all}
spec: {maxUnavailable: 0, selector: {matchLabels: {app: dubbo3-provider}}}
";

/// The pods that stay.
fn pods(seen: &Seen) -> BTreeSet<String> {
    let pods = seen.objects("Pod").filter(|pod| pod.pointer("/metadata/deletionTimestamp").is_none());
    let ours = pods.filter(|pod| pod.pointer("/metadata/labels/app").is_some_and(|app| app == PROVIDER));
    ours.filter_map(|pod| pod["metadata"]["name"].as_str().map(str::to_owned)).collect()
}

#[test]
fn a_restart_replaces_every_pod_and_loses_no_request() {
    let bed = Bed::shared();
    let space = bed.namespace("again");
    space.apply(&manifests());
    let story = Story::begin(&space, PROVIDER);
    let targets = &Target::all(&space)[..2];
    for target in targets {
        space.until_answered(target, secs(20));
    }
    let load = Load::start(&bed, 50, secs(240), targets);
    story.at_50_percent();
    space.until("each side has its pods", secs(60), |seen| pods(seen).len() == 6);
    let before = space.seen(pods);

    space.apply(BUDGET);
    space.plugin(&["restart", PROVIDER]).ok();
    story.until("it restarts", |rollout| {
        rollout.0["spec"]["restartAt"].is_string() && rollout.0["status"]["restartedAt"].is_null()
    });
    space.until("it says that it waits", secs(30), |seen| {
        seen.events(PROVIDER).iter().any(|(reason, _)| *reason == "RolloutRestartWaits")
    });
    assert!(space.seen(pods).is_superset(&before), "the budget protects every pod");
    space.kubectl(&["delete", "poddisruptionbudget", "all"]).ok();
    space.until("every pod is another one", secs(240), |seen| {
        let now = pods(seen);
        now.len() == 6 && now.is_disjoint(&before)
    });
    story.until("the restart is recorded, and the pause goes on", |rollout| {
        rollout.0["spec"]["restartAt"] == rollout.0["status"]["restartedAt"] && rollout.is_paused_at(3)
    });
    space.plugin(&["promote", PROVIDER]).ok();
    story.until("finished", |rollout| rollout.is_healthy());
    let answers = load.stop();
    println!("{answers}");
    answers.assert_none_failed();
}

/// Returns the fewest pods that were ready at the same time, and not being deleted, from this change on.
fn fewest(seen: &Seen, from: usize) -> usize {
    let mut serving = BTreeSet::new();
    let mut fewest = usize::MAX;
    for (at, change) in seen.changes().iter().enumerate().filter(|(_, change)| change.kind == "Pod") {
        let pod = &change.object;
        let conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
        let is_ready = conditions.into_iter().any(|one| one["type"] == "Ready" && one["status"] == "True");
        if change.is_there && is_ready && pod["metadata"]["deletionTimestamp"].is_null() {
            serving.insert(change.name.clone());
        } else {
            serving.remove(&change.name);
        }
        if at >= from {
            fewest = fewest.min(serving.len());
        }
    }
    fewest
}

/// A replacement is created before its ReplicaSet counts that a pod is missing.
#[test]
fn a_restart_never_takes_both_of_two_pods() {
    let space = Bed::shared().namespace("both-stay");
    space.apply(&Canary::Weight.provider("1h").replacen("  replicas: 1\n", "  replicas: 2\n", 1));
    let story = Story::begin(&space, PROVIDER);
    space.until("both pods are there", secs(60), |seen| pods(seen).len() == 2);
    let from = space.seen(|seen| seen.changes().len());
    space.plugin(&["restart", PROVIDER]).ok();
    story.until("the restart is recorded", |rollout| {
        rollout.0["spec"]["restartAt"].is_string()
            && rollout.0["spec"]["restartAt"] == rollout.0["status"]["restartedAt"]
    });
    space.seen(|seen| assert_eq!(fewest(seen, from), 1, "{}", seen.report()));
}
