//! The observed state of the cluster, as far as it is known.

use crate::{Range, Revision, Time, analysis::RunSeen, command::Proceed, fleet::Peers, traffic::Seen};
use alloc::{sync::Arc, vec::Vec};
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// The observed state of the cluster, as far as it is known.
///
/// A failed read is not an empty result: if any part of `revisions` or `traffic` could not be read, leave out the whole
/// field. `None` in a field of this struct means unknown: it can hold a rollout back but never advances it. Fields of
/// nested types do not all work this way; the tables below describe each one.
///
/// ```
/// use rollout_core::{Observed, Range, RevisionSeen, traffic::Seen};
/// let v1 = RevisionSeen::new("v1".into()).wanted(4).ready(Range::exact(4)).available(Range::exact(4));
/// let observed = Observed::new().revisions([v1]).traffic(Seen::nothing());
/// assert!(observed.revision(&"v1".into()).is_some());
/// ```
#[doc = include_str!("observed.md")]
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Observed {
    /// Every revision that exists.
    pub revisions: Option<Vec<RevisionSeen>>,
    /// The number of ready pods behind the user's own selector.
    pub user_selector: Option<Range>,
    /// The traffic configuration, as it was read.
    pub traffic: Option<Seen>,
    /// An operator's `proceed` override.
    pub proceed: Option<Proceed>,
    /// The stable revision, if a live reading has just shown that its workload does not exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone: Option<Gone>,
    /// The runs of analyses, the oldest first. Only with an analysis in the strategy, or while runs are left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<Vec<RunSeen>>,
    /// How far the other clusters of the fleet are. Only with a [policy](crate::fleet::Policy).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peers: Option<Peers>,
}

/// A revision whose workload does not exist.
///
/// ```
/// use core::time::Duration;
/// use rollout_core::{Driver, Gone, Observed};
/// let mut driver = Driver::new("controller-1");
/// let ages = [0, 5, 9].map(|secs| {
///     let mut observed = Observed::new().gone(Some(Gone::new("v1".into(), Duration::ZERO)));
///     driver.see(&mut observed, Duration::from_secs(secs));
///     observed.gone.map(|gone| gone.age.as_secs())
/// });
/// assert_eq!(ages, [Some(0), Some(5), Some(9)], "the driver fills in the age");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Gone {
    /// The missing revision.
    pub revision: Revision,
    /// How long an unbroken series of live readings, at most 5.5 s apart, has shown that no workload exists.
    /// [`Driver::see`](crate::Driver::see) fills it in.
    pub age: Duration,
}

impl Gone {
    /// Creates a record of a revision whose workload has not existed for `age`.
    ///
    /// See [`Gone`] for an example.
    #[must_use]
    pub fn new(revision: Revision, age: Duration) -> Self {
        Self { revision, age }
    }
}

impl Observed {
    /// Creates an observation in which nothing is known.
    ///
    /// ```
    /// use rollout_core::{Observed, traffic::Seen};
    /// assert_eq!(Observed::new().revisions, None, "not known, which is not the same as none");
    /// assert_eq!(Observed::new().revisions([]).revisions, Some(Vec::new()));
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets all revisions that exist.
    ///
    /// Pass only a complete list: a revision that is missing counts as not existing.
    ///
    /// ```
    /// use rollout_core::{Observed, RevisionSeen};
    /// let observed = Observed::new().revisions([RevisionSeen::new("v1".into())]);
    /// assert!(observed.revision(&"v2".into()).is_none());
    /// ```
    #[must_use]
    pub fn revisions(mut self, revisions: impl IntoIterator<Item = RevisionSeen>) -> Self {
        self.revisions = Some(revisions.into_iter().collect());
        self
    }

    /// Sets the number of ready pods behind the user's own selector.
    ///
    /// It matters while a destination still has that selector: unless these pods are known, no weight goes back there.
    ///
    /// ```
    /// use rollout_core::{Observed, Range};
    /// let observed = Observed::new().user_selector(Range::exact(4));
    /// assert_eq!(observed.user_selector, Some(Range::exact(4)));
    /// ```
    #[must_use]
    pub fn user_selector(mut self, ready: Range) -> Self {
        self.user_selector = Some(ready);
        self
    }

    /// Sets the traffic configuration, as it was read.
    ///
    /// ```
    /// use rollout_core::{Observed, traffic::Seen};
    /// assert_eq!(Observed::new().traffic, None, "a failed read: no selector or route is written");
    /// assert!(Observed::new().traffic(Seen::nothing()).traffic.is_some());
    /// ```
    #[must_use]
    pub fn traffic(mut self, seen: Seen) -> Self {
        self.traffic = Some(seen);
        self
    }

    /// Sets an operator's `proceed` override.
    ///
    /// ```
    /// use rollout_core::{Observed, Status, command::{Position, Proceed}, traffic::Version};
    /// let proceed = Proceed::new(Position::new("v2".into(), 2), &Version::NONE);
    /// let observed = Observed::new().proceed(Some(proceed));
    /// assert_eq!(observed.proceed.map(|proceed| proceed.at.step), Some(2));
    /// ```
    #[must_use]
    pub fn proceed(mut self, proceed: Option<Proceed>) -> Self {
        self.proceed = proceed;
        self
    }

    /// Sets the stable revision, if a live reading has shown that its workload does not exist.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::{Gone, Observed};
    /// let missing = Gone::new("v1".into(), Duration::ZERO);
    /// let observed = Observed::new().revisions([]).gone(Some(missing));
    /// assert_eq!(observed.gone.map(|gone| gone.revision), Some("v1".into()));
    /// ```
    #[must_use]
    pub fn gone(mut self, gone: Option<Gone>) -> Self {
        self.gone = gone;
        self
    }

    /// Sets the runs of analyses, the oldest first.
    ///
    /// ```
    /// use rollout_core::{Observed, analysis::{RunId, RunRole, RunSeen}};
    /// let id = RunId::new("v2".into(), "6c5f".into(), RunRole::Background, 0);
    /// let observed = Observed::new().runs([RunSeen::new("web-v2-2", id)]);
    /// assert_eq!(observed.runs.map(|runs| runs.len()), Some(1));
    /// ```
    #[must_use]
    pub fn runs(mut self, runs: impl IntoIterator<Item = RunSeen>) -> Self {
        self.runs = Some(runs.into_iter().collect());
        self
    }

    /// Sets how far the other clusters of the fleet are.
    ///
    /// ```
    /// use rollout_core::{Observed, fleet::{ClusterName, Peers}};
    /// let me = ClusterName::new("a").unwrap();
    /// let observed = Observed::new().peers(Peers::new(me.clone()));
    /// assert_eq!(observed.peers.map(|peers| peers.me), Some(me));
    /// ```
    #[must_use]
    pub fn peers(mut self, peers: Peers) -> Self {
        self.peers = Some(peers);
        self
    }

    /// Returns whether a live reading has shown that a revision's workload does not exist.
    pub(crate) fn is_gone(&self, revision: &Revision) -> bool {
        self.gone.as_ref().is_some_and(|gone| gone.revision == *revision)
    }

    /// Returns for how long a series of live readings has shown that a revision has no ready pod.
    pub(crate) fn unavailable(&self, revision: &Revision) -> Option<Duration> {
        let gone = self.gone.as_ref().filter(|gone| gone.revision == *revision).map(|gone| gone.age);
        gone.or_else(|| self.revision(revision)?.unavailable)
    }

    /// Returns a revision, if it is known to exist.
    ///
    /// ```
    /// use rollout_core::{Observed, RevisionSeen};
    /// let observed = Observed::new().revisions([RevisionSeen::new("v1".into()).wanted(3)]);
    /// assert_eq!(observed.revision(&"v1".into()).map(|seen| seen.wanted), Some(3));
    /// assert!(Observed::new().revision(&"v1".into()).is_none(), "nothing could be read");
    /// ```
    #[must_use]
    pub fn revision(&self, revision: &Revision) -> Option<&RevisionSeen> {
        self.revisions.as_deref().unwrap_or_default().iter().find(|seen| seen.revision == *revision)
    }
}

/// The observed pods of one revision.
///
/// ```
/// use rollout_core::{Range, RevisionSeen};
/// let canary = RevisionSeen::new("v2".into()).number(2).wanted(4).ready(Range::new(2, 3));
/// assert_eq!(canary.available, Range::UNKNOWN, "what is not set is not known, and is never taken for 0");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RevisionSeen {
    /// The revision.
    pub revision: Revision,
    /// The revision number: 1 for the first, higher for later ones.
    pub number: u64,
    /// The number of pods that the workload asks for.
    pub wanted: u32,
    /// The number of ready pods, which can serve requests.
    pub ready: Range,
    /// The number of available pods: ready for `minReadySeconds`.
    pub available: Range,
    /// The scale-down deadline from which the revision may go to 0 pods, if there is one.
    pub scale_down_deadline: Option<Time>,
    /// How long an unbroken series of live readings, at most 5.5 s apart and of one version of the workload, has shown
    /// that no pod is ready. `None` when the last reading was not live or a pod may be ready.
    /// [`Driver::see`](crate::Driver::see) fills it in.
    pub unavailable: Option<Duration>,
    /// If the revision was read live and not from a cache, a number that identifies the version of the workload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<u64>,
    /// Changes whenever one of the pods is added or removed, or becomes ready or unready; 0 if that is not known and
    /// only the counts can be compared.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub changes: u64,
    /// The nonce on the workload. No decision depends on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Arc<str>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde requires this signature")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl RevisionSeen {
    /// Creates a revision that asks for no pods and whose counts are unknown.
    ///
    /// See [`RevisionSeen`] for an example.
    #[must_use]
    pub fn new(revision: Revision) -> Self {
        Self {
            revision,
            number: 0,
            wanted: 0,
            ready: Range::UNKNOWN,
            available: Range::UNKNOWN,
            scale_down_deadline: None,
            unavailable: None,
            live: None,
            changes: 0,
            nonce: None,
        }
    }

    /// Sets the revision number.
    ///
    /// Beyond the revision history limit, the revisions with the lowest numbers are deleted:
    ///
    /// ```
    /// use rollout_core::{Action, Observed, RevisionSeen, Spec, Status, Strategy, Time, reconcile, traffic::Seen};
    /// # use rollout_core::Range;
    /// # let mut status = Status::default();
    /// # (status.stable, status.canary) = (Some("v3".into()), Some("v3".into()));
    /// let [v1, v2, v3] = [("v1", 11), ("v2", 12), ("v3", 13)]
    ///     .map(|(revision, number)| RevisionSeen::new(revision.into()).number(number));
    /// # let [v1, v2] = [v1, v2].map(|old| old.ready(Range::exact(0)));
    /// # let v3 = v3.wanted(1).ready(Range::exact(1)).available(Range::exact(1));
    /// let observed = Observed::new().revisions([v1, v2, v3]).traffic(Seen::nothing());
    /// let mut spec = Spec::new(Strategy::builder().build()?, "v3".into());
    /// spec.revision_history_limit = 1;
    /// let plan = reconcile(&spec, &status, &observed, Time::from_secs(0));
    /// assert_eq!(plan.actions, [Action::Prune { revision: "v1".into() }]);
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    #[must_use]
    pub fn number(mut self, number: u64) -> Self {
        self.number = number;
        self
    }

    /// Sets the number of pods that the workload asks for.
    ///
    /// See [`RevisionSeen`] for an example.
    #[must_use]
    pub fn wanted(mut self, pods: u32) -> Self {
        self.wanted = pods;
        self
    }

    /// Sets the number of ready pods.
    ///
    /// See [`RevisionSeen`] for an example.
    #[must_use]
    pub fn ready(mut self, pods: Range) -> Self {
        self.ready = pods;
        self
    }

    /// Sets the number of available pods.
    ///
    /// ```
    /// use rollout_core::{Observed, Range, RevisionSeen, Spec, Status, Strategy, Time, reconcile, traffic::Seen};
    /// use rollout_core::waiting::WaitReason;
    /// let ready = RevisionSeen::new("v1".into()).wanted(1).ready(Range::exact(1));
    /// let not_yet = ready.available(Range::exact(0)); // Not for `minReadySeconds`, so far.
    /// let observed = Observed::new().revisions([not_yet]).traffic(Seen::nothing());
    /// let spec = Spec::new(Strategy::builder().build()?, "v1".into());
    /// let plan = reconcile(&spec, &Status::default(), &observed, Time::from_secs(0));
    /// assert_eq!(plan.waiting[0].reason, WaitReason::Pods { revision: "v1".into(), need: 1, seen: Range::exact(0) });
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    #[must_use]
    pub fn available(mut self, pods: Range) -> Self {
        self.available = pods;
        self
    }

    /// Sets the scale-down deadline, if there is one.
    ///
    /// ```
    /// use rollout_core::{Action, Observed, RevisionSeen, Spec, Status, Strategy, Time, reconcile, traffic::Seen};
    /// # use rollout_core::Range;
    /// # let status: Status = serde_json::from_str(r#"{"v":1,"stable":"v1","canary":"v1"}"#).unwrap();
    /// let marked = RevisionSeen::new("v1".into()).wanted(2).scale_down_deadline(Some(Time::from_secs(60)));
    /// # let marked = marked.ready(Range::exact(2)).available(Range::exact(2));
    /// let observed = Observed::new().revisions([marked]).traffic(Seen::nothing());
    /// let spec = Spec::new(Strategy::builder().traffic_routing(true).build()?, "v1".into()).replicas(2);
    /// let plan = reconcile(&spec, &status, &observed, Time::from_secs(0));
    /// let kept = Action::Scale { revision: "v1".into(), pods: 2, scale_down_deadline: None };
    /// assert_eq!(plan.actions, [kept], "stable must not lose its pods");
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    #[must_use]
    pub fn scale_down_deadline(mut self, until: Option<Time>) -> Self {
        self.scale_down_deadline = until;
        self
    }

    /// Marks the revision as read live, at this version of its workload.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::{Driver, Observed, Range, RevisionSeen};
    /// let mut driver = Driver::new("controller-1");
    /// let unready = RevisionSeen::new("v1".into()).wanted(2).ready(Range::exact(0));
    /// for (version, known) in [(None, None), (Some(7), Some(Duration::ZERO))] {
    ///     let mut observed = Observed::new().revisions([unready.clone().live(version)]);
    ///     driver.see(&mut observed, Duration::from_secs(60));
    ///     assert_eq!(observed.revisions.unwrap()[0].unavailable, known, "only a live reading is evidence");
    /// }
    /// ```
    #[must_use]
    pub fn live(mut self, version: Option<u64>) -> Self {
        self.live = version;
        self
    }

    /// Sets a number, never 0, that changes whenever one of the pods changes.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::{Driver, Observed, Range, RevisionSeen, traffic::{Seen, Settled}};
    /// let mut driver = Driver::new("controller-1");
    /// let ages = [(0, 1), (5, 1), (9, 2)].map(|(secs, changes)| {
    ///     let pods = RevisionSeen::new("v1".into()).ready(Range::exact(3)).changes(changes);
    ///     let mut observed = Observed::new().revisions([pods]).traffic(Seen::new());
    ///     driver.see(&mut observed, Duration::from_secs(secs));
    ///     observed.traffic.unwrap().endpoints[0].1.clone()
    /// });
    /// let age = |secs| Settled::Unknown { age: Duration::from_secs(secs) };
    /// assert_eq!(ages, [age(0), age(5), age(0)], "one pod was replaced by another: still three, but new endpoints");
    /// ```
    #[must_use]
    pub fn changes(mut self, changes: u64) -> Self {
        self.changes = changes;
        self
    }

    /// Sets the nonce on the workload.
    ///
    /// See [`Rival`](crate::Rival) for an example.
    #[must_use]
    pub fn nonce(mut self, nonce: Option<Arc<str>>) -> Self {
        self.nonce = nonce;
        self
    }

    /// Sets for how long the revision has been seen without a ready pod.
    ///
    /// [`Driver::see`](crate::Driver::see) replaces it: see [`live`](Self::live) for an example.
    #[must_use]
    pub fn unavailable(mut self, age: Option<Duration>) -> Self {
        self.unavailable = age;
        self
    }
}
