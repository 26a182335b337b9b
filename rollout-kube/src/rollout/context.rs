use super::{abandoned::Release, memory::Key, publish::Publisher, traffic::Factory};
use crate::{cache::Caches, clusters::KnownClusters, control_plane::DataPlanes};
use rollout_core::{Spec, Time, fleet::Peers};
use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// The state that all rollouts share.
pub(crate) struct Context {
    pub(crate) caches: Arc<Caches>,
    pub(crate) publisher: Publisher,
    pub(crate) factory: Factory,
    pub(crate) data_planes: DataPlanes,
    /// The other clusters; if `None`, a Rollout that is released with them is refused.
    pub(crate) clusters: Option<Arc<KnownClusters>>,
    /// Only Rollouts with this label value are handled; if `None`, only those without the label.
    pub(crate) instance: Option<String>,
    /// Whether to decide and log, but write nothing.
    pub(crate) dry_run: bool,
    /// Whether this controller runs AnalysisRuns. If not, a Rollout with an analysis is refused.
    pub(crate) runs_analyses: bool,
    /// How to release objects, by kind.
    pub(crate) releases: Vec<Release>,
    /// The unique name of this process.
    pub(crate) process: String,
    pub(crate) clock: Clock,
}

/// A clock.
pub(crate) type Clock = Arc<dyn Fn() -> Time + Send + Sync>;

/// Returns the time of the system clock.
pub(crate) fn wall_clock() -> Time {
    Time::from_unix(SystemTime::now().duration_since(UNIX_EPOCH).map_err(|before| before.duration()))
}

/// The label that says which controller a Rollout belongs to.
pub(crate) const INSTANCE: &str = "argo-rollouts.argoproj.io/controller-instance-id";

impl Context {
    pub(crate) fn now(&self) -> Time {
        (self.clock)()
    }

    /// Returns how far the Rollout of this name is in the other clusters; `None` if it is released alone, or while it is
    /// too early to tell.
    pub(super) fn peers(&self, key: &Key, spec: &Spec) -> Option<Peers> {
        let Some(policy) = &spec.fleet else {
            self.forget_in_clusters(key);
            return None;
        };
        self.clusters.as_ref()?.readings(key, policy)
    }

    /// Wakes a Rollout no more when those of other clusters change.
    pub(super) fn forget_in_clusters(&self, key: &Key) {
        if let Some(clusters) = &self.clusters {
            clusters.forget(key);
        }
    }

    /// Returns whether a Rollout with this label value belongs to this controller.
    pub(crate) fn is_mine(&self, label: Option<&str>) -> bool {
        label.filter(|label| !label.is_empty()) == self.instance.as_deref()
    }
}
