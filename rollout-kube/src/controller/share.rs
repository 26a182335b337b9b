use crate::rollout::Key;
use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};
use tokio::time::Instant;

/// Which of the rollouts that are due has the next worker, so that each namespace has its share.
#[derive(Debug)]
pub(super) struct Shares {
    namespaces: HashMap<String, Share>,
    /// The namespaces that wait for a worker and may have one, by what they had.
    order: BTreeSet<(Duration, String)>,
    /// What the namespace had that got a worker last: one that comes anew begins there, and has saved nothing up.
    had: Duration,
    /// A namespace has at most so many workers at a time.
    most: usize,
}

#[derive(Debug, Default)]
struct Share {
    /// The time of workers that it had.
    had: Duration,
    at_work: usize,
    waiting: BTreeSet<(Instant, Key)>,
}

/// A turn counts for so much from its beginning, however short it turns out to be.
const LEAST: Duration = Duration::from_millis(1);

impl Shares {
    /// One of four workers is left to others.
    pub(super) fn new(workers: usize) -> Self {
        let most = workers.saturating_sub(workers.div_ceil(4)).max(1);
        Self { namespaces: HashMap::new(), order: BTreeSet::new(), had: Duration::ZERO, most }
    }

    pub(super) fn add(&mut self, key: Key, rank: Instant) {
        let least = self.had;
        self.change(&key.0.clone(), |share| {
            if share.waiting.is_empty() && share.at_work == 0 {
                share.had = share.had.max(least);
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
        let (had, namespace) = self.order.first().cloned()?;
        self.had = had;
        let mut taken = None;
        self.change(&namespace, |share| {
            taken = share.waiting.pop_first();
            share.at_work += 1;
            share.had += LEAST;
        });
        taken.map(|(_, key)| key)
    }

    /// A worker is free again, which a namespace kept busy for so long.
    pub(super) fn done(&mut self, namespace: &str, busy: Duration) {
        self.change(namespace, |share| {
            share.at_work = share.at_work.saturating_sub(1);
            share.had += busy.saturating_sub(LEAST);
        });
    }

    fn change(&mut self, namespace: &str, change: impl FnOnce(&mut Share)) {
        let share = self.namespaces.entry(namespace.to_owned()).or_default();
        self.order.remove(&(share.had, namespace.to_owned()));
        change(share);
        if !share.waiting.is_empty() && share.at_work < self.most {
            self.order.insert((share.had, namespace.to_owned()));
        }
        // One that has nothing to do, and no more than the others had, need not be remembered.
        if share.waiting.is_empty() && share.at_work == 0 && share.had <= self.had {
            self.namespaces.remove(namespace);
        }
    }
}
