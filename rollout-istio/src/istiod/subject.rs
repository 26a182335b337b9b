//! The subjects of queries.

use rollout_core::{
    Revision,
    traffic::{ObjectRef, ObjectVersion},
};
use std::{collections::BTreeSet, fmt};

/// A subject that a rollout asks about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    Object(ObjectRef),
    Endpoints { namespace: String, revision: Revision },
}

/// The state of a subject that every proxy should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    Object(ObjectVersion),
    Endpoints(BTreeSet<String>),
}

impl Subject {
    pub(super) fn namespace(&self) -> &str {
        match self {
            Self::Object(name) => &name.namespace,
            Self::Endpoints { namespace, .. } => namespace,
        }
    }
}

impl State {
    /// Returns whether two states are the same to a proxy, which sees no annotations.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Object(one), Self::Object(other)) => one.content == other.content,
            (one, other) => one == other,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(name) => write!(f, "{name}"),
            Self::Endpoints { revision, .. } => write!(f, "the endpoints of {revision}"),
        }
    }
}
