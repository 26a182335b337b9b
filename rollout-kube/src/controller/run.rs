use super::queue::Queue;
use crate::{
    cache::Changed,
    rollout::{After, Context, Key, Memory, turn},
};
use rollout_core::traffic::ObjectRef;
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::mpsc::UnboundedReceiver,
    task::JoinSet,
    time::{Instant, sleep_until},
};

/// Gives each rollout its turn when there is news for it or it is due, for ever.
pub(super) async fn run(context: Arc<Context>, mut news: UnboundedReceiver<Changed>, workers: usize) {
    let mut loop_ =
        Loop { context, queue: Queue::default(), memories: HashMap::new(), interests: HashMap::new() };
    let mut turns = JoinSet::new();
    loop {
        while turns.len() < workers
            && let Some(key) = loop_.queue.take(Instant::now())
        {
            let memory = loop_.memories.remove(&key).unwrap_or_default();
            turns.spawn(one_turn(Arc::clone(&loop_.context), key, memory));
        }
        let next = loop_.queue.next_at().filter(|_| turns.len() < workers);
        let far = Instant::now() + Duration::from_secs(3_600);
        tokio::select! {
            changed = news.recv() => match changed {
                Some(changed) => loop_.news(&changed),
                None => return,
            },
            Some(done) = turns.join_next() => {
                if let Ok((key, memory, after)) = done {
                    loop_.done(key, memory, after);
                } else {
                    // The key is lost with the task: its rollout goes on with its next news.
                    tracing::error!("a turn broke off; this is a bug, please report it");
                }
            }
            () = sleep_until(next.unwrap_or(far)) => {}
        }
    }
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
}

impl Loop {
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

    fn done(&mut self, key: Key, memory: Memory, after: After) {
        self.queue.done(&key);
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
