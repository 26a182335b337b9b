//! Individual rules of the engine as functions, for test vectors and benchmarks that compare them with Argo Rollouts.
//!
//! A controller needs none of them: [`reconcile`](crate::reconcile()) applies them all, and its [`Plan`](crate::Plan)
//! contains the outcome.
//!
//! ```
//! use rollout_core::{IntOrPercent, conformance::Fenceposts};
//! let posts = Fenceposts::resolve(10, IntOrPercent::Percent(25), IntOrPercent::Percent(25));
//! assert_eq!((posts.surge, posts.unavailable), (3, 2), "one rounded up, the other down, as Argo Rollouts does");
//! ```

#[cfg(feature = "argo")]
pub use crate::argo::{
    check::refused_by_argo_rollouts,
    duration::{InvalidDuration, pause_seconds},
    goal_of::goal_of,
    phase::{Phase, phase, phase_for_clients},
    pods::{fenceposts, int_or_percent},
};
pub use crate::{
    goal::{Goal, at as goal},
    strategy::Fenceposts,
};
