//! What the judge must notice, planted one by one.

use crate::{
    app::{ScaleDown, Workload, WorkloadKind},
    apps,
    judge::Judge,
    mesh::said::{header, subset},
    workload,
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

/// Two Services that take turns.
fn by_turns() -> Object {
    let canary = json!({"pingPong": {"pingService": "app-0-stable", "pongService": "app-0-canary"}});
    (apps::rollout_path(0), json!({"kind": "Rollout", "spec": {"strategy": {"canary": canary}}}))
}

fn service_of(role: &str, hash: &str) -> Object {
    let selector = json!({"app": "app-0", "rollouts-pod-template-hash": hash});
    let service = json!({"kind": "Service", "spec": {"selector": selector, "ports": apps::ports()}});
    (apps::service_path(&subset("app-0", role)), service)
}

/// The first of two Services that take turns has all requests and pods of `v2`, and is led to these.
fn led_to(next: &str) -> Vec<Object> {
    let to = |role, weight: u64| json!({"destination": {"host": subset("app-0", role)}, "weight": weight});
    let route = json!({
        "name": "app-0", "retries": {"attempts": 2}, "route": [to("stable", 100), to("canary", 0)]
    });
    let routes = json!({"kind": "VirtualService", "spec": {"http": [route, apps::foreign(1)]}});
    let routes = (apps::route_path("app-0"), routes);
    let services = [("stable", "v2"), ("canary", "v3"), ("stable", next)];
    let [first, second, led] = services.map(|(role, hash)| service_of(role, hash));
    vec![set(1), pod(), by_turns(), first, second, routes, led]
}

/// An update while `v1` is stable, whose pods avoid the nodes of another revision.
fn avoiding(other: &str) -> Vec<Object> {
    let canary = json!({"antiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}});
    let rollout = json!({
        "kind": "Rollout", "spec": {"strategy": {"canary": canary}}, "status": {"stableRS": "v1"}
    });
    let (path, mut set) = set(1);
    set["metadata"]["labels"]["app"] = json!("app-0");
    let selector = json!({"matchExpressions": [{"key": "rollouts-pod-template-hash", "values": [other]}]});
    set["spec"]["template"]["spec"]["affinity"]["podAntiAffinity"] =
        json!({"requiredDuringSchedulingIgnoredDuringExecution": [{"labelSelector": selector}]});
    vec![(apps::rollout_path(0), rollout), (path, set)]
}

/// A Deployment with a ready pod hands over to a Rollout that has so many.
fn handed_over(ready: bool, scale_down: &str) -> Vec<Object> {
    let of = Workload { kind: WorkloadKind::Deployment, pods: 1, scale_down: ScaleDown::OnSuccess };
    let (path, mut deployment) = workload::object(of, 0);
    let mut reference = workload::reference(of, 0);
    reference["scaleDown"] = json!(scale_down);
    let rollout = json!({"kind": "Rollout", "spec": {"replicas": 1, "workloadRef": reference}});
    let (before, pod_of_it) = (deployment.clone(), pod_of("workload-0-1", "app-0"));
    deployment["spec"]["replicas"] = json!(0);
    let mut all = vec![(path.clone(), before), pod_of_it, (apps::rollout_path(0), rollout), set(1)];
    all.extend(ready.then(pod));
    all.push((path, deployment));
    all
}

/// The requests that met the pod of a Deployment are led to `v2`, which has a ready one or none.
fn led_from_deployment(ready: bool) -> Vec<Object> {
    let mut all = handed_over(ready, "onsuccess");
    all.pop();
    all.extend([rule("", ""), rule("v2", "v2")]);
    all
}

/// An aborted Rollout that shows this phase.
fn shown(phase: &str) -> Object {
    let (path, mut rollout) = given_up();
    rollout["spec"] = json!({});
    rollout["status"]["observedGeneration"] = json!("1");
    rollout["status"]["phase"] = json!(phase);
    (path, rollout)
}

/// What is broken after these writes; `null` deletes.
fn after(writes: impl IntoIterator<Item = Object>) -> Option<String> {
    let (server, mut judge) = (SimulatedApiServer::start(), Judge::default());
    for (path, object) in writes {
        if object.is_null() { server.delete(&path) } else { server.apply(&path, object) }
    }
    for (at, change) in server.since(0).into_iter().enumerate() {
        // A person makes Deployments, and only a controller scales them down.
        let name = change.object["metadata"]["name"].as_str().unwrap_or_default();
        let is_ours = !name.starts_with(workload::PREFIX) || change.object["spec"]["replicas"] == 0;
        judge.see_by(&change, is_ours, Duration::from_secs(100 + u64::try_from(at).unwrap()));
    }
    judge.broken
}

#[tokio::test]
async fn the_judge_notices_what_is_planted() {
    let right = [set(1), pod(), rule("v1", "v2"), routes(100, 0, 1), with_header(), routes(95, 5, 1)];
    assert_eq!(after(right), None);
    assert_eq!(after([service("app-0")]), None);
    assert_eq!(after(evicted(2)), None);
    assert_eq!(after(led_to("v2")), None);
    assert_eq!(after(avoiding("v1")), None);
    assert_eq!(after([shown("Degraded")]), None);
    assert_eq!(after(handed_over(true, "onsuccess")), None);
    assert_eq!(after(led_from_deployment(true)), None);
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
        ("live_service_keeps_its_pods", led_to("v3")),
        ("pods_keep_apart_in_an_update", avoiding("v2")),
        ("no_gap_at_the_hand_over", handed_over(false, "onsuccess")),
        ("no_gap_at_the_hand_over", led_from_deployment(false)),
        ("what_is_foreign_stays", handed_over(true, "never")),
        ("argo_cd_shows_what_is_meant", vec![shown("Healthy")]),
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
