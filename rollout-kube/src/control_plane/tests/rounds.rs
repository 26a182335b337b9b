//! When rounds run, and what follows from them.

use super::super::{DataPlanes, run_rounds};
use crate::{
    cache::Caches,
    controller::Waker,
    rollout::{Context, Key, Publisher},
    store::{
        Requests,
        mock::{Answer, server},
    },
};
use async_trait::async_trait;
use rollout_core::{
    Revision,
    backend::{DataPlane, RolloutRef, Round, Rounds},
    traffic::{Settled, Version},
};
use serde_json::json;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{sync::mpsc::UnboundedReceiver, time::Instant};

/// Wants rounds while `waits` is set, and returns `next` from the next one.
#[derive(Debug)]
struct ScriptedRounds {
    waits: Mutex<Option<Duration>>,
    next: Mutex<Round>,
    rounds: Mutex<Vec<Instant>>,
}

#[derive(Debug)]
struct Handle;

#[async_trait]
impl DataPlane for Handle {
    async fn objects(&self, _of: &Version) -> Settled {
        Settled::UNKNOWN
    }

    async fn endpoints(&self, _of: &Revision) -> Settled {
        Settled::Yes
    }
}

#[async_trait]
impl Rounds for ScriptedRounds {
    fn of(self: Arc<Self>, _who: &RolloutRef) -> Arc<dyn DataPlane> {
        Arc::new(Handle)
    }

    fn next_round(&self) -> Option<Duration> {
        let pause = (*self.waits.lock().unwrap())?;
        let last = self.rounds.lock().unwrap().last().copied();
        Some(last.map_or(Duration::ZERO, |last| pause.saturating_sub(last.elapsed())))
    }

    async fn round(&self) -> Round {
        self.rounds.lock().unwrap().push(Instant::now());
        std::mem::take(&mut *self.next.lock().unwrap())
    }

    fn forget(&self, _who: &RolloutRef) {}
}

fn key() -> Key {
    ("shop".to_owned(), "web".to_owned())
}

/// The running rounds, the woken rollouts, and the published events.
type Fixture = (Arc<ScriptedRounds>, Arc<Context>, UnboundedReceiver<Key>, Arc<Mutex<Vec<String>>>);

fn start() -> Fixture {
    let events: Arc<Mutex<Vec<String>>> = Arc::default();
    let recorded = Arc::clone(&events);
    let (client, _) = server(move |asked| match asked.uri.as_str() {
        uri if uri.contains("watch=") => Answer::Never,
        uri if uri.contains("/events") => {
            recorded.lock().unwrap().push(asked.body.to_string());
            Answer::Is(201, asked.body.clone())
        }
        _ => Answer::ok(json!({"metadata": {"resourceVersion": "1"}, "items": [
            {"metadata": {"name": "web", "namespace": "shop", "uid": "1", "resourceVersion": "1"}}
        ]})),
    });
    let requests = Requests::new(client, "us");
    let publisher = Publisher::start(requests.clone(), "p");
    let (caches, _changes) = Caches::new(requests, None);
    let scripted = Arc::new(ScriptedRounds {
        waits: Mutex::default(),
        next: Mutex::default(),
        rounds: Mutex::default(),
    });
    let shared: Arc<dyn Rounds> = scripted.clone();
    let context = Arc::new(Context {
        caches: Arc::new(caches),
        publisher,
        factory: Arc::new(|_, _, _| Ok(None)),
        data_planes: DataPlanes::new(shared),
        clusters: None,
        instance: None,
        dry_run: false,
        runs_analyses: false,
        process: "p".to_owned(),
        clock: Arc::new(crate::rollout::wall_clock),
        releases: Vec::new(),
    });
    let (waker, woken) = Waker::new();
    tokio::spawn(run_rounds(Arc::clone(&context), waker));
    (scripted, context, woken, events)
}

#[tokio::test(start_paused = true)]
async fn rounds_start_with_a_question_and_stop_when_nothing_waits() {
    let (scripted, context, _woken, _) = start();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(scripted.rounds.lock().unwrap().len(), 0, "nothing has asked");
    *scripted.waits.lock().unwrap() = Some(Duration::from_secs(1));
    context.data_planes.of(&key()).objects(&Version::NONE).await;
    tokio::time::sleep(Duration::from_millis(4_500)).await;
    assert_eq!(scripted.rounds.lock().unwrap().len(), 5, "one at once, and one a second");
    *scripted.waits.lock().unwrap() = None;
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(scripted.rounds.lock().unwrap().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_new_question_does_not_wait_as_long_as_an_old_one() {
    let (scripted, context, _woken, _) = start();
    *scripted.waits.lock().unwrap() = Some(Duration::from_secs(100));
    context.data_planes.of(&key()).objects(&Version::NONE).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    *scripted.waits.lock().unwrap() = Some(Duration::from_millis(1_080));
    context.data_planes.of(&key()).objects(&Version::NONE).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(scripted.rounds.lock().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_changed_answer_wakes_the_rollout_and_a_proxy_given_up_is_an_event() {
    let (scripted, context, mut woken, events) = start();
    let who = RolloutRef::new("shop", "web");
    let mut round = Round::default();
    round.changed = vec![who.clone()];
    round.notes = vec![("the proxy a.far does not keep up".to_owned(), vec![who])];
    *scripted.next.lock().unwrap() = round;
    *scripted.waits.lock().unwrap() = Some(Duration::from_secs(1));
    context.data_planes.of(&key()).endpoints(&"v1".into()).await;
    assert_eq!(woken.recv().await, Some(key()));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let events = events.lock().unwrap();
    assert!(events[0].contains("ProxyGivenUp") && events[0].contains("a.far"), "{events:?}");
    assert!(woken.try_recv().is_err(), "once");
}
