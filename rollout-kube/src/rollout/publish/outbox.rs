//! The queue of events: a fair share for every namespace, and every event published or counted.

use super::kube_event::KubeEvent;
use rollout_core::Time;
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

/// The most waiting events of one Rollout; more are only counted, and the count is published.
pub(super) const OF_A_ROLLOUT: usize = 50;
/// The most waiting events of one namespace, likewise.
pub(super) const OF_A_NAMESPACE: usize = 2_000;
/// A warning that repeats within this time raises a count instead of a new event.
const FOLDED_WITHIN: Duration = Duration::from_secs(600);
/// How many of a Rollout's last events are remembered, to raise their counts.
const REMEMBERED: usize = 8;
/// After this many events, Rollouts without recent events are forgotten.
const SWEPT_AFTER: u32 = 1_000;

/// The Rollout that an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct About {
    pub(super) namespace: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) uid: Arc<str>,
    pub(super) version: Arc<str>,
}

/// An event to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pending {
    pub(super) about: About,
    pub(super) event: KubeEvent,
    pub(super) first: Time,
    pub(super) last: Time,
    pub(super) count: u64,
    /// The existing object whose count to raise.
    pub(super) existing: Option<Arc<str>>,
    /// A number that is unique in this process: a retry uses the same name.
    pub(super) number: u64,
    /// How often publishing was tried.
    pub(super) tries: u32,
}

/// The events that wait to be published.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    namespaces: HashMap<Arc<str>, NamespaceQueue>,
    /// The namespaces with an event to publish, in turn.
    turns: VecDeque<Arc<str>>,
    pushed: u32,
    numbers: u64,
}

#[derive(Debug, Default)]
struct NamespaceQueue {
    waiting: usize,
    rollouts: HashMap<Arc<str>, RolloutQueue>,
    /// The Rollouts with an event to publish, in turn.
    turns: VecDeque<Arc<str>>,
}

/// The events of one Rollout, in order.
#[derive(Debug, Default)]
struct RolloutQueue {
    waiting: VecDeque<Pending>,
    /// Whether one is being published; the next waits for it.
    is_publishing: bool,
    /// Whether it is among the turns of its namespace.
    has_turn: bool,
    dropped: Option<Dropped>,
    recent: VecDeque<Recent>,
}

/// Events that were dropped because too many waited.
#[derive(Debug)]
struct Dropped {
    count: u64,
    about: About,
    first: Time,
    last: Time,
    what: KubeEvent,
}

/// An event that was published.
#[derive(Debug)]
struct Recent {
    event: KubeEvent,
    object: Arc<str>,
    first: Time,
    last: Time,
    count: u64,
}

/// What happened to a pushed event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pushed {
    /// It waits, or an equal event counts it.
    Queued,
    /// Too many wait; it is only counted. It is the first of its Rollout.
    DroppedFirst,
    Dropped,
}

impl Outbox {
    /// Adds an event.
    pub(super) fn push(&mut self, about: About, event: KubeEvent, now: Time) -> Pushed {
        self.sweep(now);
        let namespace_queue = self.namespaces.entry(Arc::clone(&about.namespace)).or_default();
        let queue = namespace_queue.rollouts.entry(Arc::clone(&about.uid)).or_default();
        if queue.fold(&event, now) {
            return Pushed::Queued;
        }
        if namespace_queue.waiting >= OF_A_NAMESPACE || queue.waiting.len() >= OF_A_ROLLOUT {
            return queue.drop_event(about, event, now);
        }
        let (uid, namespace) = (Arc::clone(&about.uid), Arc::clone(&about.namespace));
        self.numbers += 1;
        let pending = Pending { number: self.numbers, ..queue.next_event(about, event, now) };
        queue.waiting.push_back(pending);
        namespace_queue.waiting += 1;
        self.ready(&namespace, &uid);
        Pushed::Queued
    }

    /// Takes the next event to publish: namespaces take turns, and within one, Rollouts do.
    /// [`published`](Self::published) or [`failed`](Self::failed) must follow.
    pub(super) fn take(&mut self) -> Option<Pending> {
        while let Some(namespace) = self.turns.pop_front() {
            let Some(namespace_queue) = self.namespaces.get_mut(&namespace) else { continue };
            let Some(uid) = namespace_queue.turns.pop_front() else { continue };
            if !namespace_queue.turns.is_empty() {
                self.turns.push_back(Arc::clone(&namespace));
            }
            let Some(queue) = namespace_queue.rollouts.get_mut(&uid) else { continue };
            queue.has_turn = false;
            let pending = if let Some(pending) = queue.waiting.pop_front() {
                namespace_queue.waiting = namespace_queue.waiting.saturating_sub(1);
                if queue.waiting.is_empty() {
                    // Most Rollouts have no events for a long time: free the memory.
                    queue.waiting = VecDeque::new();
                }
                pending
            } else {
                let Some(dropped) = queue.dropped.take() else { continue };
                self.numbers += 1;
                Pending { number: self.numbers, ..dropped.pending() }
            };
            queue.is_publishing = true;
            return Some(pending);
        }
        None
    }

    /// Records that an event was published as this object.
    pub(super) fn published(&mut self, pending: &Pending, object: Arc<str>) {
        if let Some(queue) = self.queue(&pending.about) {
            queue.is_publishing = false;
            // A normal event can be counted only if it is the last one.
            queue.recent.retain(|recent| recent.event.warns && recent.event != pending.event);
            let (event, first, last, count) =
                (pending.event.clone(), pending.first, pending.last, pending.count);
            queue.recent.push_back(Recent { event, object, first, last, count });
            while queue.recent.len() > REMEMBERED {
                queue.recent.pop_front();
            }
        }
        self.ready(&pending.about.namespace.clone(), &pending.about.uid.clone());
    }

    /// Requeues an event that failed, before all others of its Rollout.
    pub(super) fn failed(&mut self, mut pending: Pending) {
        pending.tries = pending.tries.saturating_add(1);
        let about = pending.about.clone();
        if let Some(namespace_queue) = self.namespaces.get_mut(&about.namespace) {
            namespace_queue.waiting += 1;
            if let Some(queue) = namespace_queue.rollouts.get_mut(&about.uid) {
                queue.is_publishing = false;
                queue.waiting.push_front(pending);
            }
        }
        self.ready(&about.namespace, &about.uid);
    }

    /// Gives up an event that cannot be published.
    pub(super) fn given_up(&mut self, pending: &Pending) {
        if let Some(queue) = self.queue(&pending.about) {
            queue.is_publishing = false;
        }
        self.ready(&pending.about.namespace.clone(), &pending.about.uid.clone());
    }

    /// Returns whether nothing waits and nothing is being published.
    pub(super) fn is_empty(&self) -> bool {
        let idle = |queue: &RolloutQueue| {
            queue.waiting.is_empty() && !queue.is_publishing && queue.dropped.is_none()
        };
        self.namespaces.values().all(|namespace_queue| {
            namespace_queue.waiting == 0 && namespace_queue.rollouts.values().all(idle)
        })
    }

    fn queue(&mut self, about: &About) -> Option<&mut RolloutQueue> {
        self.namespaces.get_mut(&about.namespace)?.rollouts.get_mut(&about.uid)
    }

    /// Gives a Rollout a turn, if it has an event to publish.
    fn ready(&mut self, namespace: &Arc<str>, uid: &Arc<str>) {
        let Some(namespace_queue) = self.namespaces.get_mut(namespace) else { return };
        let Some(queue) = namespace_queue.rollouts.get_mut(uid) else { return };
        let has_work = !queue.waiting.is_empty() || queue.dropped.is_some();
        if !has_work || queue.is_publishing || queue.has_turn {
            return;
        }
        queue.has_turn = true;
        if namespace_queue.turns.is_empty() {
            self.turns.push_back(Arc::clone(namespace));
        }
        namespace_queue.turns.push_back(Arc::clone(uid));
    }

    /// Forgets Rollouts without recent events.
    fn sweep(&mut self, now: Time) {
        self.pushed += 1;
        if self.pushed < SWEPT_AFTER {
            return;
        }
        self.pushed = 0;
        for namespace_queue in self.namespaces.values_mut() {
            namespace_queue.rollouts.retain(|_, queue| {
                queue.is_publishing
                    || !queue.waiting.is_empty()
                    || queue.dropped.is_some()
                    || queue.recent.iter().any(|recent| recent.is_fresh(now))
            });
        }
        self.namespaces.retain(|_, namespace_queue| !namespace_queue.rollouts.is_empty());
    }
}

impl RolloutQueue {
    /// Counts an event on an equal one that waits, if possible: on any warning, or on the last event.
    fn fold(&mut self, event: &KubeEvent, now: Time) -> bool {
        let last = self.waiting.len().saturating_sub(1);
        let mut same = self.waiting.iter_mut().enumerate().rev();
        let same = same.find(|(index, pending)| (event.warns || *index == last) && pending.event == *event);
        if let Some((_, pending)) = same {
            pending.count = pending.count.saturating_add(1);
            pending.last = now;
            return true;
        }
        false
    }

    /// Builds the next event: a new one, or a raised count of a published one.
    fn next_event(&self, about: About, event: KubeEvent, now: Time) -> Pending {
        let is_last =
            |index: usize| index + 1 == self.recent.len() && self.waiting.is_empty() && !self.is_publishing;
        let recent = self.recent.iter().enumerate().find(|(index, recent)| {
            recent.event == event && recent.is_fresh(now) && (event.warns || is_last(*index))
        });
        match recent {
            Some((_, recent)) => Pending {
                count: recent.count.saturating_add(1),
                first: recent.first,
                existing: Some(Arc::clone(&recent.object)),
                about,
                event,
                last: now,
                number: 0,
                tries: 0,
            },
            None => {
                Pending { about, event, first: now, last: now, count: 1, existing: None, number: 0, tries: 0 }
            }
        }
    }

    fn drop_event(&mut self, about: About, event: KubeEvent, now: Time) -> Pushed {
        if let Some(dropped) = &mut self.dropped {
            dropped.count = dropped.count.saturating_add(1);
            (dropped.last, dropped.what, dropped.about) = (now, event, about);
            return Pushed::Dropped;
        }
        self.dropped = Some(Dropped { count: 1, about, first: now, last: now, what: event });
        Pushed::DroppedFirst
    }
}

impl Recent {
    fn is_fresh(&self, now: Time) -> bool {
        now.since(self.last) < FOLDED_WITHIN
    }
}

impl Dropped {
    /// Builds one event that stands for all dropped ones.
    fn pending(self) -> Pending {
        let KubeEvent { reason, note, .. } = &self.what;
        let note = format!(
            "{} events of this Rollout were not published: too many were waiting. The last was {reason}: {note}",
            self.count
        );
        let event = KubeEvent::warning("EventsLeftOut", note);
        Pending {
            about: self.about,
            event,
            first: self.first,
            last: self.last,
            count: self.count,
            existing: None,
            number: 0,
            tries: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(namespace: &str, name: &str) -> About {
        let uid = format!("{namespace}/{name}");
        About { namespace: namespace.into(), name: name.into(), uid: uid.into(), version: "1".into() }
    }

    fn at(seconds: i64) -> Time {
        Time::from_secs(seconds)
    }

    fn warning(note: &str) -> KubeEvent {
        KubeEvent::warning("Trouble", note)
    }

    /// Publishes everything that waits; returns it.
    fn drain(outbox: &mut Outbox) -> Vec<Pending> {
        let mut all = Vec::new();
        while let Some(pending) = outbox.take() {
            outbox.published(&pending, format!("event-{}", pending.number).into());
            all.push(pending);
        }
        assert!(outbox.is_empty());
        all
    }

    #[test]
    fn namespaces_and_their_rollouts_take_turns() {
        let mut outbox = Outbox::default();
        for index in 0..20 {
            for name in ["a", "b"] {
                outbox.push(about("loud", name), warning(&format!("{index}")), at(0));
            }
        }
        outbox.push(about("quiet", "web"), warning("one"), at(0));
        let order: Vec<_> = drain(&mut outbox).iter().map(|pending| pending.about.uid.to_string()).collect();
        assert_eq!(order[..5], ["loud/a", "quiet/web", "loud/b", "loud/a", "loud/b"]);
    }

    #[test]
    fn one_rollouts_events_stay_in_order_even_with_retries() {
        let mut outbox = Outbox::default();
        for note in ["1", "2", "3"] {
            outbox.push(about("shop", "web"), warning(note), at(0));
        }
        let first = outbox.take().unwrap();
        assert_eq!(outbox.take(), None, "the next waits until the first is published");
        let number = first.number;
        outbox.failed(first);
        let again = outbox.take().unwrap();
        assert_eq!((again.event.note.as_str(), again.number, again.tries), ("1", number, 1));
        outbox.given_up(&again);
        let notes: Vec<_> = drain(&mut outbox).into_iter().map(|pending| pending.event.note).collect();
        assert_eq!(notes, ["2", "3"]);
    }

    #[test]
    fn a_repeated_warning_is_counted_and_normal_events_keep_their_order() {
        let mut outbox = Outbox::default();
        let web = || about("shop", "web");
        for second in 0..3 {
            outbox.push(web(), warning("no"), at(second));
            outbox.push(web(), KubeEvent::normal("Paused", "it is paused"), at(second));
        }
        let pending = drain(&mut outbox);
        let seen: Vec<_> =
            pending.iter().map(|pending| (pending.event.reason, pending.count, pending.last)).collect();
        assert_eq!(seen, [("Trouble", 3, at(2)), ("Paused", 3, at(2))], "while they wait");
        outbox.push(web(), warning("no"), at(60));
        outbox.push(web(), KubeEvent::normal("Paused", "it is paused"), at(61));
        let pending = drain(&mut outbox);
        let seen: Vec<_> = pending
            .iter()
            .map(|pending| (pending.count, pending.first, pending.existing.as_deref()))
            .collect();
        assert_eq!(
            seen,
            [(4, at(0), Some("event-1")), (1, at(61), None)],
            "a warning is counted on; a pause after another event is a new pause"
        );
        outbox.push(web(), warning("no"), at(1_000));
        assert_eq!(drain(&mut outbox)[0].existing, None, "after ten minutes it is a new event");
    }

    #[test]
    fn excess_events_are_counted_and_their_number_is_published() {
        let mut outbox = Outbox::default();
        let mut pushed = Vec::new();
        for index in 0..OF_A_ROLLOUT + 7 {
            pushed.push(outbox.push(about("shop", "web"), warning(&index.to_string()), at(0)));
        }
        assert_eq!(
            pushed[OF_A_ROLLOUT - 1..OF_A_ROLLOUT + 2],
            [Pushed::Queued, Pushed::DroppedFirst, Pushed::Dropped]
        );
        outbox.push(about("shop", "other"), warning("mine"), at(0));
        let pending = drain(&mut outbox);
        assert_eq!(pending.len(), OF_A_ROLLOUT + 2, "the other's, and one for the dropped ones");
        let last = pending.last().unwrap();
        assert_eq!((last.event.reason, last.count), ("EventsLeftOut", 7));
        assert!(last.event.note.starts_with("7 events of this Rollout were not published"), "{last:?}");
        assert!(
            last.event.note.ends_with(&format!("The last was Trouble: {}", OF_A_ROLLOUT + 6)),
            "{last:?}"
        );
    }

    /// Five hundred Rollouts fail at once, while another namespace has one event.
    #[test]
    fn a_namespace_has_a_limit_and_takes_nothing_from_another() {
        let mut outbox = Outbox::default();
        for index in 0..OF_A_NAMESPACE * 2 {
            outbox.push(about("loud", &format!("web{}", index % 500)), warning(&index.to_string()), at(0));
        }
        outbox.push(about("quiet", "web"), warning("one"), at(0));
        let first: Vec<_> =
            (0..2).filter_map(|_| outbox.take()).map(|pending| pending.about.namespace).collect();
        assert!(first.iter().any(|namespace| &**namespace == "quiet"), "{first:?}");
        let mut outbox = Outbox::default();
        for index in 0..OF_A_NAMESPACE * 2 {
            outbox.push(about("loud", &format!("web{}", index % 500)), warning(&index.to_string()), at(0));
        }
        let pending = drain(&mut outbox);
        let count: u64 = pending.iter().map(|pending| pending.count).sum();
        assert_eq!(count, OF_A_NAMESPACE as u64 * 2, "each is published or counted");
        assert_eq!(pending.len(), OF_A_NAMESPACE + 500);
    }

    #[test]
    fn rollouts_without_recent_events_are_forgotten() {
        let mut outbox = Outbox::default();
        for index in 0..3_000_i64 {
            outbox.push(about("shop", &format!("web{index}")), warning("no"), at(index * 10));
            drain(&mut outbox);
        }
        assert!(
            outbox.namespaces.values().map(|namespace_queue| namespace_queue.rollouts.len()).sum::<usize>()
                < 1_200
        );
    }
}
