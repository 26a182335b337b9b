use super::observe::{RolloutState, TrafficState, WorkloadState};
use crate::{
    Time,
    sim::{Watcher, mesh::Mesh, settings::ReadKind, world::World},
};
use alloc::{collections::VecDeque, sync::Arc, vec::Vec};
use core::time::Duration;

/// The maximum lag of a cache.
const LONGEST_LAG: Duration = Duration::from_secs(120);

/// The past states of each kind of object, which a lagging cache shows.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Histories {
    pub(super) rollout: History<RolloutState>,
    pub(super) workloads: History<Vec<WorkloadState>>,
    pub(super) routes: History<TrafficState>,
    pub(super) selectors: History<TrafficState>,
}

#[derive(Debug, Clone)]
pub(super) struct History<T>(VecDeque<(Time, Arc<T>)>);

impl<T> History<T> {
    fn new(at: Time, state: Arc<T>) -> Self {
        Self(VecDeque::from([(at, state)]))
    }

    fn push(&mut self, at: Time, state: Arc<T>) {
        // A state that was replaced at the same time can never be seen.
        if self.0.back().is_some_and(|(last, _)| *last == at) {
            self.0.pop_back();
        }
        self.0.push_back((at, state));
        let old = |(from, _): &(Time, Arc<T>)| at.since(*from) > LONGEST_LAG;
        // The first state is seen until the second.
        while self.0.get(1).is_some_and(old) {
            self.0.pop_front();
        }
    }

    /// Returns when the state next changed after a time.
    fn changed_after(&self, time: Time) -> Option<Time> {
        self.0.iter().map(|(from, _)| *from).find(|from| *from > time)
    }

    /// Returns the state at a time.
    pub(super) fn at(&self, time: Time) -> Option<&Arc<T>> {
        let then = self.0.iter().rev().find(|(from, _)| *from <= time);
        then.or(self.0.front()).map(|(_, state)| state)
    }
}

impl<M: Mesh, W: Watcher> World<M, W> {
    /// Makes reads of this kind of object lag from now on: a cache shows an earlier state. At most two minutes.
    ///
    /// The process never reads a state older than its own writes: it waits for the cache, and reads live after two
    /// seconds.
    ///
    /// See [`Sim::read_lag`](crate::sim::Sim::read_lag) for an example.
    pub fn read_lag(&mut self, kind: ReadKind, lag: Duration) {
        let lag = crate::sim::delay::millis(lag.min(LONGEST_LAG));
        self.settings.read_lag.set(kind, lag);
        if lag > 0 && self.histories.is_none() {
            self.start_histories();
        }
    }

    /// Starts the histories at once in a world whose reads lag from the beginning.
    pub(in crate::sim) fn remembering(mut self) -> Self {
        if ReadKind::ALL.iter().any(|kind| self.settings.read_lag.get(*kind) > 0) {
            self.start_histories();
        }
        self
    }

    fn start_histories(&mut self) {
        let now = self.truth.now;
        let traffic = Arc::new(self.traffic_state());
        self.histories = Some(Histories {
            rollout: History::new(now, Arc::new(self.rollout_state())),
            workloads: History::new(now, Arc::new(self.workload_states())),
            routes: History::new(now, Arc::clone(&traffic)),
            selectors: History::new(now, traffic),
        });
    }

    /// Returns when the first lagging cache shows something new, which notifies the process.
    pub(super) fn next_news(&self) -> Option<Time> {
        let histories = self.histories.as_ref()?;
        let next = |kind| {
            let lag = self.settings.read_lag.get(kind);
            let shown = self.after(-lag);
            let changed = match kind {
                ReadKind::Rollout => histories.rollout.changed_after(shown),
                ReadKind::Workloads => histories.workloads.changed_after(shown),
                ReadKind::Routes => histories.routes.changed_after(shown),
                ReadKind::Selectors => histories.selectors.changed_after(shown),
            };
            changed.map(|at| Time::from_millis(at.as_millis().saturating_add(lag)))
        };
        ReadKind::ALL.into_iter().filter_map(next).min()
    }

    pub(in crate::sim) fn remember(&mut self, kind: ReadKind) {
        let Some(mut histories) = self.histories.take() else { return };
        let now = self.truth.now;
        match kind {
            ReadKind::Rollout => histories.rollout.push(now, Arc::new(self.rollout_state())),
            ReadKind::Workloads => histories.workloads.push(now, Arc::new(self.workload_states())),
            ReadKind::Routes => histories.routes.push(now, Arc::new(self.traffic_state())),
            ReadKind::Selectors => histories.selectors.push(now, Arc::new(self.traffic_state())),
        }
        self.histories = Some(histories);
    }
}
