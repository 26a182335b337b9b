use super::Analysis;
use crate::traffic::ManagedRoute;
use alloc::sync::Arc;
use core::{fmt, time::Duration};
use serde::{Deserialize, Serialize};

/// One step of a canary.
///
/// Its text is the one that Argo Rollouts shows in events and in the kubectl plugin:
///
/// ```
/// use rollout_core::{CanaryScale, Step};
/// assert_eq!(Step::SetWeight(5).to_string(), "setWeight: 5");
/// assert_eq!(Step::SetCanaryScale(CanaryScale::Replicas(3)).to_string(), "setCanaryScale{replicas: 3}");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Step {
    /// Give the canary this weight, out of [`Strategy::max_weight`](crate::Strategy::max_weight).
    SetWeight(u32),
    /// Wait for a time, or until an operator promotes.
    Pause(Option<Duration>),
    /// Give the canary its own number of pods, until another such step or the end.
    SetCanaryScale(CanaryScale),
    /// Wait until an analysis is successful; a bad one aborts the update.
    Analysis(Arc<Analysis>),
    /// Send requests with certain headers to the canary; without `route`, stop doing so.
    SetHeaderRoute {
        /// The managed route's name.
        name: Arc<str>,
        /// The route; `None` removes it.
        route: Option<Arc<ManagedRoute>>,
    },
    /// Mirror certain requests to the canary; without `route`, stop doing so.
    SetMirrorRoute {
        /// The managed route's name.
        name: Arc<str>,
        /// The route; `None` removes it.
        route: Option<Arc<ManagedRoute>>,
    },
}

/// The number of pods of a canary (`setCanaryScale`).
///
/// ```
/// use rollout_core::{CanaryScale, Spec, Status, Step, Strategy, conformance::goal};
/// # let mut status = Status::default();
/// # (status.stable, status.canary) = (Some("v1".into()), Some("v2".into()));
/// let pods = |scale| {
///     let strategy = Strategy::builder().traffic_routing(true).step(Step::SetCanaryScale(scale)).build()?;
///     Ok::<_, rollout_core::InvalidStrategy>(goal(&Spec::new(strategy, "v2".into()).replicas(10), &status).canary)
/// };
/// assert_eq!(pods(CanaryScale::Replicas(12))?, 12);
/// assert_eq!(pods(CanaryScale::Weight(25))?, 3);
/// assert_eq!(pods(CanaryScale::MatchTrafficWeight)?, 0, "no weight yet");
/// # Ok::<(), rollout_core::InvalidStrategy>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(clippy::exhaustive_enums, reason = "manifests have exactly these three kinds")]
pub enum CanaryScale {
    /// This number of pods, which may exceed `spec.replicas`.
    Replicas(u32),
    /// This percentage of `spec.replicas`, rounded up.
    Weight(u32),
    /// As many pods as the weight needs, as without this step.
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
            Self::Analysis(_) => f.write_str("analysis"),
            Self::SetHeaderRoute { name, .. } => write!(f, "setHeaderRoute: {name}"),
            Self::SetMirrorRoute { name, .. } => write!(f, "setMirrorRoute: {name}"),
        }
    }
}
