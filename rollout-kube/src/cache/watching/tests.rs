//! A watch against a server whose answers a test scripts.

use crate::{
    cache::{Caches, Changed},
    store::{
        Requests,
        mock::{Answer, Asked, Then, server},
    },
};
use rollout_core::traffic::ObjectRef;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc::UnboundedReceiver;

fn service(name: &str, version: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "shop", "resourceVersion": version}})
}

fn list(version: &str, items: &[Value]) -> Answer {
    Answer::ok(json!({"metadata": {"resourceVersion": version}, "items": items}))
}

fn modified(name: &str, version: &str) -> Value {
    let mut object = service(name, version);
    (object["apiVersion"], object["kind"]) = (json!("v1"), json!("Service"));
    json!({"type": "MODIFIED", "object": object})
}

/// Watches Services against these answers to its lists and its watches, in order; after the last one the server is
/// silent.
fn watched(
    lists: Vec<Answer>,
    watches: Vec<Answer>,
) -> (Caches, UnboundedReceiver<Changed>, Arc<Mutex<Vec<Asked>>>) {
    let answers = Mutex::new((lists.into_iter(), watches.into_iter()));
    let (client, asked) = server(move |asked| {
        let mut answers = answers.lock().unwrap();
        let next = if asked.uri.contains("watch=") { answers.1.next() } else { answers.0.next() };
        next.unwrap_or(Answer::Never)
    });
    let (caches, news) = Caches::new(Requests::new(client, "us"), None);
    (caches, news, asked)
}

fn services() -> ObjectRef {
    ObjectRef::new("", "Service", "", "")
}

/// Returns the next change: the name and the version, `None` when the object is gone.
async fn next(news: &mut UnboundedReceiver<Changed>) -> (String, Option<String>) {
    let changed = news.recv().await.unwrap();
    (changed.object.name.to_string(), changed.now.map(|entry| entry.version.write.to_string()))
}

fn is(name: &str, version: &str) -> (String, Option<String>) {
    (name.to_owned(), Some(version.to_owned()))
}

fn watch_versions(asked: &Mutex<Vec<Asked>>) -> Vec<String> {
    let version = |uri: &str| {
        uri.split("resourceVersion=").nth(1).map(|rest| rest.split('&').next().unwrap().to_owned())
    };
    let asked = asked.lock().unwrap();
    asked
        .iter()
        .filter(|asked| asked.uri.contains("watch="))
        .filter_map(|asked| version(&asked.uri))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn after_an_expired_version_everything_is_listed_again_and_deletions_are_reported() {
    let expired = json!({"type": "ERROR", "object": {
        "kind": "Status", "status": "Failure", "code": 410, "reason": "Expired", "message": "too old"}});
    let lists = vec![list("3", &[service("a", "1"), service("gone", "2")]), list("9", &[service("a", "8")])];
    let (caches, mut news, _) = watched(lists, vec![Answer::Lines(vec![expired], Then::End)]);
    caches.start(&services()).await.unwrap();
    assert_eq!(next(&mut news).await, is("a", "1"));
    assert_eq!(next(&mut news).await, is("gone", "2"));
    assert_eq!(next(&mut news).await, is("a", "8"));
    assert_eq!(next(&mut news).await, ("gone".to_owned(), None));
    assert_eq!(caches.all(&ObjectRef::new("", "Service", "shop", "")).await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_cut_ends_or_falls_silent_resumes_from_its_last_version() {
    let watches = vec![
        Answer::Lines(vec![modified("a", "4")], Then::Cut),
        Answer::Lines(vec![modified("a", "5")], Then::End),
        Answer::Lines(vec![modified("a", "6")], Then::Silence),
        Answer::failure(500, "not now"),
        Answer::Lines(vec![modified("a", "7")], Then::Silence),
    ];
    let (caches, mut news, asked) = watched(vec![list("3", &[service("a", "1")])], watches);
    caches.start(&services()).await.unwrap();
    for version in ["1", "4", "5", "6", "7"] {
        assert_eq!(next(&mut news).await, is("a", version));
    }
    assert_eq!(watch_versions(&asked), ["3", "4", "5", "6", "6"]);
    let lists = asked.lock().unwrap().iter().filter(|asked| !asked.uri.contains("watch=")).count();
    assert_eq!(lists, 1, "nothing was listed again");
}

#[tokio::test(start_paused = true)]
async fn a_deleted_object_is_not_shown_again_by_the_next_watch() {
    let mut deleted = modified("a", "4");
    deleted["type"] = json!("DELETED");
    let watches = vec![Answer::Lines(vec![deleted], Then::Cut), Answer::Never];
    let (caches, mut news, asked) = watched(vec![list("3", &[service("a", "1")])], watches);
    caches.start(&services()).await.unwrap();
    assert_eq!(next(&mut news).await, is("a", "1"));
    assert_eq!(next(&mut news).await, ("a".to_owned(), None));
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    assert_eq!(watch_versions(&asked), ["3", "4"]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_or_unanswered_list_is_retried_without_a_hot_loop() {
    let lists = vec![
        Answer::failure(403, "not yours"),
        Answer::failure(403, "not yours"),
        Answer::Never,
        list("3", &[service("a", "1")]),
    ];
    let (caches, mut news, asked) = watched(lists, Vec::new());
    let begun = tokio::time::Instant::now();
    let error = caches.start(&services()).await.unwrap_err().to_string();
    assert!(error.contains("Service objects (v1) cannot be listed: "), "{error}");
    assert!(error.contains("not yours") && error.contains("is this kind installed"), "{error}");
    assert_eq!(next(&mut news).await, is("a", "1"));
    assert!(begun.elapsed().as_secs() >= 61, "{:?}", begun.elapsed());
    assert!(asked.lock().unwrap().len() <= 5, "{:?}", asked.lock().unwrap().len());
    assert!(caches.start(&services()).await.is_ok());
}
