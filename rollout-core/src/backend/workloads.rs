use super::{Object, StoreError};
use crate::{Failure, Revision, RevisionSeen, Time, traffic::ObjectRef};
use alloc::{boxed::Box, string::String, vec::Vec};
use async_trait::async_trait;
use core::fmt;

/// Reads and writes the workloads of one rollout. Each holds the pods of one revision, such as a ReplicaSet.
///
/// As for a [`TrafficBackend`](super::TrafficBackend), every write carries the version of its observation, and an
/// implementation must never read again and overwrite. [`Reading`](super::Reading) uses this trait to carry out a turn.
///
/// A workload stores three things beside its pod count, written together with it: the scale-down deadline (the time
/// from which it may go to 0 pods), the fence's nonce, and its revision.
///
/// ```
/// use rollout_core::async_trait::async_trait;
/// use rollout_core::backend::{Object, Scale, StoreError, Workload, Workloads, ready};
/// use rollout_core::{Failure, Range, RevisionSeen, Time, traffic::{ObjectRef, ObjectVersion}};
/// # use serde_json::json;
///
/// /// One machine for each revision, which holds all of its pods; a new pod is ready at once.
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
/// assert_eq!(ready(Machines.scale(&Scale::new("v1".into(), 2), &seen))?, Ok(None), "nothing to change");
/// let scaling_down = Scale::new("v1".into(), 2).scale_down_deadline(Some(Time::from_secs(60)));
/// assert!(ready(Machines.scale(&scaling_down, &seen))?.is_ok_and(|now| now.is_some()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[async_trait]
pub trait Workloads: fmt::Debug + Send + Sync {
    /// Returns every workload of the rollout, read live: one that is missing counts as proven not to exist.
    ///
    /// # Errors
    /// The workloads could not be read. The rollout holds; a failed read is not an empty result.
    async fn observe(&self) -> Result<Vec<Workload>, StoreError>;

    /// Sets the pod count and scale-down deadline of one revision in one write; creates its workload if it is not in
    /// `seen`. Returns the workload afterwards, or `None` if there was nothing to change.
    ///
    /// `seen` contains all observed workloads, updated with what this turn has written since.
    ///
    /// # Errors
    /// [`Failure::Conflict`] if the workload is no longer the one in `seen`, or exists although `seen` has none; a
    /// refusal, also if the revision is absent and its template is no longer known; or an ambiguous failure.
    async fn scale(&self, to: &Scale, seen: &[Workload]) -> Result<Option<Workload>, Failure>;

    /// Deletes a workload if it is still the observed one and has no pods.
    ///
    /// # Errors
    /// The same as for [`scale`](Self::scale). A workload that is already gone is not an error.
    async fn delete(&self, seen: &Workload) -> Result<(), Failure>;

    /// Writes `nonce` into a workload and returns the workload afterwards: from then on, any outstanding write of an
    /// earlier process fails.
    ///
    /// # Errors
    /// The same as for [`scale`](Self::scale).
    async fn fence(&self, nonce: &str, seen: &Workload) -> Result<Workload, Failure>;
}

/// A workload as it was read or written.
///
/// See [`Workloads`] for an example.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Workload {
    /// The name.
    pub object: ObjectRef,
    /// The object and its version, which the next write depends on.
    pub read: Object,
    /// The state of its revision.
    pub seen: RevisionSeen,
}

impl Workload {
    /// Creates a workload that was read.
    #[must_use]
    pub fn new(object: ObjectRef, read: Object, seen: RevisionSeen) -> Self {
        Self { object, read, seen }
    }
}

/// The desired scale of one revision.
///
/// ```
/// use rollout_core::backend::Scale;
/// let to = Scale::new("v1".into(), 4).nonce(Some("me-1"));
/// assert_eq!((to.pods, to.scale_down_deadline, to.nonce.as_deref()), (4, None, Some("me-1")));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scale {
    /// The revision whose pods are scaled.
    pub revision: Revision,
    /// The number of pods.
    pub pods: u32,
    /// The time from which the revision may go to 0 pods; `None` removes it.
    pub scale_down_deadline: Option<Time>,
    /// The nonce for a new workload ([`Driver::nonce`](crate::Driver::nonce)). An existing workload keeps its own.
    pub nonce: Option<String>,
}

impl Scale {
    /// Sets the number of pods, without a scale-down deadline.
    #[must_use]
    pub fn new(revision: Revision, pods: u32) -> Self {
        Self { revision, pods, scale_down_deadline: None, nonce: None }
    }

    /// Sets the scale-down deadline.
    ///
    /// ```
    /// use rollout_core::{Time, backend::Scale};
    /// let keeps_its_pods_for_now = Scale::new("v1".into(), 4).scale_down_deadline(Some(Time::from_secs(60)));
    /// assert_eq!(keeps_its_pods_for_now.pods, 4);
    /// assert_eq!(Scale::new("v1".into(), 4).scale_down_deadline, None, "which removes an earlier deadline");
    /// ```
    #[must_use]
    pub fn scale_down_deadline(mut self, scale_down_deadline: Option<Time>) -> Self {
        self.scale_down_deadline = scale_down_deadline;
        self
    }

    /// Sets the nonce for a new workload.
    ///
    /// See [`Scale`] for an example.
    #[must_use]
    pub fn nonce(mut self, nonce: Option<&str>) -> Self {
        self.nonce = nonce.map(Into::into);
        self
    }
}
