//! Carrying out traffic decisions: pure editors of objects, stores with compare-and-swap, and the bridge between them.
//!
//! See [`ObjectBackend`] for an example of the bridge, and [`Reading`] for one of a turn.

mod annotation;
mod chain;
mod claim;
mod copied;
mod data_plane;
mod editor;
mod error;
mod event_text;
mod fetch;
mod layer;
mod managed_by;
mod memory;
mod note;
mod object;
mod object_backend;
mod reading;
mod ready;
mod rollout_ref;
mod rounds;
mod service;
mod store;
mod workloads;

pub use annotation::{FENCE_ANNOTATION, REVISION_LABEL, annotate, annotation};
pub use chain::Chain;
pub use claim::Claim;
pub use copied::CopiedFrom;
pub use data_plane::{DataPlane, NoDataPlane};
pub use editor::{Edits, ObjectEditor, Objects};
pub use error::{BackendError, EditError, StoreError};
pub use event_text::{EventText, Topic};
pub use fetch::{Fetch, Fetched, NoAnswer};
pub use layer::Layer;
pub use managed_by::{MANAGED_BY_ANNOTATION, is_managed_by, release_service, rollouts_in};
pub use memory::{MemoryStore, StoreFault};
pub use note::{note, set_note};
pub use object::{Mentions, Object};
pub use object_backend::ObjectBackend;
pub use reading::Reading;
pub use ready::{NotReady, ready};
pub use rollout_ref::RolloutRef;
pub use rounds::{Round, Rounds};
pub use service::ServiceEditor;
pub use store::ObjectStore;
pub use workloads::{Scale, Workload, Workloads};

use crate::{
    Failure, Outcome, Revision,
    traffic::{ObjectRef, Routes, Seen, Selectors, Version},
};
use alloc::{boxed::Box, vec::Vec};
use async_trait::async_trait;
use core::fmt;

/// Reads and writes the configuration of one traffic manager, or of a rollout's Services.
///
/// A plan is safe only relative to its observation, so every write carries the version of that observation; an
/// implementation must never read again and overwrite.
///
/// See [`ObjectBackend`] for an example.
#[async_trait]
pub trait TrafficBackend: fmt::Debug + Send + Sync {
    /// Returns the current configuration, with a version for each object, and whether the data plane has it; also
    /// whether the data plane has the endpoints of `revisions`, and the nonces of [`fence`](Self::fence) on the
    /// objects.
    ///
    /// # Errors
    /// An object cannot be read, or is invalid. The rollout holds; a failed read is not an empty result.
    async fn observe(&self, revisions: &[Revision]) -> Result<Seen, BackendError>;

    /// Points destinations at pods.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if an object is no longer the one in `seen`; the error contains what was written
    /// before.
    async fn select(&self, to: &Selectors, seen: &Version) -> Result<Written, BackendError>;

    /// Splits requests.
    ///
    /// # Errors
    /// The same as for [`select`](Self::select).
    async fn route(&self, to: &Routes, seen: &Version) -> Result<Written, BackendError>;

    /// Hands the objects back to the user: no managed routes, all weight on stable, nothing else left behind. Only for
    /// routes at weight 0.
    ///
    /// # Errors
    /// The same as for [`select`](Self::select).
    async fn release(&self, seen: &Version) -> Result<Written, BackendError>;

    /// Writes `nonce` into every object (as a [`note`] of the Rollout under [`FENCE_ANNOTATION`]), conditional on
    /// `seen`: from then on, any outstanding write of an earlier process fails.
    ///
    /// # Errors
    /// The same as for [`select`](Self::select).
    async fn fence(&self, nonce: &str, seen: &Version) -> Result<Written, BackendError>;

    /// Returns the parts of objects that the Rollout drives; no two Rollouts may drive the same part. The default is
    /// none.
    ///
    /// Claims depend only on the Rollout, so they are known before anything is read.
    fn claims(&self) -> Vec<Claim> {
        Vec::new()
    }

    /// Returns the texts of Kubernetes events about `topic`, in order. The default is none.
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

/// The result of a write: the versions of the objects afterwards. A driver chains its writes with them.
///
/// See [`chain`](Self::chain) for an example.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
#[must_use = "the next write of the same plan must carry these versions"]
pub struct Written {
    /// The objects after the write, including unchanged ones; objects that were not checked are left out.
    /// [`Version::after`] combines this with the earlier versions.
    pub version: Version,
    /// The objects that were changed, in order.
    pub changed: Vec<ObjectRef>,
}

impl Written {
    /// Creates the result of a write.
    pub fn new(version: Version, changed: Vec<ObjectRef>) -> Self {
        Self { version, changed }
    }

    /// Merges this result with that of a `later` write.
    ///
    /// ```
    /// use rollout_core::{Outcome, backend::Written, traffic::{ObjectRef, ObjectVersion, Version}};
    /// let wrote = |name, write: &str| {
    ///     let object = ObjectRef::new("", "Service", "shop", name);
    ///     let version = ObjectVersion { write: write.into(), content: 1 };
    ///     Written::new(Version::from_iter([(object.clone(), version)]), vec![object])
    /// };
    /// let both = wrote("web", "811").and(wrote("web", "812"));
    /// assert_eq!(&*both.version.objects()[0].1.write, "812", "what the next write depends on");
    /// assert_eq!(both.outcome(), Outcome::Changed);
    /// ```
    pub fn and(mut self, later: Self) -> Self {
        self.version = self.version.after(&later.version);
        self.changed.extend(later.changed);
        self
    }

    /// Converts the result of a write for [`Turn::done`](crate::Turn::done). The new versions go into `seen`, even
    /// those of a partial write: the next write of the same turn depends on them.
    ///
    /// # Errors
    /// The write failed; the error says what that means for the turn.
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

    /// Returns whether anything was changed.
    ///
    /// See [`and`](Self::and) for an example.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if self.changed.is_empty() { Outcome::Unchanged } else { Outcome::Changed }
    }
}
