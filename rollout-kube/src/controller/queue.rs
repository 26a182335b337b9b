use super::share::Shares;
use crate::rollout::Key;
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    time::Duration,
};
use tokio::time::Instant;

/// The rollouts that are due, and when. Each runs at most one turn at a time; changes that arrive meanwhile are handled
/// after it.
///
/// Among the due rollouts, the namespace that used the least worker time comes first. Within a namespace, a rollout
/// that has started comes before one that never ran a turn, unless the new one has waited [`NEW_WAITS`] longer. So of
/// many rollouts created at once, the first finish before all have begun.
#[derive(Debug)]
pub(crate) struct Queue {
    due: HashMap<Key, Due>,
    /// The rollouts that are neither due nor running, by time.
    later: BTreeSet<(Instant, Key)>,
    /// The rollouts that are due and not running.
    ready: Shares,
    running: HashSet<Key>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Due {
    at: Instant,
    is_new: bool,
}

/// How long a rollout that never ran a turn lets others go first.
const NEW_WAITS: Duration = Duration::from_secs(60);

impl Due {
    fn rank(self) -> Instant {
        if self.is_new { self.at + NEW_WAITS } else { self.at }
    }
}

impl Queue {
    /// Creates a queue for this many workers.
    pub(crate) fn new(workers: usize) -> Self {
        let (due, running) = (HashMap::new(), HashSet::new());
        Self { due, later: BTreeSet::new(), ready: Shares::new(workers), running }
    }

    /// Schedules a turn at `at`, or keeps an earlier one; `is_new` marks a rollout's first turn.
    pub(crate) fn add(&mut self, key: Key, at: Instant, is_new: bool) {
        let before = self.due.get(&key).copied();
        if before.is_some_and(|before| before.at <= at) {
            return;
        }
        let due = Due { at, is_new };
        self.due.insert(key.clone(), due);
        if self.running.contains(&key) {
            return;
        }
        if let Some(before) = before {
            self.later.remove(&(before.at, key.clone()));
            self.ready.remove(&key, before.rank());
        }
        self.later.insert((at, key));
    }

    /// Returns when the next turn becomes due.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.later.first().map(|(at, _)| *at)
    }

    /// Takes a rollout that is due and not running, if its namespace may use another worker.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Key> {
        while let Some((at, key)) = self.later.pop_first() {
            if at > now {
                self.later.insert((at, key));
                break;
            }
            let rank = self.due.get(&key).map_or(at, |due| due.rank());
            self.ready.add(key, rank);
        }
        let key = self.ready.take()?;
        self.due.remove(&key);
        self.running.insert(key.clone());
        Some(key)
    }

    /// Returns whether a rollout is running its turn.
    pub(crate) fn is_running(&self, key: &Key) -> bool {
        self.running.contains(key)
    }

    /// Ends a turn, which kept a processor busy for this long. The next one starts at `earliest` or later, whatever
    /// changed meanwhile: most changes are the turn's own writes.
    pub(crate) fn done(&mut self, key: &Key, busy: Duration, earliest: Instant) {
        self.running.remove(key);
        self.ready.done(&key.0, busy);
        if let Some(due) = self.due.get_mut(key) {
            due.at = due.at.max(earliest);
            self.later.insert((due.at, key.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        ("shop".to_owned(), name.to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn one_turn_at_a_time_and_changes_meanwhile_are_not_lost() {
        let (mut queue, now) = (Queue::new(4), Instant::now());
        let later = now + Duration::from_secs(9);
        queue.add(key("a"), later, false);
        assert_eq!((queue.take(now), queue.next_at()), (None, Some(later)));
        queue.add(key("a"), now, false);
        queue.add(key("a"), later, false);
        assert_eq!(queue.take(now), Some(key("a")), "the earlier of several counts");
        queue.add(key("a"), now, false);
        assert_eq!((queue.take(now), queue.next_at()), (None, None), "it is running");
        queue.done(&key("a"), Duration::ZERO, now);
        assert_eq!(queue.take(now), Some(key("a")));
    }

    #[tokio::test(start_paused = true)]
    async fn started_rollouts_go_before_new_ones_but_not_forever() {
        let (mut queue, now) = (Queue::new(4), Instant::now());
        queue.add(key("new"), now, true);
        queue.add(key("under-way"), now + Duration::from_secs(50), false);
        let then = now + Duration::from_secs(50);
        assert_eq!(queue.take(then), Some(key("under-way")));
        queue.done(&key("under-way"), Duration::ZERO, now);
        queue.add(key("under-way"), now + Duration::from_secs(61), false);
        assert_eq!(queue.take(now + Duration::from_secs(61)), Some(key("new")));
    }

    /// A tenant's thousand long turns delay another tenant by at most one of them.
    #[tokio::test(start_paused = true)]
    async fn a_flood_of_one_namespace_does_not_keep_another_waiting() {
        let (mut queue, now) = (Queue::new(4), Instant::now());
        for number in 0..1_000 {
            queue.add(("flood".to_owned(), number.to_string()), now, false);
        }
        let mut running: Vec<Key> = std::iter::from_fn(|| queue.take(now)).collect();
        assert_eq!(running.len(), 3, "one worker stays free for others");
        queue.add(key("a"), now + Duration::from_secs(1), false);
        queue.add(key("b"), now + Duration::from_secs(1), false);
        let now = now + Duration::from_secs(1);
        assert_eq!(queue.take(now), Some(key("a")));
        queue.done(&running.pop().unwrap(), Duration::from_secs(9), now);
        assert_eq!(queue.take(now), Some(key("b")), "it used less");
        queue.done(&key("a"), Duration::from_millis(5), now);
        let next = queue.take(now).unwrap();
        assert_eq!(next.0, "flood", "no other namespace is waiting");
    }

    /// A turn that failed halfway has caused changes of its own.
    #[tokio::test(start_paused = true)]
    async fn changes_during_a_turn_do_not_shorten_a_pause() {
        let (mut queue, now) = (Queue::new(4), Instant::now());
        let second = |seconds| now + Duration::from_secs(seconds);
        queue.add(key("a"), now, false);
        assert_eq!(queue.take(now), Some(key("a")));
        queue.add(key("a"), now, false);
        assert!(queue.is_running(&key("a")));
        queue.done(&key("a"), Duration::ZERO, second(8));
        assert!(!queue.is_running(&key("a")));
        assert_eq!((queue.take(second(7)), queue.next_at()), (None, Some(second(8))));
        assert_eq!(queue.take(second(8)), Some(key("a")));
    }
}
