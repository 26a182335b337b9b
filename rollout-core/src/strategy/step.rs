use crate::traffic::ManagedRoute;
use alloc::sync::Arc;
use core::{fmt, time::Duration};
use serde::{Deserialize, Serialize};

/// One step of a canary.
///
/// Its text is Argo Rollouts', as events and the kubectl plugin show it:
///
/// ```
/// use rollout_core::{CanaryScale, Step};
/// assert_eq!(Step::SetWeight(5).to_string(), "setWeight: 5");
/// assert_eq!(Step::SetCanaryScale(CanaryScale::Replicas(3)).to_string(), "setCanaryScale{replicas: 3}");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Step {
    /// Give the canary this weight, out of [`Strategy::max_weight`](crate::Strategy::max_weight).
    SetWeight(u32),
    /// Wait: for a time, or for a person.
    Pause(Option<Duration>),
    /// Give the canary a number of pods of its own, until another such step or the end.
    SetCanaryScale(CanaryScale),
    /// Send the requests with certain headers to the canary; without `route`, stop that.
    SetHeaderRoute {
        /// The managed route's name.
        name: Arc<str>,
        /// What is routed; `None` removes the route.
        route: Option<Arc<ManagedRoute>>,
    },
    /// Copy certain requests to the canary; without `route`, stop that.
    SetMirrorRoute {
        /// The managed route's name.
        name: Arc<str>,
        /// What is mirrored; `None` removes the route.
        route: Option<Arc<ManagedRoute>>,
    },
}

/// How many pods a canary gets (`setCanaryScale`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "the language has these three kinds")]
pub enum CanaryScale {
    /// This many, also more than `spec.replicas`.
    Replicas(u32),
    /// This share of `spec.replicas`, in per cent, rounded up.
    Weight(u32),
    /// What the weight needs, again.
    MatchTrafficWeight,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetWeight(weight) => write!(f, "setWeight: {weight}"),
            Self::Pause(None) => f.write_str("pause"),
            Self::Pause(Some(time)) if time.subsec_nanos() == 0 => write!(f, "pause: {}s", time.as_secs()),
            Self::Pause(Some(time)) => write!(f, "pause: {}ms", time.as_millis()),
            Self::SetCanaryScale(CanaryScale::Replicas(pods)) => {
                write!(f, "setCanaryScale{{replicas: {pods}}}")
            }
            Self::SetCanaryScale(CanaryScale::Weight(weight)) => {
                write!(f, "setCanaryScale{{weight: {weight}}}")
            }
            Self::SetCanaryScale(CanaryScale::MatchTrafficWeight) => {
                f.write_str("setCanaryScale{matchTrafficWeight: true}")
            }
            Self::SetHeaderRoute { name, .. } => write!(f, "setHeaderRoute: {name}"),
            Self::SetMirrorRoute { name, .. } => write!(f, "setMirrorRoute: {name}"),
        }
    }
}
