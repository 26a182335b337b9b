use super::{ManagedRoute, Weight};
use crate::Revision;
use alloc::{sync::Arc, vec::Vec};
use serde::{Deserialize, Serialize};

/// The routes to write.
///
/// Values that are held back are not written: `Keep` leaves every object at its own value, even if objects disagree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a backend that cannot carry out a new field must not compile")]
pub struct Routes {
    /// The canary's weight.
    pub weight: WeightChange,
    /// The managed routes.
    pub managed: ManagedChange,
    /// The revision that these routes serve: recorded in each changed object that has weight or a managed route
    /// afterwards and whose weight is not kept.
    pub written_for: Revision,
}

/// The change to the canary's weight in every weighed route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "a backend that cannot carry out a new kind must not compile")]
pub enum WeightChange {
    /// Leaves it unchanged in each object.
    Keep,
    /// Gives this weight to the canary and the rest to stable.
    To(Weight),
}

/// The change to the managed routes in every object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "a backend that cannot carry out a new kind must not compile")]
pub enum ManagedChange {
    /// Leaves them unchanged in each object.
    Keep,
    /// Only removes: of an object's managed routes, these stay unchanged and the others go.
    Retain(Vec<Arc<str>>),
    /// Sets exactly these, in this order, in front of the user's own routes.
    To(Vec<Arc<ManagedRoute>>),
}
