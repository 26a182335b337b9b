//! The dispatcher with two Rollouts.

use super::*;
use crate::{
    cache::{Caches, Touched, View},
    control_plane::DataPlanes,
    controller::waker::Waker,
    rollout::Publisher,
    store::{
        Requests,
        mock::{Answer, server},
    },
};
use rollout_core::{backend::ObjectStore, traffic::ObjectRef};
use serde_json::{Value, json};
use std::{
    future::pending,
    sync::atomic::{AtomicU32, Ordering},
};

fn rollout(name: &str) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "shop", "uid": name, "resourceVersion": "1"},
        "spec": {
            "selector": {"matchLabels": {"app": name}}, "strategy": {"canary": {}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "c", "image": "web:v1"}]}
            }
        }
    })
}

/// An object that appears wakes the rollout that looked for it.
#[tokio::test(start_paused = true)]
async fn an_object_that_appears_wakes_the_rollout_that_looked_for_it() {
    let (context, _changes, _) = controller().await;
    let mut dispatcher = Dispatcher::new(context, 4);
    let key = ("shop".to_owned(), "good".to_owned());
    let rule = ObjectRef::new("networking.istio.io", "DestinationRule", "shop", "rule");
    let view = View::new(Arc::clone(&dispatcher.context.caches), key.clone());
    let _ = view.get(&rule).await;
    let change =
        |object: &ObjectRef| Changed { object: object.clone(), now: None, keys: Touched::new(), by: None };
    let other = ObjectRef::new("networking.istio.io", "DestinationRule", "shop", "other");
    dispatcher.on_change(&change(&other));
    assert_eq!(dispatcher.queue.take(Instant::now()), None);
    dispatcher.on_change(&change(&rule));
    assert_eq!(dispatcher.queue.take(Instant::now()), Some(key));
}

/// A rollout's own writes are part of its reading already: another turn would be wasted.
#[tokio::test(start_paused = true)]
async fn a_change_does_not_wake_the_rollout_that_made_it() {
    let (context, _changes, _) = controller().await;
    let mut dispatcher = Dispatcher::new(context, 4);
    let key = ("shop".to_owned(), "good".to_owned());
    let object = ObjectRef::new("argoproj.io", "Rollout", "shop", "good");
    let mut change = Changed { object, now: None, keys: Touched::new(), by: Some(key.clone()) };
    dispatcher.on_change(&change);
    assert_eq!(dispatcher.queue.take(Instant::now()), None);
    change.by = None;
    dispatcher.on_change(&change);
    assert_eq!(dispatcher.queue.take(Instant::now()), Some(key));
}

/// A controller with two rollouts, and how often `bad`, whose turns always panic, ran a turn.
async fn controller() -> (Arc<Context>, UnboundedReceiver<Changed>, Arc<AtomicU32>) {
    let (client, _) = server(|asked| match asked.uri.as_str() {
        uri if uri.contains("watch=") => Answer::Never,
        uri if uri.ends_with("/rollouts/bad") => Answer::ok(rollout("bad")),
        uri if uri.contains("/rollouts") && asked.method == "GET" => Answer::ok(
            json!({"metadata": {"resourceVersion": "1"}, "items": [rollout("bad"), rollout("good")]}),
        ),
        _ if asked.method == "GET" => Answer::ok(json!({"metadata": {"resourceVersion": "1"}, "items": []})),
        _ => Answer::Is(201, asked.body.clone()),
    });
    let requests = Requests::new(client, "us");
    let publisher = Publisher::start(requests.clone(), "p");
    let (caches, changes) = Caches::new(requests, None);
    for kind in [("argoproj.io", "Rollout"), ("apps", "ReplicaSet")] {
        caches.start(&ObjectRef::new(kind.0, kind.1, "", "")).await.unwrap();
    }
    let turns = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&turns);
    let context = Context {
        caches: Arc::new(caches),
        publisher,
        factory: Arc::new(move |rollout, _, _| {
            let is_bad = rollout.identity().1 == Some("bad");
            assert!(!is_bad || count.fetch_add(1, Ordering::Relaxed) == u32::MAX, "a bug");
            Ok(None)
        }),
        data_planes: DataPlanes::none(),
        clusters: None,
        instance: None,
        dry_run: true,
        runs_analyses: false,
        releases: Vec::new(),
        process: "p".to_owned(),
        clock: Arc::new(crate::rollout::wall_clock),
    };
    (Arc::new(context), changes, turns)
}

#[tokio::test(start_paused = true)]
async fn on_stop_it_ends_and_starts_no_turn() {
    let (context, changes, turns) = controller().await;
    let stop = tokio::time::sleep(Duration::from_secs(10));
    let ended = tokio::time::timeout(
        Duration::from_secs(60),
        run(context, Sources { changes, wakes: Waker::new().1 }, 1, stop),
    )
    .await;
    assert!(ended.is_ok(), "it ends by itself");
    let before = turns.load(Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert_eq!(turns.load(Ordering::Relaxed), before);
}

#[tokio::test(start_paused = true)]
async fn a_rollout_whose_turns_panic_is_retried_with_pauses_and_others_continue() {
    let (context, changes, turns) = controller().await;
    let ended = tokio::time::timeout(
        Duration::from_secs(300),
        run(context, Sources { changes, wakes: Waker::new().1 }, 1, pending()),
    )
    .await;
    assert!(ended.is_err(), "it runs forever");
    // At once, after 2 s, 4 s, … 64 s: 127 s in all, then every 64 s.
    let turns = turns.load(Ordering::Relaxed);
    assert!((8..=11).contains(&turns), "{turns} turns in five minutes");
}

/// A turn takes its memory with it.
#[tokio::test(start_paused = true)]
async fn a_rollout_woken_during_its_turn_is_not_new() {
    let (context, _changes, _) = controller().await;
    let (mut dispatcher, now) = (Dispatcher::new(context, 4), Instant::now());
    let key = |name: &str| ("shop".to_owned(), name.to_owned());
    dispatcher.wake(key("good"));
    assert_eq!(dispatcher.queue.take(now), Some(key("good")));
    dispatcher.wake(key("good"));
    dispatcher.wake(key("another"));
    let after = After { next: None, is_over: false };
    dispatcher.done(key("good"), RolloutMemory::new("p"), &after, Duration::ZERO);
    assert_eq!(dispatcher.queue.take(now), Some(key("good")), "a started rollout goes first");
}
