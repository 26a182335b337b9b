use super::{ManagedRoute, Weight};
use crate::Revision;
use alloc::{sync::Arc, vec::Vec};
use serde::{Deserialize, Serialize};

/// The routes to write.
///
/// What is held is not written: `Keep` leaves every object at its own value, also where objects disagree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a backend that cannot carry out a new field must not compile")]
pub struct Routes {
    /// The canary's weight.
    pub weight: WeightChange,
    /// The managed routes.
    pub managed: ManagedChange,
    /// The revision for which this is written: recorded in each object that is changed and afterwards has
    /// weight or a managed route, and whose weight is not kept.
    pub written_for: Revision,
}

/// The canary's weight in every weighed route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "a backend that cannot carry out a new kind must not compile")]
pub enum WeightChange {
    /// As it is, in each object.
    Keep,
    /// This goes to the canary, the rest to stable.
    To(Weight),
}

/// The managed routes in every object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "a backend that cannot carry out a new kind must not compile")]
pub enum ManagedChange {
    /// As they are, in each object.
    Keep,
    /// Only take away: of those that an object has, these names stay as they are, the others go.
    Retain(Vec<Arc<str>>),
    /// Exactly these, in this order, in front of the user's own routes.
    To(Vec<Arc<ManagedRoute>>),
}
