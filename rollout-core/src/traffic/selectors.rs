use super::ByDestination;
use crate::Revision;
use core::fmt;
use serde::{Deserialize, Serialize};

/// The pods behind a destination.
///
/// ```
/// use rollout_core::traffic::Selection;
/// assert!(!Selection::Unpinned.is(&"v1".into()), "it may match the pods of any revision");
/// assert_eq!(Selection::Unpinned.to_string(), "the user's own selector");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "a driver that cannot carry out a new kind must not compile")]
pub enum Selection {
    /// Whatever the user's own selector matches, without a revision.
    Unpinned,
    /// The pods of one revision.
    Revision(Revision),
}

impl Selection {
    /// Returns the revision, if the selection names one.
    ///
    /// ```
    /// use rollout_core::{Revision, traffic::Selection};
    /// assert_eq!(Selection::from(Revision::from("v2")).revision().map(Revision::as_str), Some("v2"));
    /// assert_eq!(Selection::Unpinned.revision(), None);
    /// ```
    #[must_use]
    pub fn revision(&self) -> Option<&Revision> {
        match self {
            Self::Unpinned => None,
            Self::Revision(revision) => Some(revision),
        }
    }

    /// Returns whether exactly this revision is behind the destination.
    ///
    /// ```
    /// use rollout_core::{Revision, traffic::Selection};
    /// let behind = Selection::from(Revision::from("v2"));
    /// assert!(behind.is(&"v2".into()) && !behind.is(&"v1".into()));
    /// ```
    #[must_use]
    pub fn is(&self, revision: &Revision) -> bool {
        self.revision() == Some(revision)
    }
}

impl From<Revision> for Selection {
    fn from(revision: Revision) -> Self {
        Self::Revision(revision)
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unpinned => f.write_str("the user's own selector"),
            Self::Revision(revision) => write!(f, "{revision}"),
        }
    }
}

/// The selectors to write; `None` leaves a destination unchanged in every object.
///
/// ```
/// use rollout_core::{Event, Revision, traffic::Selectors};
/// let selectors = Selectors { stable: None, canary: Some(Revision::from("v2").into()) };
/// assert_eq!(Event::Selected(selectors).to_string(), "selected canary → v2");
/// ```
pub type Selectors = ByDestination<Option<Selection>>;
