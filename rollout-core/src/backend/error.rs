use super::Written;
use crate::{Failure, Finding, traffic::ObjectRef};
use alloc::string::{String, ToString};

/// Why a store did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no such object.
    #[error("{0} not found")]
    NotFound(ObjectRef),
    /// It has changed since it was read. Not a failure: read again and decide again.
    #[error("{0} has changed since it was read")]
    Conflict(ObjectRef),
    /// It was to be made, and there is one of this name: no other version of it will do.
    #[error("{0} exists already")]
    AlreadyExists(ObjectRef),
    /// It could not be read. Nothing changed, and nothing is known about it.
    #[error("{object} could not be read: {why}")]
    Unreadable {
        /// Which object.
        object: ObjectRef,
        /// What came instead of an answer.
        why: String,
    },
    /// The store says no, and nothing changed.
    #[error("{object}: {why}")]
    Refused {
        /// Which object.
        object: ObjectRef,
        /// The store's own words.
        why: String,
    },
    /// No answer, or one that makes no sense: a write may have taken effect.
    #[error("{object}: {why} (it may have taken effect)")]
    Ambiguous {
        /// Which object.
        object: ObjectRef,
        /// What came instead of an answer.
        why: String,
    },
}

impl StoreError {
    /// What it means for a turn that a write to an object of one's own, such as a workload or a status, came to this. An
    /// object that is gone is a new situation, like one that has changed: observe again.
    ///
    /// For a write to the traffic, take [`Written::chain`]: there, an object that is gone is the user's to mend.
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

/// An object that cannot be read or edited, and what is wrong with it.
///
/// ```
/// use rollout_core::{Finding, backend::EditError, traffic::ObjectRef};
/// let object = ObjectRef::new("", "Service", "shop", "web");
/// let error = EditError::new(object, Finding::error("spec.selector", "is no map", "write a map of labels"));
/// assert_eq!(error.to_string(), "Service shop/web: spec.selector: is no map; write a map of labels");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{object}: {finding}")]
#[non_exhaustive]
pub struct EditError {
    /// Which object.
    pub object: ObjectRef,
    /// Where in it, what is wrong, and what to write instead.
    pub finding: Finding,
    /// Whether the object lies in another namespace and does not allow the Rollout's to touch it. Then nothing
    /// else is said of it.
    pub lacks_consent: bool,
}

impl EditError {
    /// Something is wrong in an object.
    #[must_use]
    pub fn new(object: ObjectRef, finding: Finding) -> Self {
        Self { object, finding, lacks_consent: false }
    }

    /// The object lies in another namespace and does not allow the Rollout's to touch it.
    #[must_use]
    pub fn no_consent(object: ObjectRef, finding: Finding) -> Self {
        Self { lacks_consent: true, ..Self::new(object, finding) }
    }
}

/// Why a backend did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// An object cannot be read or edited as it stands.
    #[error("{error}")]
    Edit {
        /// What is wrong with it.
        error: EditError,
        /// What had been written before, in the same call.
        written: Written,
    },
    /// The store did not do it.
    #[error("{error}")]
    Store {
        /// What the store said.
        error: StoreError,
        /// What had been written before, in the same call.
        written: Written,
    },
}

impl BackendError {
    /// What had been written before it, in the same call.
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

/// What a driver tells its turn.
///
/// A conflict after a half-way write is still a conflict: the next turn sees what got through.
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
