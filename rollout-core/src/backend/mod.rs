//! How traffic decisions are carried out: pure editors of objects, stores that compare and swap, and the
//! bridge between them.

mod annotation;
mod chain;
mod claim;
mod data_plane;
mod editor;
mod error;
mod event_text;
mod fetch;
mod layer;
mod managed_by;
mod memory;
mod note;
mod object_backend;
mod reading;
mod ready;
mod rollout_ref;
mod rounds;
mod service;
mod store;
mod workloads;

pub use annotation::{FENCE_ANNOTATION, annotate, annotation};
pub use chain::Chain;
pub use claim::Claim;
pub use data_plane::{DataPlane, NoDataPlane};
pub use editor::{Edits, Mentions, ObjectEditor, Objects};
pub use error::{BackendError, EditError, StoreError};
pub use event_text::{EventText, Topic};
pub use fetch::{Fetch, Fetched, NoAnswer};
pub use layer::Layer;
pub use managed_by::{MANAGED_BY_ANNOTATION, is_managed_by, release_service, rollouts_in};
pub use memory::{Fault, MemoryStore};
pub use note::{note, set_note};
pub use object_backend::ObjectBackend;
pub use reading::Reading;
pub use ready::{NotReady, ready};
pub use rollout_ref::RolloutRef;
pub use rounds::{Round, Rounds};
pub use service::{REVISION_LABEL, ServiceEditor};
pub use store::{Object, ObjectStore};
pub use workloads::{Scale, Workload, Workloads};

use crate::{
    Failure, Outcome, Revision,
    traffic::{ObjectRef, Routes, Seen, Selectors, Version},
};
use alloc::{boxed::Box, vec::Vec};
use async_trait::async_trait;
use core::fmt;

/// One traffic manager, or the Services of a rollout: what it was told, and how it is told something else.
///
/// A plan is safe relative to what was observed, so every write carries the version of that observation;
/// an implementation never reads again and overwrites.
#[async_trait]
pub trait TrafficBackend: fmt::Debug + Send + Sync {
    /// What it has been told, with a version per object, and whether the data plane has it; also whether
    /// the data plane has the endpoints of `revisions`, and the nonces of [`fence`](Self::fence) that the
    /// objects bear.
    ///
    /// # Errors
    /// Objects that cannot be read, or that make no sense. The rollout holds; a failed read is not an empty
    /// one.
    async fn observe(&self, revisions: &[Revision]) -> Result<Seen, BackendError>;

    /// Points destinations at pods.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when an object is no longer the one of `seen`; whatever was written before
    /// is in the error.
    async fn select(&self, to: &Selectors, seen: &Version) -> Result<Written, BackendError>;

    /// Splits requests.
    ///
    /// # Errors
    /// As for [`select`](Self::select).
    async fn route(&self, to: &Routes, seen: &Version) -> Result<Written, BackendError>;

    /// Gives the objects back: no managed route, all weight on stable, no trace of ours. Only for routes at
    /// weight 0.
    ///
    /// # Errors
    /// As for [`select`](Self::select).
    async fn release(&self, seen: &Version) -> Result<Written, BackendError>;

    /// Writes `nonce` into every object (a [`note`] of the Rollout's under [`FENCE_ANNOTATION`]), conditional on
    /// `seen`: whatever an earlier process still has under way fails from now on.
    ///
    /// # Errors
    /// As for [`select`](Self::select).
    async fn fence(&self, nonce: &str, seen: &Version) -> Result<Written, BackendError>;

    /// What the Rollout drives in which objects; two Rollouts must not drive the same. The default is nothing.
    ///
    /// It follows from the Rollout alone, so it is known before anything is read.
    fn claims(&self) -> Vec<Claim> {
        Vec::new()
    }

    /// What Kubernetes events say about `topic`, in order. The default has no words for anything.
    fn describe(&self, topic: Topic<'_>) -> Vec<EventText> {
        let _ = topic;
        Vec::new()
    }
}

#[async_trait]
impl<B: TrafficBackend + ?Sized> TrafficBackend for Box<B> {
    async fn observe(&self, revisions: &[Revision]) -> Result<Seen, BackendError> {
        (**self).observe(revisions).await
    }

    async fn select(&self, to: &Selectors, seen: &Version) -> Result<Written, BackendError> {
        (**self).select(to, seen).await
    }

    async fn route(&self, to: &Routes, seen: &Version) -> Result<Written, BackendError> {
        (**self).route(to, seen).await
    }

    async fn release(&self, seen: &Version) -> Result<Written, BackendError> {
        (**self).release(seen).await
    }

    async fn fence(&self, nonce: &str, seen: &Version) -> Result<Written, BackendError> {
        (**self).fence(nonce, seen).await
    }

    fn claims(&self) -> Vec<Claim> {
        (**self).claims()
    }

    fn describe(&self, topic: Topic<'_>) -> Vec<EventText> {
        (**self).describe(topic)
    }
}

/// What a write did: the versions of the objects after it. A driver chains its own writes with them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
#[must_use = "the next write of the same plan must carry these versions"]
pub struct Written {
    /// The objects as they stand after the write, also those that were not changed; what was not looked at
    /// is left out. [`Version::after`] joins it with what was seen.
    pub version: Version,
    /// Which objects were changed, in order.
    pub changed: Vec<ObjectRef>,
}

impl Written {
    /// These objects were changed, and this is how all stand now.
    pub fn new(version: Version, changed: Vec<ObjectRef>) -> Self {
        Self { version, changed }
    }

    /// This, and then `later`, told as one.
    pub fn and(mut self, later: Self) -> Self {
        self.version = self.version.after(&later.version);
        self.changed.extend(later.changed);
        self
    }

    /// What a write came to, for [`Turn::done`](crate::Turn::done). The versions that it left go into `seen`, also those
    /// of a write that broke off half-way: the next write of the same turn rests on them.
    ///
    /// # Errors
    /// The write failed: what that means for the turn.
    ///
    /// ```
    /// use rollout_core::{Failure, Outcome, backend::{BackendError, StoreError, Written}};
    /// use rollout_core::traffic::{ObjectRef, ObjectVersion, Version};
    /// let object = |name| ObjectRef::new("", "Service", "shop", name);
    /// let at = |name, write: &str| (object(name), ObjectVersion { write: write.into(), content: 1 });
    /// let mut seen = Version::from_iter([at("a", "1"), at("b", "1")]);
    ///
    /// let mut half_way = BackendError::from(StoreError::Conflict(object("b")));
    /// if let BackendError::Store { written, .. } = &mut half_way {
    ///     *written = Written::new(Version::from_iter([at("a", "2")]), vec![object("a")]);
    /// }
    /// assert_eq!(Written::chain(Err(half_way), &mut seen), Err(Failure::Conflict));
    /// assert_eq!(seen, Version::from_iter([at("a", "2"), at("b", "1")]));
    /// assert_eq!(Written::chain(Ok(Written::default()), &mut seen), Ok(Outcome::Unchanged));
    /// ```
    pub fn chain(result: Result<Self, BackendError>, seen: &mut Version) -> Result<Outcome, Failure> {
        let written = result.as_ref().unwrap_or_else(|error| error.written());
        *seen = seen.after(&written.version);
        result.map(|written| written.outcome()).map_err(|error| Failure::from(&error))
    }

    /// Whether anything was changed.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if self.changed.is_empty() { Outcome::Unchanged } else { Outcome::Changed }
    }
}
