use super::Delay;
use crate::Time;
use core::time::Duration;

/// A kind of object that a process reads, each through its own cache.
///
/// See [`Sim::read_lag`](super::Sim::read_lag) for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum ReadKind {
    /// The user's object: spec and status.
    Rollout,
    /// The workloads: pod counts and their status.
    Workloads,
    /// The traffic objects that hold routes.
    Routes,
    /// The traffic objects that hold selectors.
    Selectors,
}

impl ReadKind {
    /// All kinds.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::sim::ReadKind;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// # let mut world = Sim::new(spec).build();
    /// # world.run_to_rest(Duration::from_secs(60))?;
    /// for kind in ReadKind::ALL {
    ///     world.read_lag(kind, Duration::from_secs(5));
    /// }
    /// world.update_to("v2");
    /// assert!(world.run_to_rest(Duration::from_secs(600))?);
    /// assert_eq!(world.summary().requests.unserved, 0);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub const ALL: [Self; 4] = [Self::Rollout, Self::Workloads, Self::Routes, Self::Selectors];
}

/// One value for each [`ReadKind`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct PerKind<T>([T; 4]);

impl<T: Copy> PerKind<T> {
    pub(super) fn all(value: T) -> Self {
        Self([value; 4])
    }

    pub(super) fn get(&self, kind: ReadKind) -> T {
        let [rollout, workloads, routes, selectors] = self.0;
        match kind {
            ReadKind::Rollout => rollout,
            ReadKind::Workloads => workloads,
            ReadKind::Routes => routes,
            ReadKind::Selectors => selectors,
        }
    }

    pub(super) fn set(&mut self, kind: ReadKind, value: T) {
        let [rollout, workloads, routes, selectors] = &mut self.0;
        *match kind {
            ReadKind::Rollout => rollout,
            ReadKind::Workloads => workloads,
            ReadKind::Routes => routes,
            ReadKind::Selectors => selectors,
        } = value;
    }
}

/// The behaviour of the world without faults.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) start: Time,
    pub(super) seed: u64,
    pub(super) proxies: usize,
    pub(super) proxy_lag: Delay,
    pub(super) pods_ready: Delay,
    pub(super) min_ready: Duration,
    pub(super) pods_end: Delay,
    pub(super) counts_lag: Duration,
    pub(super) read_lag: PerKind<i64>,
    pub(super) reads_fail: PerKind<bool>,
    pub(super) writes_take: Duration,
    pub(super) restart_takes: Duration,
    pub(super) clock_offset: i64,
    pub(super) data_plane_answers: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            // 2026-01-01T00:00:00Z: any time that is easy to read.
            start: Time::from_secs(1_767_225_600),
            seed: 0,
            proxies: 2,
            proxy_lag: Delay::from(Duration::from_millis(200)),
            pods_ready: Delay::from(Duration::from_secs(5)),
            min_ready: Duration::ZERO,
            pods_end: Delay::from(Duration::from_secs(1)),
            counts_lag: Duration::ZERO,
            read_lag: PerKind::all(0),
            reads_fail: PerKind::all(false),
            writes_take: Duration::ZERO,
            restart_takes: Duration::from_secs(2),
            clock_offset: 0,
            data_plane_answers: true,
        }
    }
}
