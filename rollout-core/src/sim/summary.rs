use super::{UnservedRequests, Watcher, mesh::Mesh, world::World};
use crate::Health;
use core::{fmt, time::Duration};

/// Counts since the world started.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) decisions: u64,
    pub(super) stores: u64,
    pub(super) fences: u64,
    pub(super) workload_writes: u64,
    pub(super) selects: u64,
    pub(super) routes: u64,
    pub(super) prunes: u64,
    pub(super) deliveries: u64,
    pub(super) commands: u64,
    pub(super) crashes: u64,
    pub(super) events: usize,
    pub(super) workloads: u64,
}

/// The figures of a run, from [`World::summary`].
///
/// ```
/// use core::time::Duration;
/// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
/// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
/// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
/// # let mut world = Sim::new(spec).build();
/// # world.run_to_rest(Duration::from_secs(60))?;
/// world.restart_summary();
/// world.update_to("v2");
/// assert!(world.run_to_rest(Duration::from_secs(600))?);
/// let summary = world.summary().to_string();
/// assert!(summary.starts_with("healthy and at rest, "), "{summary}");
/// assert!(summary.ends_with(", 0 of 1000 requests met no ready pod"), "{summary}");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// The duration since the world started, or since [`World::restart_summary`].
    pub took: Duration,
    /// Number of decisions.
    pub decisions: u64,
    /// Number of writes of the status.
    pub stores: u64,
    /// Number of nonces written, each to all objects.
    pub fences: u64,
    /// Number of writes of pod counts and scale-down deadlines.
    pub workload_writes: u64,
    /// Number of writes of selectors.
    pub selects: u64,
    /// Number of writes of routes.
    pub routes: u64,
    /// Number of revisions deleted.
    pub prunes: u64,
    /// Number of objects and endpoints delivered to proxies.
    pub deliveries: u64,
    /// Number of operator commands.
    pub commands: u64,
    /// Number of processes that died.
    pub crashes: u64,
    /// Requests that reached no ready pod, from the time when all proxies first found one.
    pub requests: UnservedRequests,
    /// The health of the rollout.
    pub health: Health,
    /// Whether nothing is left to happen.
    pub at_rest: bool,
}

/// Formats as one line.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.took.as_secs();
        write!(
            f,
            "{}{}, {}m{:02}s, {} decisions, {} writes ({} statuses, {} pod counts and marks, {} selectors, \
             {} routes, {} nonces), {} proxy deliveries, {} of 1000 requests met no ready pod",
            self.health,
            if self.at_rest { " and at rest" } else { "" },
            seconds / 60,
            seconds % 60,
            self.decisions,
            self.writes(),
            self.stores,
            self.workload_writes,
            self.selects,
            self.routes,
            self.fences,
            self.deliveries,
            self.requests.per_thousand(),
        )
    }
}

impl Summary {
    /// Returns the number of all writes of the controller.
    ///
    /// See [`World::nudge`] for an example.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.stores + self.fences + self.workload_writes + self.selects + self.routes + self.prunes
    }
}

impl<M: Mesh, W: Watcher> World<M, W> {
    /// Restarts the counts of requests and the duration.
    ///
    /// The other counts go on from the start of the world.
    ///
    /// ```
    /// use core::time::Duration;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// # let mut world = Sim::new(spec).build();
    /// # world.run_to_rest(Duration::from_secs(60))?;
    /// let writes = world.summary().writes();
    /// world.restart_summary();
    /// let summary = world.summary();
    /// assert_eq!((summary.took, summary.writes()), (Duration::ZERO, writes));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn restart_summary(&mut self) {
        self.requests.restart(self.truth.now);
    }

    /// Returns the figures of the run.
    ///
    /// See [`Summary`] for an example.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let Tally { decisions, stores, fences, workload_writes, selects, routes, .. } = self.tally;
        Summary {
            took: self.truth.now.since(self.requests.since()),
            decisions,
            stores,
            fences,
            workload_writes,
            selects,
            routes,
            prunes: self.tally.prunes,
            deliveries: self.tally.deliveries,
            commands: self.tally.commands,
            crashes: self.tally.crashes,
            requests: self.requests.so_far(),
            health: Health::of(&self.truth.spec, &self.truth.status),
            at_rest: self.is_at_rest(),
        }
    }
}
