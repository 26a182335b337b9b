use super::{busy::Busy, queue::Queue};
use crate::{
    cache::Changed,
    rollout::{After, Context, Key, RolloutMemory, rollout_of, turn},
};
use std::{collections::HashMap, pin::pin, sync::Arc, time::Duration};
use tokio::{
    sync::mpsc::UnboundedReceiver,
    task::JoinSet,
    time::{Instant, sleep_until},
};

/// On shutdown, running turns have this long to end, and then the last events have this long to be published: together
/// less than the 30 s that a pod gets.
const LAST_TURNS: Duration = Duration::from_secs(20);
pub(super) const LAST_EVENTS: Duration = Duration::from_secs(5);

/// A turn that keeps a processor busy for longer than this is followed by a rest.
const LONG: Duration = Duration::from_millis(100);

/// The rest is this many times as long as the turn.
const RESTS: u32 = 10;

/// The sources that wake rollouts.
pub(super) struct Sources {
    pub(super) changes: UnboundedReceiver<Changed>,
    /// Rollouts that are due for a reason other than a changed object.
    pub(super) wakes: UnboundedReceiver<Key>,
}

/// Runs each rollout's turn when something it read changes or it is due, until `stop` is ready. Then it starts no more
/// turns and waits for the running ones.
pub(super) async fn run(
    context: Arc<Context>,
    mut sources: Sources,
    workers: usize,
    stop: impl Future<Output = ()>,
) {
    let mut stop = pin!(stop);
    let mut dispatcher = Dispatcher::new(context, workers);
    let mut turns = JoinSet::new();
    let mut running = HashMap::new();
    loop {
        while turns.len() < workers
            && let Some(key) = dispatcher.queue.take(Instant::now())
        {
            let memory = dispatcher
                .memories
                .remove(&key)
                .unwrap_or_else(|| RolloutMemory::new(&dispatcher.context.process));
            let task = turns.spawn(Busy::new(one_turn(Arc::clone(&dispatcher.context), key.clone(), memory)));
            running.insert(task.id(), key);
        }
        let next = dispatcher.queue.next_at().filter(|_| turns.len() < workers);
        let far = Instant::now() + Duration::from_secs(3_600);
        tokio::select! {
            () = &mut stop => break,
            changed = sources.changes.recv() => match changed {
                Some(changed) => dispatcher.on_change(&changed),
                None => return,
            },
            Some(key) = sources.wakes.recv() => dispatcher.wake(key),
            Some(done) = turns.join_next_with_id() => match done {
                Ok((task, ((key, memory, after), busy))) => {
                    running.remove(&task);
                    dispatcher.done(key, memory, &after, busy);
                }
                Err(error) => {
                    if let Some(key) = running.remove(&error.id()) {
                        dispatcher.on_panic(&key, &error.to_string());
                    }
                }
            },
            () = sleep_until(next.unwrap_or(far)) => {}
        }
    }
    tracing::info!(turns = turns.len(), "stopping: waiting for running turns to end");
    let all = async { while turns.join_next().await.is_some() {} };
    if tokio::time::timeout(LAST_TURNS, all).await.is_err() {
        tracing::warn!("some turns did not end within {} s and are cancelled", LAST_TURNS.as_secs());
    }
    dispatcher.context.publisher.flush(LAST_EVENTS).await;
}

async fn one_turn(context: Arc<Context>, key: Key, mut memory: RolloutMemory) -> (Key, RolloutMemory, After) {
    let after = turn(&context, &key, &mut memory).await;
    (key, memory, after)
}

struct Dispatcher {
    context: Arc<Context>,
    queue: Queue,
    memories: HashMap<Key, RolloutMemory>,
    /// How many turns of a rollout in a row panicked.
    panics: HashMap<Key, u32>,
}

impl Dispatcher {
    fn new(context: Arc<Context>, workers: usize) -> Self {
        Self { context, queue: Queue::new(workers), memories: HashMap::new(), panics: HashMap::new() }
    }

    /// Wakes the rollouts that a change affects.
    fn on_change(&mut self, changed: &Changed) {
        let object = &changed.object;
        let mut concerned = self.context.caches.interests().concerned(object, &changed.keys);
        if (&*object.group, &*object.kind) == ("argoproj.io", "Rollout") {
            concerned.insert((object.namespace.to_string(), object.name.to_string()));
        }
        concerned.extend(changed.keys.iter().filter_map(|key| rollout_of(key)));
        if let Some(by) = &changed.by {
            concerned.remove(by);
        }
        for key in concerned {
            self.wake(key);
        }
    }

    fn wake(&mut self, key: Key) {
        let now = Instant::now();
        let memory = self.memories.get(&key);
        let at = memory.map_or(now, RolloutMemory::earliest);
        let is_new = memory.is_none() && !self.queue.is_running(&key);
        self.queue.add(key, at, is_new);
    }

    /// Handles a turn that panicked: its memory is lost, and a write in flight may have taken effect. The rollout
    /// continues, with growing pauses while its turns keep panicking.
    fn on_panic(&mut self, key: &Key, why: &str) {
        let times = self.panics.entry(key.clone()).or_default();
        *times = times.saturating_add(1);
        let (memory, next) = RolloutMemory::after_panic(&self.context.process, *times);
        let again_in = next.saturating_duration_since(Instant::now());
        tracing::error!(
            rollout = format!("{}/{}", key.0, key.1),
            why = %rollout_core::Escaped(why),
            ?again_in,
            "a turn panicked; this is a bug, please report it"
        );
        self.queue.done(key, LONG, next);
        self.queue.add(key.clone(), next, false);
        self.memories.insert(key.clone(), memory);
    }

    fn done(&mut self, key: Key, mut memory: RolloutMemory, after: &After, busy: Duration) {
        let rest = if busy > LONG { busy * RESTS } else { Duration::ZERO };
        if !rest.is_zero() {
            tracing::warn!(rollout = format!("{}/{}", key.0, key.1), ?busy, ?rest, "a turn took long");
            memory.rest_for(rest);
        }
        let earliest = memory.earliest();
        self.queue.done(&key, busy, earliest);
        self.panics.remove(&key);
        if after.is_over {
            return;
        }
        if let Some(next) = after.next {
            self.queue.add(key.clone(), next.max(earliest), false);
        }
        self.memories.insert(key, memory);
    }
}

#[cfg(test)]
#[path = "run/tests.rs"]
mod tests;
