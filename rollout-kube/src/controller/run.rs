use super::queue::Queue;
use crate::{
    cache::Changed,
    rollout::{After, Context, Key, Memory, turn},
};
use rollout_core::traffic::ObjectRef;
use std::{
    collections::{BTreeSet, HashMap},
    pin::pin,
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::mpsc::UnboundedReceiver,
    task::JoinSet,
    time::{Instant, sleep_until},
};

/// The turns at work when it is to stop have so long to end, and then the last events to be published: together
/// less than the 30 s that a pod is given.
const LAST_TURNS: Duration = Duration::from_secs(20);
const LAST_EVENTS: Duration = Duration::from_secs(5);

/// Gives each rollout its turn when there is news for it or it is due, until it is to stop: then the turns at work
/// end, and no other begins.
pub(super) async fn run(
    context: Arc<Context>,
    mut news: UnboundedReceiver<Changed>,
    workers: usize,
    stop: impl Future<Output = ()>,
) {
    let mut stop = pin!(stop);
    let mut loop_ = Loop::new(context);
    let mut turns = JoinSet::new();
    let mut at_work = HashMap::new();
    loop {
        while turns.len() < workers
            && let Some(key) = loop_.queue.take(Instant::now())
        {
            let memory = loop_.memories.remove(&key).unwrap_or_default();
            let task = turns.spawn(one_turn(Arc::clone(&loop_.context), key.clone(), memory));
            at_work.insert(task.id(), key);
        }
        let next = loop_.queue.next_at().filter(|_| turns.len() < workers);
        let far = Instant::now() + Duration::from_secs(3_600);
        tokio::select! {
            () = &mut stop => break,
            changed = news.recv() => match changed {
                Some(changed) => loop_.news(&changed),
                None => return,
            },
            Some(done) = turns.join_next_with_id() => match done {
                Ok((task, (key, memory, after))) => {
                    at_work.remove(&task);
                    loop_.done(key, memory, after);
                }
                Err(error) => {
                    if let Some(key) = at_work.remove(&error.id()) {
                        loop_.broke_off(&key, &error.to_string());
                    }
                }
            },
            () = sleep_until(next.unwrap_or(far)) => {}
        }
    }
    tracing::info!(turns = turns.len(), "it is to stop: the turns at work end");
    let all = async { while turns.join_next().await.is_some() {} };
    if tokio::time::timeout(LAST_TURNS, all).await.is_err() {
        tracing::warn!("some turns did not end within {} s, and are broken off", LAST_TURNS.as_secs());
    }
    loop_.context.publisher.flush(LAST_EVENTS).await;
}

async fn one_turn(context: Arc<Context>, key: Key, mut memory: Memory) -> (Key, Memory, After) {
    let after = turn(&context, &key, &mut memory).await;
    (key, memory, after)
}

struct Loop {
    context: Arc<Context>,
    queue: Queue,
    memories: HashMap<Key, Memory>,
    /// What each rollout looked at in its last turn.
    interests: HashMap<Key, BTreeSet<ObjectRef>>,
    /// How many turns of a rollout in a row broke off.
    broken: HashMap<Key, u32>,
}

impl Loop {
    fn new(context: Arc<Context>) -> Self {
        Self {
            context,
            queue: Queue::default(),
            memories: HashMap::new(),
            interests: HashMap::new(),
            broken: HashMap::new(),
        }
    }

    /// Something is not as it was: whom does it concern?
    fn news(&mut self, changed: &Changed) {
        let object = &changed.object;
        let key = (object.namespace.to_string(), object.name.to_string());
        match (&*object.group, &*object.kind) {
            ("argoproj.io", "Rollout") => self.wake(key),
            ("apps", "ReplicaSet") => {
                let owner = changed.now.as_ref().and_then(|set| set.owner());
                match owner {
                    Some((name, _)) => self.wake((key.0, name.to_owned())),
                    // It is gone, and its name begins with that of its rollout.
                    None => self.wake_all(|(namespace, name), _| {
                        *namespace == key.0
                            && key.1.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('-'))
                    }),
                }
            }
            _ => {
                let any = ObjectRef::new(&object.group, &object.kind, &object.namespace, "");
                self.wake_all(|_, asked| asked.contains(object) || asked.contains(&any));
            }
        }
    }

    fn wake_all(&mut self, concerns: impl Fn(&Key, &BTreeSet<ObjectRef>) -> bool) {
        let keys: Vec<Key> = self
            .interests
            .iter()
            .filter(|(key, asked)| concerns(key, asked))
            .map(|(key, _)| key.clone())
            .collect();
        for key in keys {
            self.wake(key);
        }
    }

    fn wake(&mut self, key: Key) {
        let now = Instant::now();
        let at = self.memories.get(&key).map_or(now, |memory| memory.earliest(now));
        self.queue.add(key, at);
    }

    /// A turn broke off in the middle: what it remembered is lost, and what it had begun to write may have
    /// taken effect. The rollout goes on, less and less often while it keeps breaking.
    fn broke_off(&mut self, key: &Key, why: &str) {
        let times = self.broken.entry(key.clone()).or_default();
        *times = times.saturating_add(1);
        let (memory, next) = Memory::after_breaking(*times, Instant::now());
        let again_in = next.saturating_duration_since(Instant::now());
        tracing::error!(
            rollout = format!("{}/{}", key.0, key.1),
            why,
            ?again_in,
            "a turn broke off; this is a bug, please report it"
        );
        self.queue.done(key);
        self.queue.add(key.clone(), next);
        self.memories.insert(key.clone(), memory);
    }

    fn done(&mut self, key: Key, memory: Memory, after: After) {
        self.queue.done(&key);
        self.broken.remove(&key);
        if after.is_over {
            self.interests.remove(&key);
            return;
        }
        if let Some(next) = after.next {
            self.queue.add(key.clone(), next);
        }
        self.interests.insert(key.clone(), after.asked);
        self.memories.insert(key, memory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cache::Shelves,
        rollout::{DataPlanes, Publisher},
        store::{
            Requests,
            mock::{Answer, server},
        },
    };
    use rollout_core::backend::NoDataPlane;
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

    /// What was not there, and then is, is news for the rollout that asked for it.
    #[tokio::test(start_paused = true)]
    async fn an_object_that_appears_wakes_the_rollout_that_looked_for_it() {
        let (context, _news, _) = controller().await;
        let mut loop_ = Loop::new(context);
        let key = ("shop".to_owned(), "good".to_owned());
        let rule = ObjectRef::new("networking.istio.io", "DestinationRule", "shop", "rule");
        let after = After { next: None, asked: BTreeSet::from([rule.clone()]), is_over: false };
        loop_.done(key.clone(), Memory::default(), after);
        assert_eq!(loop_.queue.next_at(), None, "it waits for nothing but news");
        let other = ObjectRef::new("networking.istio.io", "DestinationRule", "shop", "other");
        loop_.news(&Changed { object: other, now: None });
        assert_eq!(loop_.queue.take(Instant::now()), None);
        loop_.news(&Changed { object: rule, now: None });
        assert_eq!(loop_.queue.take(Instant::now()), Some(key));
    }

    /// A controller over two rollouts; how often the one called `bad` had its turn, which always panics.
    async fn controller() -> (Arc<Context>, UnboundedReceiver<Changed>, Arc<AtomicU32>) {
        let (client, _) = server(|asked| match asked.uri.as_str() {
            uri if uri.contains("watch=") => Answer::Never,
            uri if uri.ends_with("/rollouts/bad") => Answer::ok(rollout("bad")),
            uri if uri.contains("/rollouts") && asked.method == "GET" => Answer::ok(
                json!({"metadata": {"resourceVersion": "1"}, "items": [rollout("bad"), rollout("good")]}),
            ),
            _ if asked.method == "GET" => {
                Answer::ok(json!({"metadata": {"resourceVersion": "1"}, "items": []}))
            }
            _ => Answer::Is(201, asked.body.clone()),
        });
        let requests = Requests::new(client, "us");
        let publisher = Publisher::start(requests.clone(), "p");
        let (shelves, news) = Shelves::new(requests, None);
        for kind in [("argoproj.io", "Rollout"), ("apps", "ReplicaSet")] {
            shelves.start(&ObjectRef::new(kind.0, kind.1, "", "")).await.unwrap();
        }
        let turns = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&turns);
        let context = Context {
            shelves: Arc::new(shelves),
            publisher,
            factory: Arc::new(move |rollout, _, _| {
                let is_bad = rollout["metadata"]["name"] == "bad";
                assert!(!is_bad || count.fetch_add(1, Ordering::Relaxed) == u32::MAX, "a bug");
                Ok(None)
            }),
            data_planes: DataPlanes::new(|_| Arc::new(NoDataPlane)),
            instance: None,
            dry_run: true,
            process: "p".to_owned(),
        };
        (Arc::new(context), news, turns)
    }

    #[tokio::test(start_paused = true)]
    async fn when_it_is_to_stop_it_ends_and_no_turn_begins() {
        let (context, news, turns) = controller().await;
        let stop = tokio::time::sleep(Duration::from_secs(10));
        let ended = tokio::time::timeout(Duration::from_secs(60), run(context, news, 1, stop)).await;
        assert!(ended.is_ok(), "it ends by itself");
        let before = turns.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_secs(300)).await;
        assert_eq!(turns.load(Ordering::Relaxed), before);
    }

    #[tokio::test(start_paused = true)]
    async fn a_rollout_whose_turns_break_off_is_neither_lost_nor_hot_and_others_go_on() {
        let (context, news, turns) = controller().await;
        let said = tokio::time::timeout(Duration::from_secs(300), run(context, news, 1, pending())).await;
        assert!(said.is_err(), "it works for ever");
        // At once, after 2 s, 4 s, … 64 s: 127 s in all, and from then on every 64 s.
        let turns = turns.load(Ordering::Relaxed);
        assert!((8..=11).contains(&turns), "{turns} turns in five minutes");
    }
}
