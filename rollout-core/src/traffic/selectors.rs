use super::ByDestination;
use crate::Revision;
use core::fmt;
use serde::{Deserialize, Serialize};

/// The pods behind a destination.
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
    #[must_use]
    pub fn revision(&self) -> Option<&Revision> {
        match self {
            Self::Unpinned => None,
            Self::Revision(revision) => Some(revision),
        }
    }

    /// Returns whether exactly this revision is behind the destination.
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
pub type Selectors = ByDestination<Option<Selection>>;
