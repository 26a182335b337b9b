//! What is there, as far as it is known.

use crate::{Range, Revision, Time, command::Proceed, traffic::Seen};
use alloc::{sync::Arc, vec::Vec};
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// What is there, as far as it is known.
///
/// A failed read is not an empty one: leave out `revisions` or `traffic` as a whole when a part of it could not be read.
/// Each `None` here is unknown: it may hold a rollout, and never advances it. Of what is inside, that is not so of
/// everything, as the tables below say field by field.
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
    /// Ready pods behind the user's own selector.
    pub user_selector: Option<Range>,
    /// The traffic, as it was read.
    pub traffic: Option<Seen>,
    /// A person's word that one wait may end.
    pub proceed: Option<Proceed>,
    /// The stable revision, where a live reading has just shown that there is no workload of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone: Option<Gone>,
}

/// A revision whose workload does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Gone {
    /// Which one.
    pub revision: Revision,
    /// How long an unbroken row of live readings, at most 5.5 s apart, has shown that there is none.
    /// [`Driver::see`](crate::Driver::see) fills it in.
    pub age: Duration,
}

impl Gone {
    /// A revision whose workload has not existed for so long.
    #[must_use]
    pub fn new(revision: Revision, age: Duration) -> Self {
        Self { revision, age }
    }
}

impl Observed {
    /// Nothing is known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// All revisions that exist.
    #[must_use]
    pub fn revisions(mut self, revisions: impl IntoIterator<Item = RevisionSeen>) -> Self {
        self.revisions = Some(revisions.into_iter().collect());
        self
    }

    /// Ready pods behind the user's own selector.
    #[must_use]
    pub fn user_selector(mut self, ready: Range) -> Self {
        self.user_selector = Some(ready);
        self
    }

    /// The traffic as it was read.
    #[must_use]
    pub fn traffic(mut self, seen: Seen) -> Self {
        self.traffic = Some(seen);
        self
    }

    /// A person's word that one wait may end.
    #[must_use]
    pub fn proceed(mut self, word: Option<Proceed>) -> Self {
        self.proceed = word;
        self
    }

    /// The stable revision, if a live reading has shown that there is no workload of it.
    #[must_use]
    pub fn gone(mut self, gone: Option<Gone>) -> Self {
        self.gone = gone;
        self
    }

    /// Whether a live reading has shown that a revision's workload does not exist.
    pub(crate) fn is_gone(&self, revision: &Revision) -> bool {
        self.gone.as_ref().is_some_and(|gone| gone.revision == *revision)
    }

    /// For how long a row of live readings has shown that a revision has no ready pod.
    pub(crate) fn unavailable(&self, revision: &Revision) -> Option<Duration> {
        let gone = self.gone.as_ref().filter(|gone| gone.revision == *revision).map(|gone| gone.age);
        gone.or_else(|| self.revision(revision)?.unavailable)
    }

    /// One revision, if it is known to exist.
    #[must_use]
    pub fn revision(&self, revision: &Revision) -> Option<&RevisionSeen> {
        self.revisions.as_deref().unwrap_or_default().iter().find(|seen| seen.revision == *revision)
    }
}

/// One revision's pods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RevisionSeen {
    /// Which one.
    pub revision: Revision,
    /// Its number: 1 for the first, higher for later ones.
    pub number: u64,
    /// How many pods its workload asks for.
    pub wanted: u32,
    /// How many are ready: they can answer requests.
    pub ready: Range,
    /// How many are available: ready for `minReadySeconds`.
    pub available: Range,
    /// The scale-down deadline that allows it to go to 0 pods, and when.
    pub scale_down_deadline: Option<Time>,
    /// How long an unbroken row of live readings, at most 5.5 s apart and of one version of the workload, has
    /// shown that no pod is ready. `None` when the last reading was not live or a pod may be ready.
    /// [`Driver::see`](crate::Driver::see) fills it in.
    pub unavailable: Option<Duration>,
    /// Where this was read live, not from a cache: a number that stands for the version of the workload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<u64>,
    /// Changes whenever any of its pods comes, goes, or becomes ready or not; 0 where that is not known, and the counts
    /// have to do.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub changes: u64,
    /// The nonce that its workload bears; no decision rests on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Arc<str>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks like this")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl RevisionSeen {
    /// A revision with no pods asked for, and unknown counts.
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

    /// Its number.
    #[must_use]
    pub fn number(mut self, number: u64) -> Self {
        self.number = number;
        self
    }

    /// How many pods its workload asks for.
    #[must_use]
    pub fn wanted(mut self, pods: u32) -> Self {
        self.wanted = pods;
        self
    }

    /// How many pods are ready.
    #[must_use]
    pub fn ready(mut self, pods: Range) -> Self {
        self.ready = pods;
        self
    }

    /// How many pods are available.
    #[must_use]
    pub fn available(mut self, pods: Range) -> Self {
        self.available = pods;
        self
    }

    /// The scale-down deadline, if it has one.
    #[must_use]
    pub fn scale_down_deadline(mut self, until: Option<Time>) -> Self {
        self.scale_down_deadline = until;
        self
    }

    /// It was read live, in this version of its workload.
    #[must_use]
    pub fn live(mut self, version: Option<u64>) -> Self {
        self.live = version;
        self
    }

    /// Changes whenever any of its pods does; never 0.
    #[must_use]
    pub fn changes(mut self, changes: u64) -> Self {
        self.changes = changes;
        self
    }

    /// The nonce that its workload bears.
    #[must_use]
    pub fn nonce(mut self, nonce: Option<Arc<str>>) -> Self {
        self.nonce = nonce;
        self
    }

    /// For how long it has been seen without a ready pod.
    #[must_use]
    pub fn unavailable(mut self, age: Option<Duration>) -> Self {
        self.unavailable = age;
        self
    }
}
