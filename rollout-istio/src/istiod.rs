//! Whether every proxy has what was written, from what istiod's debug paths say.

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

/// What was settled is checked again when somebody asks about it after so long.
const VERIFIED_FOR: Duration = Duration::from_secs(5);
/// While something that is asked about is younger than the first, rounds are the second apart, …
const YOUNG: (Duration, Duration) = (Duration::from_millis(1_500), Duration::from_millis(80));
/// … while it is younger than this, so far apart; …
const GROWN: (Duration, Duration) = (Duration::from_secs(60), Duration::from_millis(500));
/// … and later, so far.
const OLD: Duration = Duration::from_secs(2);
/// Rounds are always at least as far apart as a round takes, up to this.
const LONGEST_REST: Duration = Duration::from_secs(2);
/// A replica that does not answer is asked again after the first, then less and less often, up to the second.
const UNANSWERED: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(8));

/// The data plane of Istio: asks every replica of istiod, over its debug paths, what it has seen and what
/// its proxies have acknowledged. It is one for all rollouts of a process, and asks in [`Rounds`].
///
/// *Settled* needs evidence: just after a change nothing has been sent yet, so every proxy has acknowledged all that
/// it was sent. A state is settled when every replica has seen it, pushes are over, and each proxy has acknowledged
/// all that it was sent, or a push that began after the state was seen. Pushes are over when two have come since (the
/// first may have begun before), or one has come and nothing has changed for the debounce, or nothing has changed for
/// the debounce and a second (a proxy that does not depend on an object gets no push for it), or the longest debounce
/// and a second have passed. In each case a push also gets 100 ms, 10 ms for each proxy, and ten times as long as
/// istiod took to list its proxies (at most 10 s) to reach all of them, unless all have acknowledged it.
///
/// - A proxy that has lost its connection counts as *not yet* until its pod is gone; if no pod of it was ever seen,
///   until istiod has answered for 60 s without a gap. A proxy that is no longer waited for is reported.
/// - Proxies of the Rollout's own namespace and of [`gateways`](Self::gateways) are waited for without limit. One of
///   another namespace counts only if it can see the host (`exportTo`, Sidecar resources), and is waited for as long
///   as [`patience`](Self::patience) says.
/// - A replica that no longer answers means *not yet* for all that is new: it may be frozen, and its proxies with it.
///   What all its proxies had before, they still have: an abort can go back to a stable that nobody has touched, even
///   while nobody answers. What was learned is forgotten only when a replica has restarted.
/// - 401, 403, 404, silence or a closed port from the start means *unknown*, and the round says what to open.
/// - For endpoints, the pods' addresses come from [`Fetch::ready`]; for a Service, all its endpoints must be of the
///   revision that it selects.
///
/// ```
/// use rollout_core::{Revision, Time, backend::{Fetch, Fetched, Rounds, ready, RolloutRef}, traffic::Settled};
/// use rollout_istio::Istiod;
/// use std::{sync::Arc, time::Duration};
///
/// /// One pod, and no istiod that could be found.
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
/// assert_eq!(istiod.next_round(), None, "nobody waits for anything");
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
    /// When it began, by the clock of `fetch`.
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
    /// Those that have answered once.
    replicas: BTreeMap<String, Replica>,
    /// Those that have not.
    strangers: BTreeMap<String, NoAnswer>,
    proxies: Proxies,
    watches: Watches,
    /// What is settled is to be looked at again.
    verify: bool,
    rounds: u64,
    /// When the last round ended, and how long it took.
    last: Option<(Duration, Duration)>,
    /// How many rounds in a row somebody has not answered.
    unanswered: u32,
}

impl<F: Fetch> Istiod<F> {
    /// Asks through `fetch`.
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

    /// How long a proxy that has lost its connection takes at most to connect again. Default 60 s, twice Envoy's longest
    /// pause between two attempts. For so long after the process began, a proxy may come back that it has never heard of,
    /// and no pods are removed.
    #[must_use]
    pub fn reconnects_within(mut self, time: Duration) -> Self {
        self.reconnects = time;
        self
    }

    /// How long istiod waits for further changes before it pushes (`PILOT_DEBOUNCE_AFTER`). Default 10 s,
    /// the longest that it ever holds a push back; Istio's own default is 100 ms. A value that is too small
    /// lets traffic follow before every proxy knows the way.
    #[must_use]
    pub fn debounce(mut self, after: Duration) -> Self {
        self.debounce = after;
        self
    }

    /// For how long a proxy of another namespace than the Rollout's may not acknowledge what it is sent before
    /// rollouts go on without it; `None` is for ever. Default 10 minutes: long enough for a proxy that starts,
    /// restarts, is moved or is out of touch for a while, and no namespace can hold all others for longer. Its
    /// requests to the host may fail when the pods that it knows go.
    #[must_use]
    pub fn patience(mut self, patience: Option<Duration>) -> Self {
        self.patience = patience;
        self
    }

    /// Namespaces whose proxies carry everybody's requests, and are waited for without limit. Default `istio-system`
    /// and `istio-ingress`.
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
    /// Endpoints that were with every proxy are asked about: they may have changed since.
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
