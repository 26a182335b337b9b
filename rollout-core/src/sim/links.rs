//! The links over which the clusters of a fleet read each other.

use crate::{
    Time,
    fleet::{ClusterName, Progress, Reading},
};
use alloc::{collections::BTreeMap, vec, vec::Vec};
use core::time::Duration;

/// How long a broken link goes unnoticed.
const NOTICED_AFTER: Duration = Duration::from_secs(5);
/// When a reader that has missed something reads again.
const READS_AGAIN: Duration = Duration::from_secs(30);

/// The links over which the clusters of a fleet read each other: with delay, broken, or behind.
///
/// Tell it how far each cluster is with [`tell`](Self::tell); give each reader what [`deliver`](Self::deliver) returns.
///
/// ```
/// use core::time::Duration;
/// use rollout_core::{Time, fleet::{ClusterName, Reading}, sim::Links};
/// let names = ["a", "b"].map(|name| ClusterName::new(name).unwrap());
/// let mut links = Links::new(names, Duration::from_millis(300));
/// links.tell(0, None, Time::from_secs(0));
/// assert_eq!(links.next_at(), Some(Time::from_millis(300)));
/// let [news] = &links.deliver(Time::from_secs(1))[..] else { panic!() };
/// assert_eq!((news.from, news.to, &news.reading), (0, 1, &Reading::default()));
///
/// links.cut(0, 1, Time::from_secs(10));
/// let noticed = links.deliver(Time::from_secs(60));
/// assert!(noticed.iter().all(|news| news.reading.unreachable_since.is_some()));
/// ```
#[derive(Debug, Clone)]
pub struct Links {
    names: Vec<ClusterName>,
    /// What each cluster has told last.
    told: Vec<Option<Told>>,
    /// By reader and read.
    pairs: Vec<Link>,
    queue: BTreeMap<(Time, u64), Queued>,
    numbered: u64,
}

/// What a cluster has told, now and before.
#[derive(Debug, Clone)]
struct Told {
    now: Option<Progress>,
    before: Option<Progress>,
}

/// The link by which one cluster reads another.
#[derive(Debug, Clone)]
struct Link {
    is_up: bool,
    delay: Duration,
    /// How many of the next deliveries are lost.
    loses: u32,
    /// What the reader has.
    read: Option<Progress>,
}

#[derive(Debug, Clone)]
struct Queued {
    from: usize,
    to: usize,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    /// A state arrives.
    State(Option<Progress>),
    /// The current state is read again.
    Again,
    /// The reader notices that the link is broken since this time.
    Broken(Time),
}

/// What one cluster now knows about another.
///
/// See [`Links`] for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct News {
    /// The cluster that is read, by its index.
    pub from: usize,
    /// The cluster that reads.
    pub to: usize,
    /// What it knows.
    pub reading: Reading,
}

impl Links {
    /// Creates links between all clusters, with this delay.
    ///
    /// See [`Links`] for an example.
    #[must_use]
    pub fn new(names: impl IntoIterator<Item = ClusterName>, delay: Duration) -> Self {
        let names: Vec<_> = names.into_iter().collect();
        let link = Link { is_up: true, delay, loses: 0, read: None };
        Self {
            told: vec![None; names.len()],
            pairs: vec![link; names.len() * names.len()],
            names,
            queue: BTreeMap::new(),
            numbered: 0,
        }
    }

    /// Returns the names of the clusters.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::{fleet::ClusterName, sim::Links};
    /// let a = ClusterName::new("a").unwrap();
    /// assert_eq!(Links::new([a.clone()], Duration::ZERO).names(), [a]);
    /// ```
    #[must_use]
    pub fn names(&self) -> &[ClusterName] {
        &self.names
    }

    /// Returns when the next news arrives.
    ///
    /// See [`Links`] for an example.
    #[must_use]
    pub fn next_at(&self) -> Option<Time> {
        self.queue.keys().next().map(|(at, _)| *at)
    }

    /// Records how far a cluster is; `None` if it has no Rollout with a policy. Nothing is sent if that is not new.
    ///
    /// See [`Links`] for an example.
    pub fn tell(&mut self, from: usize, progress: Option<&Progress>, now: Time) {
        let Some(told) = self.told.get_mut(from) else { return };
        if told.as_ref().is_some_and(|told| told.now.as_ref() == progress) {
            return;
        }
        let before = told.take().and_then(|told| told.now);
        *told = Some(Told { now: progress.cloned(), before });
        for to in self.readers(from) {
            self.send(from, to, What::State(progress.cloned()), now);
        }
    }

    /// Breaks the links between two clusters, in both directions.
    ///
    /// See [`Links`] for an example.
    pub fn cut(&mut self, one: usize, other: usize, now: Time) {
        for (from, to) in [(one, other), (other, one)] {
            let Some(link) = self.link(from, to).filter(|link| link.is_up) else { continue };
            link.is_up = false;
            self.queue(now + NOTICED_AFTER, from, to, What::Broken(now));
        }
    }

    /// Mends the links between two clusters, in both directions.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::{Time, fleet::{ClusterName, Reading}, sim::Links};
    /// let names = ["a", "b"].map(|name| ClusterName::new(name).unwrap());
    /// let mut links = Links::new(names, Duration::ZERO);
    /// links.tell(0, None, Time::from_secs(0));
    /// links.cut(0, 1, Time::from_secs(0));
    /// links.deliver(Time::from_secs(9));
    /// links.mend(0, 1, Time::from_secs(9));
    /// let news = links.deliver(Time::from_secs(9));
    /// assert_eq!(news[0].reading, Reading::default());
    /// ```
    pub fn mend(&mut self, one: usize, other: usize, now: Time) {
        for (from, to) in [(one, other), (other, one)] {
            let Some(link) = self.link(from, to).filter(|link| !link.is_up) else { continue };
            link.is_up = true;
            if self.told.get(from).is_some_and(Option::is_some) {
                self.send(from, to, What::Again, now);
            }
        }
    }

    /// Mends everything, and has every cluster read again.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::{Time, fleet::ClusterName, sim::Links};
    /// let names = ["a", "b"].map(|name| ClusterName::new(name).unwrap());
    /// let mut links = Links::new(names, Duration::ZERO);
    /// links.cut(0, 1, Time::from_secs(0));
    /// links.mend_all(Time::from_secs(1));
    /// assert!(!links.is_cut(0, 1));
    /// ```
    pub fn mend_all(&mut self, now: Time) {
        for from in 0..self.names.len() {
            for to in self.readers(from) {
                if let Some(link) = self.link(from, to) {
                    (link.is_up, link.loses) = (true, 0);
                }
                if self.told.get(from).is_some_and(Option::is_some) {
                    self.send(from, to, What::Again, now);
                }
            }
        }
    }

    /// Returns whether a cluster cannot read another.
    ///
    /// See [`mend_all`](Self::mend_all) for an example.
    #[must_use]
    pub fn is_cut(&self, from: usize, to: usize) -> bool {
        self.pairs.get(from * self.names.len() + to).is_some_and(|link| !link.is_up)
    }

    /// Loses the next news of a cluster on the way to another; the reader reads again after half a minute.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::{Time, fleet::ClusterName, sim::Links};
    /// let names = ["a", "b"].map(|name| ClusterName::new(name).unwrap());
    /// let mut links = Links::new(names, Duration::ZERO);
    /// links.lose(0, 1);
    /// links.tell(0, None, Time::from_secs(0));
    /// assert_eq!(links.deliver(Time::from_secs(29)), []);
    /// assert_eq!(links.deliver(Time::from_secs(30)).len(), 1);
    /// ```
    pub fn lose(&mut self, from: usize, to: usize) {
        if let Some(link) = self.link(from, to) {
            link.loses += 1;
        }
    }

    /// Shows a reader the state before the current one, as a server does that is behind; the current one follows after
    /// half a minute.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::{Time, fleet::ClusterName, sim::Links};
    /// let names = ["a", "b"].map(|name| ClusterName::new(name).unwrap());
    /// let mut links = Links::new(names, Duration::ZERO);
    /// links.go_back(0, 1, Time::from_secs(0));
    /// assert_eq!(links.next_at(), None, "there is no earlier state");
    /// ```
    pub fn go_back(&mut self, from: usize, to: usize, now: Time) {
        let Some(Some(told)) = self.told.get(from) else { return };
        if let Some(before) = told.before.clone() {
            self.send(from, to, What::State(Some(before)), now);
            self.queue(now + READS_AGAIN, from, to, What::Again);
        }
    }

    /// Sets the delay of one link.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::{Time, fleet::ClusterName, sim::Links};
    /// let names = ["a", "b"].map(|name| ClusterName::new(name).unwrap());
    /// let mut links = Links::new(names, Duration::ZERO);
    /// links.delay(0, 1, Duration::from_secs(2));
    /// links.tell(0, None, Time::from_secs(0));
    /// assert_eq!(links.next_at(), Some(Time::from_secs(2)));
    /// ```
    pub fn delay(&mut self, from: usize, to: usize, delay: Duration) {
        if let Some(link) = self.link(from, to) {
            link.delay = delay;
        }
    }

    /// Returns what has arrived by `now`, in order.
    ///
    /// See [`Links`] for an example.
    pub fn deliver(&mut self, now: Time) -> Vec<News> {
        let mut news = Vec::new();
        while let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= now) {
            let Queued { from, to, what } = entry.remove();
            let current = self.told.get(from).cloned().flatten();
            let Some(link) = self.link(from, to) else { continue };
            let reading = match what {
                What::Broken(since) if !link.is_up => {
                    Reading::new(link.read.clone()).unreachable_since(since)
                }
                What::State(state) if link.is_up => {
                    link.read.clone_from(&state);
                    Reading::new(state)
                }
                What::Again if link.is_up => {
                    let Some(told) = current else { continue };
                    link.read.clone_from(&told.now);
                    Reading::new(told.now)
                }
                What::Broken(_) | What::State(_) | What::Again => continue,
            };
            news.push(News { from, to, reading });
        }
        news
    }

    fn send(&mut self, from: usize, to: usize, what: What, now: Time) {
        let Some(link) = self.link(from, to) else { return };
        let (delay, is_lost) = (link.delay, link.loses > 0);
        if is_lost {
            link.loses -= 1;
            self.queue(now + READS_AGAIN, from, to, What::Again);
        } else {
            self.queue(now + delay, from, to, what);
        }
    }

    fn queue(&mut self, at: Time, from: usize, to: usize, what: What) {
        self.numbered += 1;
        self.queue.insert((at, self.numbered), Queued { from, to, what });
    }

    fn readers(&self, from: usize) -> impl Iterator<Item = usize> + use<> {
        (0..self.names.len()).filter(move |to| *to != from)
    }

    fn link(&mut self, from: usize, to: usize) -> Option<&mut Link> {
        self.pairs.get_mut(from * self.names.len() + to)
    }
}
