use super::Written;
use crate::{Failure, Finding, traffic::ObjectRef};
use alloc::string::{String, ToString};

/// The reason why a store operation failed.
///
/// ```
/// use rollout_core::{Failure, backend::{BackendError, StoreError}, traffic::ObjectRef};
/// let object = ObjectRef::new("", "Service", "shop", "web");
/// let no_answer = StoreError::Ambiguous { object, why: "timeout".into() };
/// assert_eq!(no_answer.to_string(), "Service shop/web: timeout (it may have taken effect)");
/// assert!(matches!(Failure::from(&BackendError::from(no_answer)), Failure::Ambiguous(_)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The object does not exist.
    #[error("{0} not found")]
    NotFound(ObjectRef),
    /// The object has changed since it was read. This is not a failure: read again and decide again.
    #[error("{0} has changed since it was read")]
    Conflict(ObjectRef),
    /// An object of this name exists already, so it cannot be created with any version.
    #[error("{0} exists already")]
    AlreadyExists(ObjectRef),
    /// The object could not be read. Nothing changed, and nothing is known about it.
    #[error("{object} could not be read: {why}")]
    Unreadable {
        /// The object.
        object: ObjectRef,
        /// What was returned instead of the object.
        why: String,
    },
    /// The store refused the operation, and nothing changed.
    #[error("{object}: {why}")]
    Refused {
        /// The object.
        object: ObjectRef,
        /// The store's own message.
        why: String,
    },
    /// There was no usable answer: a write may have taken effect.
    #[error("{object}: {why} (it may have taken effect)")]
    Ambiguous {
        /// The object.
        object: ObjectRef,
        /// What was returned instead of an answer.
        why: String,
    },
}

impl StoreError {
    /// Converts the error of a write to one of the rollout's own objects, such as a workload or a status. An object
    /// that is gone is a new situation, like one that has changed: observe again.
    ///
    /// For a write to traffic objects, use [`Written::chain`]: there, a missing object is for the user to fix.
    ///
    /// ```
    /// use rollout_core::{Failure, backend::StoreError, traffic::ObjectRef};
    /// let object = ObjectRef::new("apps", "ReplicaSet", "shop", "web-v1");
    /// assert_eq!(StoreError::NotFound(object.clone()).into_failure(), Failure::Conflict);
    /// let refused = StoreError::Refused { object, why: "quota exceeded".into() };
    /// assert_eq!(refused.into_failure(), Failure::Refused("ReplicaSet shop/web-v1: quota exceeded".into()));
    /// ```
    #[must_use]
    pub fn into_failure(self) -> Failure {
        if matches!(self, Self::NotFound(_)) {
            return Failure::Conflict;
        }
        Failure::from(&BackendError::from(self))
    }
}

/// An object that cannot be read or edited, and the reason.
///
/// ```
/// use rollout_core::{Finding, backend::EditError, traffic::ObjectRef};
/// let object = ObjectRef::new("", "Service", "shop", "web");
/// let error = EditError::new(object, Finding::error("spec.selector", "is not a map", "write a map of labels"));
/// assert_eq!(error.to_string(), "Service shop/web: spec.selector: is not a map; write a map of labels");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{object}: {finding}")]
#[non_exhaustive]
pub struct EditError {
    /// The object.
    pub object: ObjectRef,
    /// The path in it, what is wrong, and what to write instead.
    pub finding: Finding,
    /// Whether the object is in another namespace and does not allow the Rollout's namespace to touch it. Then nothing
    /// else is reported about it.
    pub lacks_consent: bool,
}

impl EditError {
    /// Creates an error about an object.
    #[must_use]
    pub fn new(object: ObjectRef, finding: Finding) -> Self {
        Self { object, finding, lacks_consent: false }
    }

    /// Creates an error about an object in another namespace that does not allow the Rollout's namespace to touch it.
    ///
    /// ```
    /// use rollout_core::{Finding, backend::EditError, traffic::ObjectRef};
    /// let object = ObjectRef::new("networking.istio.io", "VirtualService", "gateways", "gw");
    /// let finding = Finding::error("metadata.annotations", "does not allow the namespace shop", "list it");
    /// assert!(EditError::no_consent(object, finding).lacks_consent);
    /// ```
    #[must_use]
    pub fn no_consent(object: ObjectRef, finding: Finding) -> Self {
        Self { lacks_consent: true, ..Self::new(object, finding) }
    }
}

/// The reason why a backend operation failed.
///
/// ```
/// use rollout_core::{Failure, backend::{BackendError, StoreError}, traffic::ObjectRef};
/// let object = ObjectRef::new("", "Service", "shop", "web");
/// let error = BackendError::from(StoreError::Conflict(object));
/// assert_eq!(error.to_string(), "Service shop/web has changed since it was read");
/// assert_eq!(Failure::from(&error), Failure::Conflict);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// An object cannot be read or edited in its current state.
    #[error("{error}")]
    Edit {
        /// The error.
        error: EditError,
        /// What had been written earlier in the same call.
        written: Written,
    },
    /// The store operation failed.
    #[error("{error}")]
    Store {
        /// The error of the store.
        error: StoreError,
        /// What had been written earlier in the same call.
        written: Written,
    },
}

impl BackendError {
    /// Returns what had been written earlier in the same call.
    ///
    /// See [`Written::chain`] for an example.
    pub fn written(&self) -> &Written {
        match self {
            Self::Edit { written, .. } | Self::Store { written, .. } => written,
        }
    }
}

impl From<EditError> for BackendError {
    fn from(error: EditError) -> Self {
        Self::Edit { error, written: Written::default() }
    }
}

impl From<StoreError> for BackendError {
    fn from(error: StoreError) -> Self {
        Self::Store { error, written: Written::default() }
    }
}

/// The failure that a driver reports to its turn.
///
/// A conflict after a partial write is still a conflict: the next turn sees what was written.
impl From<&BackendError> for Failure {
    fn from(failed: &BackendError) -> Self {
        match failed {
            BackendError::Store { error: StoreError::Conflict(_), .. } => Self::Conflict,
            BackendError::Store { error: StoreError::Ambiguous { .. }, .. } => {
                Self::Ambiguous(failed.to_string())
            }
            BackendError::Store { .. } | BackendError::Edit { .. } => Self::Refused(failed.to_string()),
        }
    }
}
