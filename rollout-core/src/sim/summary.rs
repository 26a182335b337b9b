use super::{UnservedRequests, Watcher, mesh::Mesh, world::World};
use crate::Health;
use core::{fmt, time::Duration};

/// Counts since the world began.
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

/// A run in figures, from [`World::summary`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// How long it took: since the world began, or [`World::restart_summary`].
    pub took: Duration,
    /// Decisions.
    pub decisions: u64,
    /// Writes of the status.
    pub stores: u64,
    /// Nonces written, each to all objects.
    pub fences: u64,
    /// Writes of pod counts and scale-down deadlines.
    pub workload_writes: u64,
    /// Writes of selectors.
    pub selects: u64,
    /// Writes of routes.
    pub routes: u64,
    /// Revisions deleted.
    pub prunes: u64,
    /// Objects and endpoints that proxies were given.
    pub deliveries: u64,
    /// Commands of a person.
    pub commands: u64,
    /// Processes that died.
    pub crashes: u64,
    /// Requests that met no ready pod, from the time when all proxies first found one.
    pub requests: UnservedRequests,
    /// How the rollout stands.
    pub health: Health,
    /// Whether nothing is left to happen.
    pub at_rest: bool,
}

/// One line.
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
    /// All writes of the controller.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.stores + self.fences + self.workload_writes + self.selects + self.routes + self.prunes
    }
}

impl<M: Mesh, W: Watcher> World<M, W> {
    /// Requests and the duration are counted from now on.
    pub fn restart_summary(&mut self) {
        self.requests.restart(self.truth.now);
    }

    /// The run in figures.
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
