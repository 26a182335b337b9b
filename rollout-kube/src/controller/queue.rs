use crate::rollout::Key;
use std::collections::{HashMap, HashSet};
use tokio::time::Instant;

/// Which rollouts are due, and when. Each has at most one turn at a time; news that come meanwhile are looked
/// at after it.
#[derive(Debug, Default)]
pub(super) struct Queue {
    due: HashMap<Key, Instant>,
    running: HashSet<Key>,
}

impl Queue {
    /// A turn is due at `at`, or earlier if it was so already.
    pub(super) fn add(&mut self, key: Key, at: Instant) {
        let due = self.due.entry(key).or_insert(at);
        *due = (*due).min(at);
    }

    /// When the next turn is due.
    pub(super) fn next_at(&self) -> Option<Instant> {
        let waits = self.due.iter().filter(|(key, _)| !self.running.contains(*key));
        waits.map(|(_, at)| *at).min()
    }

    /// Takes out one that is due and not at work.
    pub(super) fn take(&mut self, now: Instant) -> Option<Key> {
        let due = self.due.iter().filter(|(key, at)| **at <= now && !self.running.contains(*key));
        let key = due.min_by_key(|(key, at)| (**at, *key)).map(|(key, _)| key.clone())?;
        self.due.remove(&key);
        self.running.insert(key.clone());
        Some(key)
    }

    /// A turn is over.
    pub(super) fn done(&mut self, key: &Key) {
        self.running.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn key(name: &str) -> Key {
        ("shop".to_owned(), name.to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn one_turn_at_a_time_and_news_meanwhile_are_not_lost() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        let later = now + Duration::from_secs(9);
        queue.add(key("a"), later);
        assert_eq!((queue.take(now), queue.next_at()), (None, Some(later)));
        queue.add(key("a"), now);
        queue.add(key("a"), later);
        assert_eq!(queue.take(now), Some(key("a")), "the earlier of several counts");
        queue.add(key("a"), now);
        assert_eq!((queue.take(now), queue.next_at()), (None, None), "it is at work");
        queue.done(&key("a"));
        assert_eq!(queue.take(now), Some(key("a")));
    }
}
