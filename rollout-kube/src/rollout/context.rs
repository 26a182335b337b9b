use super::{abandoned::Release, publish::Publisher, traffic::Factory};
use crate::{cache::Caches, control_plane::DataPlanes};
use rollout_core::Time;
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

    /// Returns whether a Rollout with this label value belongs to this controller.
    pub(crate) fn is_mine(&self, label: Option<&str>) -> bool {
        label.filter(|label| !label.is_empty()) == self.instance.as_deref()
    }
}
