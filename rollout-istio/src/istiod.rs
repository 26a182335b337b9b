//! Finds out from istiod's debug endpoints whether every proxy has what was written.

mod asked;
mod dump;
mod judge;
mod proof;
mod proxies;
mod replica;
mod round;
mod scope;
mod subject;
mod watches;
mod wire;

use asked::Asked;
use async_trait::async_trait;
use proxies::{GIVEN_UP_AFTER, Proxies};
use replica::Replica;
use rollout_core::backend::{DataPlane, Fetch, NoAnswer, RolloutRef, Round, Rounds};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use watches::Watches;

/// The age at which a settled answer is checked again when a rollout asks.
const VERIFIED_FOR: Duration = Duration::from_secs(5);
/// While the youngest state waited for is younger than the first duration, rounds are the second apart.
const YOUNG: (Duration, Duration) = (Duration::from_millis(1_500), Duration::from_millis(80));
/// The same for an older state.
const GROWN: (Duration, Duration) = (Duration::from_secs(60), Duration::from_millis(500));
/// The interval of rounds for even older states.
const OLD: Duration = Duration::from_secs(2);
/// Rounds are at least as far apart as a round takes, up to this.
const LONGEST_REST: Duration = Duration::from_secs(2);
/// A replica that does not answer is asked again after the first duration, then less and less often, up to the second.
const UNANSWERED: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(8));

/// The data plane of Istio. It queries the debug endpoints of every replica of istiod for what the replica has seen and
/// what its proxies have acknowledged. All rollouts of a process share one, which queries in [`Rounds`].
///
/// *Settled* needs evidence: just after a change nothing has been sent yet, so every proxy has acknowledged all that it
/// was sent. A state is settled when every replica has seen it, pushes are over, and each proxy has acknowledged all
/// that it was sent, or a push that began after the state was seen. Pushes are over when two have come since (the first
/// may have begun before), or one has come and nothing has changed for the debounce, or nothing has changed for the
/// debounce and a second (a proxy that does not depend on an object gets no push for it), or the longest debounce and a
/// second have passed. In each case a push also gets 100 ms, 10 ms for each proxy, and ten times as long as istiod took
/// to list its proxies (at most 10 s) to reach all of them, unless all have acknowledged it.
///
/// - A proxy that has lost its connection counts as *not yet* until its pod is gone; if its pod was never seen, until
///   istiod has answered for 60 s without a gap. When rollouts stop waiting for a proxy, that is reported.
/// - Rollouts wait without limit for proxies of their own namespace and of [`gateways`](Self::gateways). A proxy of
///   another namespace counts only if it can see the host (`exportTo`, Sidecar resources), and only as long as
///   [`patience`](Self::patience) allows.
/// - A replica that no longer answers means *not yet* for all new states: it may be frozen, and its proxies with it.
///   States that all its proxies had before still count: an abort can return to an untouched stable even while no
///   replica answers. This knowledge is dropped only when a replica has restarted.
/// - 401, 403, 404, silence or a closed port from the start means *unknown*, and the round says what to open.
/// - For endpoints, the pods' addresses come from [`Fetch::ready`]; for a Service, all its endpoints must be of the
///   revision that it selects.
///
/// ```
/// use rollout_core::{Revision, Time, backend::{Fetch, Fetched, Rounds, ready, RolloutRef}, traffic::Settled};
/// use rollout_istio::Istiod;
/// use std::{sync::Arc, time::Duration};
///
/// /// One pod, and no istiod.
/// #[derive(Debug)]
/// struct NoIstiod;
///
/// #[async_trait::async_trait]
/// impl Fetch for NoIstiod {
///     async fn fetch(&self, _paths: &[&str]) -> Vec<Fetched> {
///         Vec::new()
///     }
///     async fn ready(&self, _namespace: &str, _revision: &Revision) -> Option<Vec<String>> {
///         Some(vec!["10.0.0.1".to_owned()])
///     }
///     async fn pods(&self, pods: &[(&str, &str)], _live: bool) -> Vec<Option<bool>> {
///         pods.iter().map(|_| None).collect()
///     }
///     fn elapsed(&self) -> Duration {
///         Duration::ZERO
///     }
///     fn now(&self) -> Time {
///         Time::from_secs(0)
///     }
/// }
///
/// let istiod = Arc::new(Istiod::new(NoIstiod).debounce(Duration::from_millis(100)));
/// assert_eq!(istiod.next_round(), None, "no rollout waits for anything");
/// let plane = Arc::clone(&istiod).of(&RolloutRef::new("shop", "web"));
/// ready(plane.endpoints(&"v2".into()))?;
/// assert!(istiod.next_round().is_some());
///
/// let round = ready(istiod.round())?;
/// assert!(round.complaint.is_some_and(|why| why.starts_with("no istiod was found")));
/// assert_eq!(ready(plane.endpoints(&"v2".into()))?, Settled::UNKNOWN);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Istiod<F> {
    /// When it started, by the clock of `fetch`.
    began: Duration,
    fetch: F,
    debounce: Duration,
    reconnects: Duration,
    patience: Option<Duration>,
    gateways: Vec<String>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// The replicas that have answered at least once.
    replicas: BTreeMap<String, Replica>,
    /// The replicas that have never answered.
    strangers: BTreeMap<String, NoAnswer>,
    proxies: Proxies,
    watches: Watches,
    /// Whether settled states must be checked again.
    verify: bool,
    rounds: u64,
    /// When the last round ended, and how long it took.
    last: Option<(Duration, Duration)>,
    /// The number of consecutive rounds in which some replica has not answered.
    unanswered: u32,
}

impl<F: Fetch> Istiod<F> {
    /// Creates a data plane that queries through `fetch`.
    ///
    /// See [`Istiod`] for an example.
    #[must_use]
    pub fn new(fetch: F) -> Self {
        Self {
            began: fetch.elapsed(),
            fetch,
            debounce: Duration::from_secs(10),
            reconnects: GIVEN_UP_AFTER,
            patience: Some(Duration::from_secs(600)),
            gateways: vec!["istio-system".to_owned(), "istio-ingress".to_owned()],
            inner: Mutex::default(),
        }
    }

    /// Sets the maximum time that a disconnected proxy takes to reconnect. Default 60 s, twice Envoy's longest pause
    /// between two attempts. For this long after the process started, a proxy that it has never heard of may return, so
    /// no pods are removed.
    ///
    /// ```
    /// use rollout_core::backend::{Rounds, RolloutRef, ready};
    /// use rollout_istio::Istiod;
    /// use std::{sync::Arc, time::Duration};
    /// # use rollout_core::{Revision, Time, backend::{Fetch, Fetched}};
    /// # #[derive(Debug)]
    /// # struct NoIstiod;
    /// # #[async_trait::async_trait]
    /// # impl Fetch for NoIstiod {
    /// #     async fn fetch(&self, _: &[&str]) -> Vec<Fetched> { Vec::new() }
    /// #     async fn ready(&self, _: &str, _: &Revision) -> Option<Vec<String>> { None }
    /// #     async fn pods(&self, pods: &[(&str, &str)], _: bool) -> Vec<Option<bool>> { vec![None; pods.len()] }
    /// #     fn elapsed(&self) -> Duration { Duration::ZERO }
    /// #     fn now(&self) -> Time { Time::from_secs(0) }
    /// # }
    /// let istiod = Arc::new(Istiod::new(NoIstiod).reconnects_within(Duration::from_secs(20)));
    /// let plane = istiod.of(&RolloutRef::new("shop", "web"));
    /// let known_in = ready(plane.proxies_known_in())?;
    /// assert_eq!(known_in, Duration::from_secs(20), "the process has only just started");
    /// # Ok::<(), rollout_core::backend::NotReady>(())
    /// ```
    #[must_use]
    pub fn reconnects_within(mut self, time: Duration) -> Self {
        self.reconnects = time;
        self
    }

    /// Sets how long istiod waits for further changes before it pushes (`PILOT_DEBOUNCE_AFTER`). Default 10 s, the
    /// longest that it ever holds a push back; Istio's own default is 100 ms. If the value is too small, traffic may
    /// shift before every proxy knows the way.
    ///
    /// See [`Istiod`] for an example.
    #[must_use]
    pub fn debounce(mut self, after: Duration) -> Self {
        self.debounce = after;
        self
    }

    /// Sets how long a proxy of a namespace other than the Rollout's may fail to acknowledge what it is sent before
    /// rollouts continue without it; `None` is forever. Default 10 minutes: long enough for a proxy that starts,
    /// restarts, moves or is unreachable for a while, and short enough that no namespace can hold up all others. Its
    /// requests to the host may fail when the pods that it knows are removed.
    #[must_use]
    pub fn patience(mut self, patience: Option<Duration>) -> Self {
        self.patience = patience;
        self
    }

    /// Sets the namespaces of gateways, whose proxies carry the requests of all namespaces; rollouts wait for them
    /// without limit. Default `istio-system` and `istio-ingress`.
    #[must_use]
    pub fn gateways(mut self, namespaces: impl IntoIterator<Item = String>) -> Self {
        self.gateways = namespaces.into_iter().collect();
        self
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Schedules a check of settled endpoints, which may have changed since.
    fn verify_endpoints(&mut self, elapsed: Duration) {
        let is_old = |read: Duration| elapsed.saturating_sub(read) >= VERIFIED_FOR;
        self.verify |=
            self.replicas.values().any(|replica| replica.dumps.endpoints_read().is_none_or(is_old));
    }

    fn next_round(&self, elapsed: Duration) -> Option<Duration> {
        let youngest = self.watches.youngest(elapsed);
        if youngest.is_none() && !self.verify {
            return None;
        }
        let Some((ended, took)) = self.last else { return Some(Duration::ZERO) };
        let by_age = match youngest {
            Some(age) if age >= GROWN.0 => OLD,
            Some(age) if age >= YOUNG.0 => GROWN.1,
            _ => YOUNG.1,
        };
        let failing = self
            .unanswered
            .checked_sub(1)
            .map_or(Duration::ZERO, |times| (UNANSWERED.0 * (1 << times.min(3))).min(UNANSWERED.1));
        let rest = by_age.max(took.min(LONGEST_REST)).max(failing);
        Some(rest.saturating_sub(elapsed.saturating_sub(ended)))
    }
}

#[async_trait]
impl<F: Fetch + 'static> Rounds for Istiod<F> {
    fn of(self: Arc<Self>, who: &RolloutRef) -> Arc<dyn DataPlane> {
        Arc::new(Asked { istiod: self, who: who.clone() })
    }

    fn next_round(&self) -> Option<Duration> {
        self.inner().next_round(self.fetch.elapsed())
    }

    async fn round(&self) -> Round {
        round::round(self).await
    }

    fn forget(&self, who: &RolloutRef) {
        let elapsed = self.fetch.elapsed();
        self.inner().watches.forget(who, elapsed);
    }
}
