use super::{
    CoreMesh, Delay, Watcher, World,
    mesh::Mesh,
    settings::{Kind, Settings},
};
use crate::{Spec, Time};
use core::time::Duration;

/// Builds a [`World`].
///
/// Without further words: two proxies that have a change after 200 ms, pods that are ready after 5 s and
/// end within 1 s, live reads, and a clock that is right.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct Sim {
    spec: Spec,
    settings: Settings,
}

impl Sim {
    /// A world in which the user's object has just been created.
    pub fn new(spec: Spec) -> Self {
        Self { spec, settings: Settings::default() }
    }

    /// How many proxies there are. Default 2.
    pub fn proxies(mut self, n: usize) -> Self {
        self.settings.proxies = n;
        self
    }

    /// How long a change takes to reach a proxy; each proxy and each object on its own, so that changes
    /// overtake each other. Default 200 ms.
    pub fn proxy_lag(mut self, lag: impl Into<Delay>) -> Self {
        self.settings.proxy_lag = lag.into();
        self
    }

    /// How long a new pod takes to become ready. Default 5 s.
    pub fn pods_ready_after(mut self, delay: impl Into<Delay>) -> Self {
        self.settings.pods_ready = delay.into();
        self
    }

    /// How long a pod goes on answering when it was told to end. Default 1 s.
    pub fn pods_end_after(mut self, delay: impl Into<Delay>) -> Self {
        self.settings.pods_end = delay.into();
        self
    }

    /// How long a workload's status lags behind a change of its pod count. Default not at all.
    pub fn counts_lag(mut self, lag: Duration) -> Self {
        self.settings.counts_lag = lag;
        self
    }

    /// How long the cache of one kind of object lags, at most two minutes. Default not at all.
    pub fn read_lag(mut self, kind: Kind, lag: Duration) -> Self {
        self.settings.read_lag.set(kind, super::delay::millis(lag.min(Duration::from_secs(120))));
        self
    }

    /// How long the answer to a write takes. Default no time.
    pub fn writes_take(mut self, time: Duration) -> Self {
        self.settings.writes_take = time;
        self
    }

    /// How long it takes until a process that died is replaced. Default 2 s.
    pub fn restart_takes(mut self, time: Duration) -> Self {
        self.settings.restart_takes = time;
        self
    }

    /// The data plane cannot be asked what it has: answers are `Unknown`. Default it can.
    pub fn data_plane_answers(mut self, answers: bool) -> Self {
        self.settings.data_plane_answers = answers;
        self
    }

    /// What everything that looks random comes from. Default 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// When the world begins. Default the start of 2026.
    pub fn start(mut self, at: Time) -> Self {
        self.settings.start = at;
        self
    }

    /// A world with the plainest traffic manager, where nobody watches.
    #[must_use]
    pub fn build(self) -> World<CoreMesh> {
        let mesh = if self.spec.strategy.routing().is_some() { CoreMesh::new() } else { CoreMesh::none() };
        self.build_with(mesh, ())
    }

    /// A world with a traffic manager and somebody who watches.
    #[must_use]
    pub fn build_with<M: Mesh, W: Watcher>(self, mesh: M, watcher: W) -> World<M, W> {
        World::new(self.spec, self.settings, mesh, watcher)
    }
}
