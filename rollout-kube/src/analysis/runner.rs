//! The queue of runs: which one is looked at, and when.

use super::{
    provider::Provider,
    turn::{After, turn},
};
use crate::{
    cache::{Caches, Changed},
    controller::{Busy, Queue},
    guard::{Guard, off},
    rollout::{Clock, Key, Publisher},
    runs::run_ref,
};
use rollout_core::Time;
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};
use tokio::{
    sync::{Notify, mpsc},
    task::{Id, JoinSet},
    time::{Instant, sleep_until},
};

/// The longest pause after failures.
const LONGEST_WAIT: Duration = Duration::from_secs(64);
/// The longest time between two looks at a run that goes on, or is to be deleted.
const LONGEST_SLEEP: Duration = Duration::from_secs(86_400);
/// A turn that keeps a processor busy for longer than this is followed by a rest of ten times as long.
const LONG: Duration = Duration::from_millis(100);

/// The state that all runs share.
pub(crate) struct RunContext {
    pub(crate) caches: Arc<Caches>,
    pub(crate) publisher: Publisher,
    pub(crate) provider: Arc<dyn Provider>,
    /// Only runs with this label value are handled; if `None`, only those without the label.
    pub(crate) instance: Option<String>,
    pub(crate) clock: Clock,
    /// Whether the status of a run is known to be a subresource.
    pub(crate) has_subresource: AtomicBool,
}

impl RunContext {
    pub(super) fn now(&self) -> Time {
        (self.clock)()
    }
}

impl fmt::Debug for RunContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunContext").field("provider", &self.provider).finish_non_exhaustive()
    }
}

/// Looks at each run when it has changed or is due. Each is looked at by one worker at a time; among those that are due,
/// the namespace that kept workers for the shortest time comes first, and one worker in four stays free for others.
pub(crate) struct Runner {
    context: Arc<RunContext>,
    queue: Queue,
    workers: usize,
    turns: JoinSet<((Key, After), Duration)>,
    running: HashMap<Id, Key>,
    /// The runs that are being looked at, since when, and how to tell that they have changed.
    open: HashMap<Key, (Instant, Arc<Notify>)>,
    troubled: HashMap<Key, Trouble>,
}

/// How often in a row a run could not be dealt with, and until when it is left alone.
#[derive(Debug, Clone, Copy)]
struct Trouble {
    times: u32,
    until: Instant,
}

impl Runner {
    /// Creates a runner with this many workers.
    pub(crate) fn new(context: Arc<RunContext>, workers: usize) -> Self {
        Self {
            context,
            queue: Queue::new(workers),
            workers,
            turns: JoinSet::new(),
            running: HashMap::new(),
            open: HashMap::new(),
            troubled: HashMap::new(),
        }
    }

    /// Returns the run that a change is about, unless the change was made by the runner.
    pub(crate) fn concerned(changed: &Changed) -> Option<Key> {
        let object = &changed.object;
        let key = (object.namespace.to_string(), object.name.to_string());
        let is_run = (&*object.group, &*object.kind) == ("argoproj.io", "AnalysisRun");
        (is_run && changed.by.as_ref() != Some(&key)).then_some(key)
    }

    /// Runs until the future is dropped; then the open questions are dropped, too, and asked again by the next process.
    pub(crate) async fn run(mut self, mut wakes: mpsc::UnboundedReceiver<Key>) {
        let caches = Arc::clone(&self.context.caches);
        let mut watch = JoinSet::new();
        watch.spawn(async move {
            if let Err(error) = caches.start(&run_ref("", "")).await {
                tracing::warn!(%error, "AnalysisRuns are not run yet; this is retried");
            }
        });
        loop {
            self.start_turns();
            let next = self.queue.next_at().filter(|_| self.turns.len() < self.workers);
            let far = Instant::now() + Duration::from_secs(3_600);
            tokio::select! {
                woken = wakes.recv() => match woken {
                    Some(key) => self.on_change(key),
                    None => return,
                },
                Some(done) = self.turns.join_next_with_id() => match done {
                    Ok((task, ((key, after), busy))) => {
                        self.running.remove(&task);
                        self.done(key, &after, busy);
                    }
                    Err(error) => {
                        if let Some(key) = self.running.remove(&error.id()) {
                            let why = format!("a turn panicked; this is a bug, please report it: {error}");
                            self.done(key, &After::Failed(why), Duration::ZERO);
                        }
                    }
                },
                () = sleep_until(next.unwrap_or(far)) => {}
            }
        }
    }

    fn start_turns(&mut self) {
        while self.turns.len() < self.workers
            && let Some(key) = self.queue.take(Instant::now())
        {
            let (context, changed) = (Arc::clone(&self.context), Arc::new(Notify::new()));
            self.open.insert(key.clone(), (Instant::now(), Arc::clone(&changed)));
            let named = key.clone();
            let task = self.turns.spawn(Busy::new(async move {
                let after = turn(&context, &named, &changed).await;
                (named, after)
            }));
            self.running.insert(task.id(), key);
        }
    }

    fn on_change(&mut self, key: Key) {
        if let Some((_, changed)) = self.open.get(&key) {
            changed.notify_one();
        }
        let now = Instant::now();
        let at = self.troubled.get(&key).map_or(now, |trouble| trouble.until.max(now));
        self.queue.add(key, at, false);
    }

    fn done(&mut self, key: Key, after: &After, busy: Duration) {
        let now = Instant::now();
        let began = self.open.remove(&key).map_or(now, |(began, _)| began);
        let mut earliest = if busy > LONG { now + busy * 10 } else { now };
        let next = match after {
            After::Over => None,
            After::At(_) if off(Guard::DueRunIsSeen) => None,
            // A tenant may have written any time. To look earlier is harmless.
            After::At(at) => Some(now + at.since(self.context.now()).min(LONGEST_SLEEP)),
            After::Changed | After::Failed(_) => {
                earliest = earliest.max(self.trouble(&key, after));
                Some(earliest)
            }
        };
        if !matches!(after, After::Changed | After::Failed(_)) {
            self.troubled.remove(&key);
        }
        // A namespace is charged for the time that it kept a worker: most of it is spent waiting for providers.
        self.queue.done(&key, now.duration_since(began), earliest);
        if let Some(next) = next {
            self.queue.add(key, next.max(earliest), false);
        }
    }

    /// Records one more failure in a row; returns until when the run is left alone.
    fn trouble(&mut self, key: &Key, after: &After) -> Instant {
        let now = Instant::now();
        let trouble = self.troubled.entry(key.clone()).or_insert(Trouble { times: 0, until: now });
        // The first change is somebody's wish, and is dealt with at once.
        let free = u32::from(matches!(after, After::Changed));
        let wait = match trouble.times.checked_sub(free) {
            None => Duration::ZERO,
            Some(times) => Duration::from_secs(1 << times.min(6)).min(LONGEST_WAIT),
        };
        trouble.times = trouble.times.saturating_add(1);
        trouble.until = now + wait;
        if let After::Failed(why) = after {
            let (run, why) = (format!("{}/{}", key.0, key.1), rollout_core::Escaped(why));
            tracing::warn!(run, %why, again_in = ?wait, "an AnalysisRun is held");
        }
        trouble.until
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner").field("context", &self.context).finish_non_exhaustive()
    }
}
