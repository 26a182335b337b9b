//! The identity of a pod template.

use alloc::{string::String, sync::Arc};
use core::{
    borrow::Borrow,
    fmt,
    hash::{Hash, Hasher},
};
use serde::{Deserialize, Serialize};

/// A revision of the pods: the hash of their template, as in the label `rollouts-pod-template-hash`.
///
/// The engine only compares revisions, so any text that is unique to a template will do. Cloning is cheap.
///
/// ```
/// use rollout_core::Revision;
/// let v1 = Revision::from("5d96bf8bbd");
/// assert_eq!(v1.as_str(), "5d96bf8bbd");
/// assert_ne!(v1, Revision::from("f44c7c68f"));
/// ```
#[derive(Clone, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Revision(Arc<str>);

impl PartialEq for Revision {
    /// A decision mostly compares a revision with its own copies: then the texts need not be read.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Hash for Revision {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl Revision {
    /// Returns the hash as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Revision {
    fn from(hash: &str) -> Self {
        Self(hash.into())
    }
}

impl From<String> for Revision {
    fn from(hash: String) -> Self {
        Self(hash.into())
    }
}

impl Borrow<str> for Revision {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
