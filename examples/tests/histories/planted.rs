//! What the judge must notice, planted one by one.

use crate::{
    apps,
    judge::Judge,
    mesh::said::{header, subset},
};
use rollout_kube::testing::SimulatedApiServer;
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

type Object = (String, Value);

fn set(pods: u64) -> Object {
    let set = json!({
        "kind": "ReplicaSet", "metadata": {"labels": {"rollouts-pod-template-hash": "v2"}},
        "spec": {"replicas": pods}
    });
    (apps::set_path("app-0-v2"), set)
}

/// A ready one of `v2`.
fn pod() -> Object {
    pod_of("app-0-v2-1", "app-0")
}

fn pod_of(name: &str, app: &str) -> Object {
    let labels = json!({"app": app, "rollouts-pod-template-hash": "v2"});
    (apps::pod_path(name), json!({"kind": "Pod", "metadata": {"labels": labels}}))
}

/// Pods of `v2`, and then the evictions of two of them.
fn evicted(max_unavailable: u64) -> Vec<Object> {
    let names = ["app-0-v2-1", "app-0-v2-2", "app-0-v2-3"];
    let canary = json!({"maxUnavailable": max_unavailable});
    let rollout = json!({"kind": "Rollout", "spec": {"strategy": {"canary": canary}}});
    let mut all = vec![(apps::rollout_path(0), rollout), set(3)];
    all.extend(names.map(|name| pod_of(name, "app-0")));
    all.extend(names[..2].iter().map(|name| (apps::pod_path(name), Value::Null)));
    all
}

/// Where stable and canary lead to.
fn rule(stable: &str, canary: &str) -> Object {
    let part =
        |role, hash| json!({"name": subset("app-0", role), "labels": {"rollouts-pod-template-hash": hash}});
    let subsets = [part("stable", stable), part("canary", canary), apps::foreign_subset()];
    let rule = json!({"kind": "DestinationRule", "spec": {"subsets": subsets}});
    (apps::rule_path("app-0"), rule)
}

/// A Service that selects the pods of this app.
fn service(app: &str) -> Object {
    let service = json!({"kind": "Service", "spec": {"selector": {"app": app}, "ports": apps::ports()}});
    (apps::service_path(&subset("app-0", "canary")), service)
}

/// Somebody else's subset is gone.
fn emptied() -> Object {
    (apps::rule_path("app-0"), json!({"kind": "DestinationRule", "spec": {"subsets": []}}))
}

fn routes(stable: u64, canary: u64, theirs: u64) -> Object {
    let to = |role, weight: u64| json!({"destination": {"subset": subset("app-0", role)}, "weight": weight});
    let ours = json!({
        "name": "app-0", "retries": {"attempts": 2}, "route": [to("stable", stable), to("canary", canary)]
    });
    let routes = json!({"kind": "VirtualService", "spec": {"http": [ours, apps::foreign(theirs)]}});
    (apps::route_path("app-0"), routes)
}

/// Requests with a header go to the canary.
fn with_header() -> Object {
    let (path, mut routes) = routes(100, 0, 1);
    let to = json!([{"destination": {"subset": subset("app-0", "canary")}, "weight": 100}]);
    let managed = json!({"name": header("app-0"), "route": to});
    routes["spec"]["http"].as_array_mut().unwrap().insert(0, managed);
    (path, routes)
}

fn given_up() -> Object {
    let status = json!({"abort": true, "abortedAt": "2027-01-15T08:00:00Z", "currentPodHash": "v2"});
    (apps::rollout_path(0), json!({"kind": "Rollout", "status": status}))
}

/// What is broken after these writes; `null` deletes.
fn after(writes: impl IntoIterator<Item = Object>) -> Option<String> {
    let (server, mut judge) = (SimulatedApiServer::start(), Judge::default());
    for (path, object) in writes {
        if object.is_null() { server.delete(&path) } else { server.apply(&path, object) }
    }
    for change in server.since(0) {
        judge.see_by(&change, true, Duration::from_secs(100));
    }
    judge.broken
}

#[tokio::test]
async fn the_judge_notices_what_is_planted() {
    let right = [set(1), pod(), rule("v1", "v2"), routes(100, 0, 1), with_header(), routes(95, 5, 1)];
    assert_eq!(after(right), None);
    assert_eq!(after([service("app-0")]), None);
    assert_eq!(after(evicted(2)), None);
    let planted = [
        ("weights_sum", vec![routes(60, 30, 1)]),
        ("no_unserved_write", vec![set(1), rule("v1", "v2"), routes(95, 5, 1)]),
        ("no_pods_taken_from_traffic", vec![set(1), pod(), rule("v1", "v2"), routes(95, 5, 1), set(0)]),
        ("no_pods_taken_from_traffic", vec![set(1), pod(), rule("v2", "v3"), routes(100, 0, 1), set(0)]),
        ("aborted_never_rises", vec![set(1), pod(), rule("v1", "v2"), given_up(), routes(95, 5, 1)]),
        ("no_unserved_write", vec![set(1), rule("v1", "v2"), with_header()]),
        ("no_pods_taken_from_traffic", vec![set(1), pod(), rule("v1", "v2"), with_header(), set(0)]),
        ("aborted_never_rises", vec![set(1), pod(), rule("v1", "v2"), given_up(), with_header()]),
        ("what_is_foreign_stays", vec![service("other")]),
        ("what_is_foreign_stays", vec![routes(100, 0, 9)]),
        ("what_is_foreign_stays", vec![emptied()]),
        ("what_is_foreign_stays", vec![pod_of("theirs-app-0-v2", apps::THEIRS)]),
        ("few_pods_are_evicted", evicted(1)),
    ];
    for (rule, writes) in planted {
        let broken = after(writes).unwrap_or_default();
        assert!(broken.starts_with(rule), "{rule}: {broken}");
    }
    let mut ends: [Judge; 4] = Default::default();
    ends[0].rests(&["app-0 is Progressing".to_owned()]);
    ends[1].quiet(&BTreeMap::from([("PUT rollouts".to_owned(), 1)]));
    ends[2].few(11, 10);
    ends[3].took_over(&[100, 95]);
    let rules = ["comes_to_rest", "quiet_at_rest", "few_requests", "no_unserved_weight_kept"];
    for (rule, judge) in rules.into_iter().zip(ends) {
        assert!(judge.broken.is_some_and(|broken| broken.starts_with(rule)), "{rule}");
    }
}
