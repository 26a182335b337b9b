use crate::rollout::Key;
use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};
use tokio::time::Instant;

/// Chooses which due rollout gets the next worker, so that each namespace gets its share.
#[derive(Debug)]
pub(super) struct Shares {
    namespaces: HashMap<String, Share>,
    /// The namespaces that are waiting for a worker and may have one, by the time they used.
    order: BTreeSet<(Duration, String)>,
    /// The time used by the namespace that got a worker last. A namespace that joins starts there: it has saved up
    /// nothing.
    used: Duration,
    /// The most workers that a namespace has at a time.
    max_workers: usize,
}

#[derive(Debug, Default)]
struct Share {
    /// The worker time that it used.
    used: Duration,
    running: usize,
    waiting: BTreeSet<(Instant, Key)>,
}

/// A turn is charged at least this much, at its start.
const LEAST: Duration = Duration::from_millis(1);

impl Shares {
    /// Creates the shares. Of every four workers, one stays free for other namespaces.
    pub(super) fn new(workers: usize) -> Self {
        let max_workers = workers.saturating_sub(workers.div_ceil(4)).max(1);
        Self { namespaces: HashMap::new(), order: BTreeSet::new(), used: Duration::ZERO, max_workers }
    }

    pub(super) fn add(&mut self, key: Key, rank: Instant) {
        let least = self.used;
        self.change(&key.0.clone(), |share| {
            if share.waiting.is_empty() && share.running == 0 {
                share.used = share.used.max(least);
            }
            share.waiting.insert((rank, key));
        });
    }

    pub(super) fn remove(&mut self, key: &Key, rank: Instant) {
        let waits = (rank, key.clone());
        self.change(&key.0, |share| {
            share.waiting.remove(&waits);
        });
    }

    pub(super) fn take(&mut self) -> Option<Key> {
        let (used, namespace) = self.order.first().cloned()?;
        self.used = used;
        let mut taken = None;
        self.change(&namespace, |share| {
            taken = share.waiting.pop_first();
            share.running += 1;
            share.used += LEAST;
        });
        taken.map(|(_, key)| key)
    }

    /// Frees a worker that a namespace kept busy for this long.
    pub(super) fn done(&mut self, namespace: &str, busy: Duration) {
        self.change(namespace, |share| {
            share.running = share.running.saturating_sub(1);
            share.used += busy.saturating_sub(LEAST);
        });
    }

    fn change(&mut self, namespace: &str, change: impl FnOnce(&mut Share)) {
        let share = self.namespaces.entry(namespace.to_owned()).or_default();
        self.order.remove(&(share.used, namespace.to_owned()));
        change(share);
        if !share.waiting.is_empty() && share.running < self.max_workers {
            self.order.insert((share.used, namespace.to_owned()));
        }
        // An idle namespace that used no more than the others need not be remembered.
        if share.waiting.is_empty() && share.running == 0 && share.used <= self.used {
            self.namespaces.remove(namespace);
        }
    }
}
