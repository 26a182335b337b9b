use super::{Object, StoreError};
use crate::{Failure, Revision, RevisionSeen, Time, traffic::ObjectRef};
use alloc::{boxed::Box, string::String, vec::Vec};
use async_trait::async_trait;
use core::fmt;

/// The workloads of one rollout: each holds the pods of one revision, such as a ReplicaSet.
///
/// As for a [`TrafficBackend`](super::TrafficBackend), every write carries the version of the observation that it rests on,
/// and an implementation never reads again and overwrites. [`Reading`](super::Reading) carries out with it what a turn says.
///
/// Three things are stored in a workload beside its pod count, and written with it: the scale-down deadline (the time at which it may go
/// to 0 pods), the fence's nonce, and which revision it holds.
///
/// ```
/// use rollout_core::async_trait::async_trait;
/// use rollout_core::backend::{Object, Scale, StoreError, Workload, Workloads, ready};
/// use rollout_core::{Failure, Range, RevisionSeen, Time, traffic::{ObjectRef, ObjectVersion}};
/// # use serde_json::json;
///
/// /// One machine for each revision, that holds all of its pods; a new one answers at once.
/// #[derive(Debug)]
/// struct Machines;
///
/// fn machine(to: &Scale, version: u64) -> Workload {
///     let value = json!({"pods": to.pods, "nonce": to.nonce}).into();
///     let version = ObjectVersion { write: version.to_string().into(), content: version };
///     let seen = RevisionSeen::new(to.revision.clone()).wanted(to.pods).ready(Range::exact(to.pods)).scale_down_deadline(to.scale_down_deadline);
///     Workload::new(ObjectRef::new("", "Machine", "shop", "one"), Object { value, version }, seen)
/// }
///
/// #[async_trait]
/// impl Workloads for Machines {
///     async fn observe(&self) -> Result<Vec<Workload>, StoreError> {
///         Ok(vec![machine(&Scale::new("v1".into(), 2), 1)])
///     }
///     async fn scale(&self, to: &Scale, seen: &[Workload]) -> Result<Option<Workload>, Failure> {
///         let there = seen.iter().find(|there| there.seen.revision == to.revision);
///         let is_so = |there: &&Workload| there.seen.wanted == to.pods && there.seen.scale_down_deadline == to.scale_down_deadline;
///         Ok(there.filter(is_so).is_none().then(|| machine(to, 2)))
///     }
///     async fn delete(&self, _: &Workload) -> Result<(), Failure> {
///         Err(Failure::Refused("machines are never deleted".into()))
///     }
///     async fn fence(&self, nonce: &str, seen: &Workload) -> Result<Workload, Failure> {
///         let to = Scale::new(seen.seen.revision.clone(), seen.seen.wanted).scale_down_deadline(seen.seen.scale_down_deadline);
///         Ok(machine(&to.nonce(Some(nonce)), 2))
///     }
/// }
///
/// let seen = ready(Machines.observe())??;
/// assert_eq!(ready(Machines.scale(&Scale::new("v1".into(), 2), &seen))?, Ok(None), "it is so already");
/// let scaling_down = Scale::new("v1".into(), 2).scale_down_deadline(Some(Time::from_secs(60)));
/// assert!(ready(Machines.scale(&scaling_down, &seen))?.is_ok_and(|now| now.is_some()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[async_trait]
pub trait Workloads: fmt::Debug + Send + Sync {
    /// Every workload of the rollout, read live: that one is not among them counts as proof that it does not exist.
    ///
    /// # Errors
    /// They could not be read. The rollout holds; a failed read is not an empty one.
    async fn observe(&self) -> Result<Vec<Workload>, StoreError>;

    /// Gives one revision this pod count and scale-down deadline, in one write; creates its workload if it is not among `seen`. Returns
    /// how the workload is then, or `None` if it was so already.
    ///
    /// `seen` is everything that was observed, with what this turn has written since.
    ///
    /// # Errors
    /// [`Failure::Conflict`] when the workload is no longer the one of `seen`, or is there although `seen` has none; a
    /// refusal, also when the revision is absent and its template is not known any more; or no clear answer.
    async fn scale(&self, to: &Scale, seen: &[Workload]) -> Result<Option<Workload>, Failure>;

    /// Deletes one workload, if it still is the one that was seen and has no pods.
    ///
    /// # Errors
    /// As for [`scale`](Self::scale). One that is gone already is no error.
    async fn delete(&self, seen: &Workload) -> Result<(), Failure>;

    /// Writes `nonce` into one workload, and returns how it is then: whatever an earlier process still has under way fails
    /// from now on.
    ///
    /// # Errors
    /// As for [`scale`](Self::scale).
    async fn fence(&self, nonce: &str, seen: &Workload) -> Result<Workload, Failure>;
}

/// One workload, as it was read or written.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Workload {
    /// Its name.
    pub object: ObjectRef,
    /// The object and its version: what the next write to it rests on.
    pub read: Object,
    /// What it says about its revision.
    pub seen: RevisionSeen,
}

impl Workload {
    /// A workload that was read.
    #[must_use]
    pub fn new(object: ObjectRef, read: Object, seen: RevisionSeen) -> Self {
        Self { object, read, seen }
    }
}

/// What one revision is to have.
///
/// ```
/// use rollout_core::backend::Scale;
/// let to = Scale::new("v1".into(), 4).nonce(Some("me-1"));
/// assert_eq!((to.pods, to.scale_down_deadline, to.nonce.as_deref()), (4, None, Some("me-1")));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scale {
    /// Whose pods.
    pub revision: Revision,
    /// How many.
    pub pods: u32,
    /// The time at which it may go to 0 pods; `None` takes it away.
    pub scale_down_deadline: Option<Time>,
    /// The nonce that a new workload bears ([`Driver::nonce`](crate::Driver::nonce)). One that exists keeps its own.
    pub nonce: Option<String>,
}

impl Scale {
    /// So many pods, without a scale-down deadline.
    #[must_use]
    pub fn new(revision: Revision, pods: u32) -> Self {
        Self { revision, pods, scale_down_deadline: None, nonce: None }
    }

    /// With this scale-down deadline.
    #[must_use]
    pub fn scale_down_deadline(mut self, scale_down_deadline: Option<Time>) -> Self {
        self.scale_down_deadline = scale_down_deadline;
        self
    }

    /// A new workload bears this nonce.
    #[must_use]
    pub fn nonce(mut self, nonce: Option<&str>) -> Self {
        self.nonce = nonce.map(Into::into);
        self
    }
}
