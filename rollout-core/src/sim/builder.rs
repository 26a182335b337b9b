use super::{
    CoreMesh, Delay, Watcher, World,
    mesh::Mesh,
    settings::{ReadKind, Settings},
};
use crate::{Spec, Time};
use core::time::Duration;

/// Builds a [`World`].
///
/// The defaults: two proxies that receive a change after 200 ms, pods that become ready after 5 s and end within 1 s,
/// live reads, and a correct clock.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct Sim {
    spec: Spec,
    settings: Settings,
}

impl Sim {
    /// Starts a world in which the user's object has just been created.
    pub fn new(spec: Spec) -> Self {
        Self { spec, settings: Settings::default() }
    }

    /// Sets the number of proxies. Default 2.
    pub fn proxies(mut self, n: usize) -> Self {
        self.settings.proxies = n;
        self
    }

    /// Sets how long a change takes to reach a proxy. Each proxy and each object has its own delay, so changes overtake
    /// each other. Default 200 ms.
    pub fn proxy_lag(mut self, lag: impl Into<Delay>) -> Self {
        self.settings.proxy_lag = lag.into();
        self
    }

    /// Sets how long a new pod takes to become ready. Default 5 s.
    pub fn pods_ready_after(mut self, delay: impl Into<Delay>) -> Self {
        self.settings.pods_ready = delay.into();
        self
    }

    /// Sets how long a pod must be ready before it counts as available (`minReadySeconds`). Default no time.
    pub fn min_ready(mut self, time: Duration) -> Self {
        self.settings.min_ready = time;
        self
    }

    /// Sets how long a terminating pod continues to answer. Default 1 s.
    pub fn pods_end_after(mut self, delay: impl Into<Delay>) -> Self {
        self.settings.pods_end = delay.into();
        self
    }

    /// Sets how long a workload's status lags behind a change of its pod count. Default no lag.
    pub fn counts_lag(mut self, lag: Duration) -> Self {
        self.settings.counts_lag = lag;
        self
    }

    /// Sets how long the cache of one kind of object lags, at most two minutes. Default no lag.
    pub fn read_lag(mut self, kind: ReadKind, lag: Duration) -> Self {
        self.settings.read_lag.set(kind, super::delay::millis(lag.min(Duration::from_secs(120))));
        self
    }

    /// Sets how long the answer to a write takes. Default no time.
    pub fn writes_take(mut self, time: Duration) -> Self {
        self.settings.writes_take = time;
        self
    }

    /// Sets how long it takes to replace a process that died. Default 2 s.
    pub fn restart_takes(mut self, time: Duration) -> Self {
        self.settings.restart_takes = time;
        self
    }

    /// Sets whether the data plane can be asked what it has; otherwise answers are `Unknown`. Default true.
    pub fn data_plane_answers(mut self, answers: bool) -> Self {
        self.settings.data_plane_answers = answers;
        self
    }

    /// Sets the seed of everything that looks random. Default 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// Sets the time at which the world starts. Default the start of 2026.
    pub fn start(mut self, at: Time) -> Self {
        self.settings.start = at;
        self
    }

    /// Builds a world with the simplest traffic manager and no watcher.
    #[must_use]
    pub fn build(self) -> World<CoreMesh> {
        let mesh = if self.spec.strategy.routing().is_some() { CoreMesh::new() } else { CoreMesh::none() };
        self.build_with(mesh, ())
    }

    /// Builds a world with a traffic manager and a watcher.
    #[must_use]
    pub fn build_with<M: Mesh, W: Watcher>(self, mesh: M, watcher: W) -> World<M, W> {
        World::new(self.spec, self.settings, mesh, watcher)
    }
}
