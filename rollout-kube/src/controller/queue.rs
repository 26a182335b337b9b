use super::share::Shares;
use crate::rollout::Key;
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    time::Duration,
};
use tokio::time::Instant;

/// Which rollouts are due, and when. Each has at most one turn at a time; news that come meanwhile are looked
/// at after it.
///
/// Of those that are due, the namespace comes first that had the least of the workers' time; in it, a rollout
/// that is under way before one that never had a turn, unless that has waited for [`NEW_WAITS`] longer: so the
/// first of many that are made at once are done before all are begun.
#[derive(Debug)]
pub(super) struct Queue {
    due: HashMap<Key, Due>,
    /// Those that are not due yet and not at work, by time.
    later: BTreeSet<(Instant, Key)>,
    /// Those that are due and not at work.
    ready: Shares,
    running: HashSet<Key>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Due {
    at: Instant,
    is_new: bool,
}

/// A rollout that never had a turn lets others go first for so long.
const NEW_WAITS: Duration = Duration::from_secs(60);

impl Due {
    fn rank(self) -> Instant {
        if self.is_new { self.at + NEW_WAITS } else { self.at }
    }
}

impl Queue {
    /// For so many workers.
    pub(super) fn new(workers: usize) -> Self {
        let (due, running) = (HashMap::new(), HashSet::new());
        Self { due, later: BTreeSet::new(), ready: Shares::new(workers), running }
    }

    /// A turn is due at `at`, or earlier if it was so already; the first one of a rollout that is new.
    pub(super) fn add(&mut self, key: Key, at: Instant, is_new: bool) {
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

    /// When the next turn is due that is not due yet.
    pub(super) fn next_at(&self) -> Option<Instant> {
        self.later.first().map(|(at, _)| *at)
    }

    /// Takes out one that is due and not at work, if its namespace may have another worker.
    pub(super) fn take(&mut self, now: Instant) -> Option<Key> {
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

    /// Whether it has its turn.
    pub(super) fn is_running(&self, key: &Key) -> bool {
        self.running.contains(key)
    }

    /// A turn is over, which kept a processor busy for so long. The next is not before `earliest`, whatever came
    /// meanwhile: most of it is what the turn itself wrote.
    pub(super) fn done(&mut self, key: &Key, busy: Duration, earliest: Instant) {
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
    async fn one_turn_at_a_time_and_news_meanwhile_are_not_lost() {
        let (mut queue, now) = (Queue::new(4), Instant::now());
        let later = now + Duration::from_secs(9);
        queue.add(key("a"), later, false);
        assert_eq!((queue.take(now), queue.next_at()), (None, Some(later)));
        queue.add(key("a"), now, false);
        queue.add(key("a"), later, false);
        assert_eq!(queue.take(now), Some(key("a")), "the earlier of several counts");
        queue.add(key("a"), now, false);
        assert_eq!((queue.take(now), queue.next_at()), (None, None), "it is at work");
        queue.done(&key("a"), Duration::ZERO, now);
        assert_eq!(queue.take(now), Some(key("a")));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_under_way_goes_before_what_is_new_but_not_for_ever() {
        let (mut queue, now) = (Queue::new(4), Instant::now());
        queue.add(key("new"), now, true);
        queue.add(key("under-way"), now + Duration::from_secs(50), false);
        let then = now + Duration::from_secs(50);
        assert_eq!(queue.take(then), Some(key("under-way")));
        queue.done(&key("under-way"), Duration::ZERO, now);
        queue.add(key("under-way"), now + Duration::from_secs(61), false);
        assert_eq!(queue.take(now + Duration::from_secs(61)), Some(key("new")));
    }

    /// One tenant's thousand turns, each of which takes long, hold up another's by one of them at most.
    #[tokio::test(start_paused = true)]
    async fn a_flood_of_one_namespace_does_not_keep_another_waiting() {
        let (mut queue, now) = (Queue::new(4), Instant::now());
        for number in 0..1_000 {
            queue.add(("flood".to_owned(), number.to_string()), now, false);
        }
        let mut running: Vec<Key> = std::iter::from_fn(|| queue.take(now)).collect();
        assert_eq!(running.len(), 3, "one worker is left to others");
        queue.add(key("a"), now + Duration::from_secs(1), false);
        queue.add(key("b"), now + Duration::from_secs(1), false);
        let now = now + Duration::from_secs(1);
        assert_eq!(queue.take(now), Some(key("a")));
        queue.done(&running.pop().unwrap(), Duration::from_secs(9), now);
        assert_eq!(queue.take(now), Some(key("b")), "it had less");
        queue.done(&key("a"), Duration::from_millis(5), now);
        let next = queue.take(now).unwrap();
        assert_eq!(next.0, "flood", "nobody else wants one");
    }

    /// A turn that failed half-way has made news of its own.
    #[tokio::test(start_paused = true)]
    async fn news_that_come_during_a_turn_do_not_end_a_pause() {
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
