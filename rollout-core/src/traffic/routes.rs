use super::{ManagedRoute, Weight};
use crate::Revision;
use alloc::{sync::Arc, vec::Vec};
use serde::{Deserialize, Serialize};

/// The routes to write.
///
/// Values that are held back are not written: `Keep` leaves every object at its own value, even if objects disagree.
///
/// ```
/// use rollout_core::{Event, traffic::{ManagedChange, Routes, Weight, WeightChange}};
/// let to = |weight| Routes { weight, managed: ManagedChange::Keep, written_for: "v2".into() };
/// let routes = to(WeightChange::To(Weight::new(5, 100)));
/// assert_eq!(Event::Routed(routes).to_string(), "routed canary 5, stable 95");
/// ```
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
///
/// ```
/// use rollout_core::traffic::{Weight, WeightChange};
/// /// Returns the weights of stable and canary to write into a route that has these.
/// fn weights(written: (u32, u32), change: WeightChange) -> (u32, u32) {
///     match change {
///         WeightChange::Keep => written,
///         WeightChange::To(weight) => (weight.rest(), weight.parts()),
///     }
/// }
/// assert_eq!(weights((95, 5), WeightChange::To(Weight::new(20, 100))), (80, 20));
/// assert_eq!(weights((95, 5), WeightChange::Keep), (95, 5));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "a backend that cannot carry out a new kind must not compile")]
pub enum WeightChange {
    /// Leaves it unchanged in each object.
    Keep,
    /// Gives this weight to the canary and the rest to stable.
    To(Weight),
}

/// The change to the managed routes in every object.
///
/// ```
/// use rollout_core::{Event, traffic::{ManagedChange, Routes, WeightChange}};
/// let routed = |managed| {
///     Event::Routed(Routes { weight: WeightChange::Keep, managed, written_for: "v2".into() }).to_string()
/// };
/// assert_eq!(routed(ManagedChange::Keep), "routed", "nothing changes");
/// assert_eq!(routed(ManagedChange::Retain(vec![])), "routed without managed routes");
/// assert_eq!(routed(ManagedChange::Retain(vec!["beta".into()])), "routed managed routes: beta");
/// ```
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
