//! What the user wants now.

use crate::{Revision, Strategy};
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// What the user wants now: the strategy, the revision, and how many pods.
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
    /// How to get there.
    pub strategy: Strategy,
    /// The revision of the template as it stands.
    pub target: Revision,
    /// Pods of a revision that carries all traffic. Default 1.
    pub replicas: u32,
    /// Whether the user stopped the rollout where it is.
    pub paused: bool,
    /// How long pods may make no progress before that is said. Default 600 s.
    pub progress_deadline: Duration,
    /// Whether the update is aborted then. Default no.
    pub progress_deadline_abort: bool,
    /// How many old revisions are kept, without pods, to go back to. Default 10.
    pub revision_history_limit: u32,
}

impl Spec {
    /// One replica, nothing paused, Argo Rollouts' defaults.
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
        }
    }

    /// Sets how many pods carry all traffic.
    #[must_use]
    pub fn replicas(mut self, pods: u32) -> Self {
        self.replicas = pods;
        self
    }
}
