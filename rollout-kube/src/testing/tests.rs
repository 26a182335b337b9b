//! Some of the checks of `cargo xtask conform`, without a real server.

use super::{Disturb, SimulatedApiServer, Trouble};
use http::Request;
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde_json::{Value, json};
use std::time::Duration;

const SERVICES: &str = "/api/v1/namespaces/shop/services";
const PODS: &str = "/api/v1/namespaces/shop/pods";
const ROLLOUTS: &str = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts";

async fn ask(server: &SimulatedApiServer, method: &str, uri: &str, body: Value) -> (u16, Value) {
    let request = Request::builder().method(method).uri(uri);
    let request = request.header("content-type", "application/merge-patch+json");
    let answer =
        server.client().send(request.body(Body::from(body.to_string().into_bytes())).unwrap()).await.unwrap();
    let code = answer.status().as_u16();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    (code, serde_json::from_slice(&bytes).unwrap())
}

fn rollout(more: &Value) -> Value {
    let mut whole = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {"replicas": 1}
    });
    super::merge::merge(&mut whole, more);
    whole
}

#[tokio::test]
async fn a_status_is_a_subresource_and_raises_no_generation() {
    let server = SimulatedApiServer::start();
    let (code, made) =
        ask(&server, "POST", ROLLOUTS, rollout(&json!({"status": {"phase": "Healthy"}}))).await;
    assert_eq!((code, made.get("status")), (201, None), "a new object has no status");
    let one = format!("{ROLLOUTS}/web");
    let mut next = made.clone();
    next["status"] = json!({"phase": "Paused"});
    next["spec"]["replicas"] = json!(7);
    let (_, written) = ask(&server, "PUT", &format!("{one}/status"), next.clone()).await;
    assert_eq!((&written["status"]["phase"], &written["spec"]["replicas"]), (&json!("Paused"), &json!(1)));
    assert_eq!(written["metadata"]["generation"], 1);
    let (code, stale) = ask(&server, "PUT", &one, next.clone()).await;
    assert_eq!((code, &stale["reason"]), (409, &json!("Conflict")));
    let (_, patched) = ask(&server, "PATCH", &one, json!({"spec": {"replicas": 7}, "status": null})).await;
    assert_eq!(
        (&patched["status"]["phase"], &patched["metadata"]["generation"]),
        (&json!("Paused"), &json!(2))
    );
    let (_, again) = ask(&server, "PATCH", &one, json!({"spec": {"replicas": 7}})).await;
    assert_eq!(again, patched, "no change makes no new version");
}

#[tokio::test]
async fn a_write_without_a_version_depends_on_the_kind() {
    let server = SimulatedApiServer::start();
    ask(&server, "POST", ROLLOUTS, rollout(&json!({}))).await;
    assert_eq!(ask(&server, "PUT", &format!("{ROLLOUTS}/web"), rollout(&json!({}))).await.0, 422);
    assert_eq!(
        ask(&server, "PUT", &format!("{ROLLOUTS}/other"), rollout(&json!({}))).await.0,
        400,
        "another name"
    );
    let service = json!({"metadata": {"name": "web", "labels": {"app": "web"}}});
    let one = format!("{SERVICES}/web");
    assert_eq!(ask(&server, "PUT", &one, service.clone()).await.0, 201, "a PUT creates a Service");
    assert_eq!(ask(&server, "PUT", &one, service.clone()).await.0, 200);
    assert_eq!(ask(&server, "POST", SERVICES, service).await.1["reason"], "AlreadyExists");
}

#[tokio::test]
async fn a_finalizer_delays_the_deletion() {
    let server = SimulatedApiServer::start();
    ask(&server, "POST", ROLLOUTS, rollout(&json!({"metadata": {"finalizers": ["test/hold"]}}))).await;
    let one = format!("{ROLLOUTS}/web");
    let (code, held) = ask(&server, "DELETE", &one, json!({})).await;
    assert_eq!((code, held["metadata"]["deletionTimestamp"].is_string()), (200, true));
    assert_eq!(held["metadata"]["generation"], 2);
    assert_eq!(ask(&server, "PATCH", &one, json!({"metadata": {"finalizers": null}})).await.0, 200);
    assert_eq!(ask(&server, "GET", &one, Value::Null).await.0, 404);
}

#[tokio::test]
async fn all_pages_show_the_state_at_the_first() {
    let server = SimulatedApiServer::start();
    for name in ["a", "b", "c"] {
        server.apply(&format!("{SERVICES}/{name}"), json!({}));
    }
    let (_, first) = ask(&server, "GET", &format!("{SERVICES}?limit=2"), Value::Null).await;
    assert_eq!(first["metadata"]["remainingItemCount"], 1);
    server.delete(&format!("{SERVICES}/c"));
    let next = format!("{SERVICES}?limit=2&continue={}", first["metadata"]["continue"].as_str().unwrap());
    let (_, second) = ask(&server, "GET", &next, Value::Null).await;
    assert_eq!(second["items"][0]["metadata"]["name"], "c");
    assert_eq!(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    server.expire();
    assert_eq!(ask(&server, "GET", &next, Value::Null).await.0, 410);
}

#[tokio::test]
async fn a_watch_with_a_selector_shows_an_object_that_no_longer_matches_as_deleted() {
    let server = SimulatedApiServer::start();
    let one = format!("{SERVICES}/web");
    server.apply(&one, json!({"metadata": {"labels": {"tier": "a"}}}));
    server.patch(&one, &json!({"metadata": {"labels": {"tier": "b"}}}));
    server.patch(&one, &json!({"metadata": {"labels": {"tier": "a"}}}));
    let uri = format!("{SERVICES}?watch=true&labelSelector=tier%3Da");
    let answer = server.client().send(Request::get(uri).body(Body::empty()).unwrap()).await.unwrap();
    server.cut_watches();
    let text = answer.into_body().collect().await.unwrap().to_bytes();
    let events = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let seen: Vec<(Value, Value)> = events
        .map(|line| {
            let event: Value = serde_json::from_slice(line).unwrap();
            (event["type"].clone(), event["object"]["metadata"]["resourceVersion"].clone())
        })
        .collect();
    let expected = [("ADDED", "1"), ("DELETED", "2"), ("ADDED", "3")];
    assert_eq!(seen, expected.map(|(what, version)| (json!(what), json!(version))));
}

fn eviction(uid: &Value) -> Value {
    json!({
        "apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"namespace": "shop", "name": "web-1"},
        "deleteOptions": {"preconditions": {"uid": uid}}
    })
}

#[tokio::test]
async fn an_eviction_deletes_the_pod_that_it_means_and_no_other() {
    let server = SimulatedApiServer::start();
    let (one, evict) = (format!("{PODS}/web-1"), format!("{PODS}/web-1/eviction"));
    assert_eq!(ask(&server, "POST", &evict, eviction(&json!("1"))).await.0, 404, "there is no such pod");
    server.apply(&one, json!({}));
    let (code, other) = ask(&server, "POST", &evict, eviction(&json!("another"))).await;
    assert_eq!((code, &other["reason"]), (409, &json!("Conflict")), "a later pod has the name");
    let mut misnamed = eviction(&json!(null));
    misnamed["metadata"]["name"] = json!("web-2");
    assert_eq!(ask(&server, "POST", &evict, misnamed).await.0, 400);
    assert_eq!(
        ask(&server, "POST", &evict, json!({"kind": "Pod", "metadata": {"name": "web-1"}})).await.0,
        400
    );
    assert_eq!(ask(&server, "POST", &evict, json!(7)).await.0, 400);
    let (_, pod) = ask(&server, "GET", &one, Value::Null).await;
    let (code, evicted) = ask(&server, "POST", &evict, eviction(&pod["metadata"]["uid"])).await;
    assert_eq!((code, &evicted["kind"], &evicted["status"]), (201, &json!("Status"), &json!("Success")));
    assert_eq!(ask(&server, "GET", &one, Value::Null).await.0, 404);
    assert_eq!(server.requests()["POST pods/eviction"], 6);
    assert_eq!(ask(&server, "POST", &format!("{SERVICES}/web/eviction"), json!({})).await.0, 404);
}

/// Refuses every eviction.
struct Protected;

impl Disturb for Protected {
    fn request(&mut self, what: &str) -> Trouble {
        if what == "POST pods/eviction" { Trouble::Refused(429) } else { Trouble::None }
    }

    fn watch_lag(&mut self) -> Duration {
        Duration::ZERO
    }
}

#[tokio::test]
async fn an_eviction_can_be_disturbed_like_other_writes() {
    let server = SimulatedApiServer::start();
    let one = format!("{PODS}/web-1");
    server.apply(&one, json!({}));
    server.disturb(Protected);
    let (code, refused) = ask(&server, "POST", &format!("{one}/eviction"), eviction(&json!(null))).await;
    assert_eq!((code, &refused["reason"]), (429, &json!("TooManyRequests")));
    assert_eq!(ask(&server, "GET", &one, Value::Null).await.0, 200, "the pod stays");
}
