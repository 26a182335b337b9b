//! The user's desired state.

use crate::{
    Revision, Strategy,
    fleet::Policy,
    pace::{GradualAbort, Windows},
};
use alloc::sync::Arc;
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// The user's desired state: the strategy, the revision, and the number of pods.
///
/// ```
/// use rollout_core::{Spec, Strategy};
/// let strategy = Strategy::builder().build()?;
/// let spec = Spec::new(strategy, "v1".into()).replicas(4);
/// assert_eq!(spec.progress_deadline.as_secs(), 600);
/// # Ok::<(), rollout_core::InvalidStrategy>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Spec {
    /// The canary strategy.
    pub strategy: Strategy,
    /// The revision of the current pod template.
    pub target: Revision,
    /// The number of pods of a revision that carries all traffic. Default 1.
    pub replicas: u32,
    /// Whether the user paused the rollout.
    pub paused: bool,
    /// How long pods may make no progress before they count as late. Default 600 s.
    pub progress_deadline: Duration,
    /// Whether the update is then aborted. Default no.
    pub progress_deadline_abort: bool,
    /// How many old revisions without pods are kept for rollbacks. Default 10.
    pub revision_history_limit: u32,
    /// How many revisions back a rollback skips the steps. Default 0: a rollback runs them, except back to stable.
    #[serde(default)]
    pub rollback_window: u32,
    /// When steps may begin. Default: always.
    #[serde(default)]
    pub windows: Windows,
    /// Whether an abort takes the traffic from the canary in several falls, and how fast. Default: at once. It needs a
    /// traffic manager.
    #[serde(default)]
    pub gradual_abort: Option<GradualAbort>,
    /// How many finished runs of analyses are kept: those that were successful, and the others. Default 5 each.
    #[serde(default = "runs_kept")]
    pub runs_kept: (u32, u32),
    /// How several clusters release together. Default: this cluster is alone.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "policy")]
    pub fleet: Option<Arc<Policy>>,
}

/// The serde form of a policy, which is shared.
mod policy {
    use super::{Arc, Policy};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde requires this signature")]
    pub(super) fn serialize<S: Serializer>(policy: &Option<Arc<Policy>>, to: S) -> Result<S::Ok, S::Error> {
        policy.as_deref().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Arc<Policy>>, D::Error> {
        Ok(Option::<Policy>::deserialize(from)?.map(Arc::new))
    }
}

fn runs_kept() -> (u32, u32) {
    (5, 5)
}

impl Spec {
    /// Creates a spec with one replica, not paused, and Argo Rollouts' defaults.
    ///
    /// ```
    /// use rollout_core::{Spec, Strategy};
    /// let mut spec = Spec::new(Strategy::builder().build()?, "v1".into());
    /// assert_eq!((spec.replicas, spec.revision_history_limit), (1, 10));
    /// spec.progress_deadline_abort = true; // The fields are public: set what differs.
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    #[must_use]
    pub fn new(strategy: Strategy, target: Revision) -> Self {
        Self {
            strategy,
            target,
            replicas: 1,
            paused: false,
            progress_deadline: Duration::from_secs(600),
            progress_deadline_abort: false,
            revision_history_limit: 10,
            rollback_window: 0,
            windows: Windows::always(),
            gradual_abort: None,
            runs_kept: runs_kept(),
            fleet: None,
        }
    }

    /// Sets the number of pods that carry all traffic.
    ///
    /// ```
    /// use rollout_core::{Spec, Strategy};
    /// let spec = Spec::new(Strategy::builder().build()?, "v1".into()).replicas(0);
    /// assert_eq!(spec.replicas, 0, "the user scales everything to 0");
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    #[must_use]
    pub fn replicas(mut self, pods: u32) -> Self {
        self.replicas = pods;
        self
    }
}
