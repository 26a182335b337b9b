use super::{abandoned::Release, publish::Publisher, traffic::Factory};
use crate::{cache::Caches, control_plane::DataPlanes};
use rollout_core::Time;
use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// What all rollouts share.
pub(crate) struct Context {
    pub(crate) caches: Arc<Caches>,
    pub(crate) publisher: Publisher,
    pub(crate) factory: Factory,
    pub(crate) data_planes: DataPlanes,
    /// Only Rollouts with this label value are worked on; only those without the label when there is none.
    pub(crate) instance: Option<String>,
    /// Decide and say, write nothing.
    pub(crate) dry_run: bool,
    /// In which kinds what a Rollout left behind is taken out.
    pub(crate) releases: Vec<Release>,
    /// No other process has this name.
    pub(crate) process: String,
    pub(crate) clock: Clock,
}

/// Says what time it is.
pub(crate) type Clock = Arc<dyn Fn() -> Time + Send + Sync>;

/// What the machine's clock says.
pub(crate) fn wall_clock() -> Time {
    Time::from_unix(SystemTime::now().duration_since(UNIX_EPOCH).map_err(|before| before.duration()))
}

/// The label that says which controller a Rollout belongs to.
pub(crate) const INSTANCE: &str = "argo-rollouts.argoproj.io/controller-instance-id";

impl Context {
    pub(crate) fn now(&self) -> Time {
        (self.clock)()
    }

    /// Whether a Rollout with this label value is for this controller.
    pub(crate) fn is_mine(&self, label: Option<&str>) -> bool {
        label.filter(|label| !label.is_empty()) == self.instance.as_deref()
    }
}
