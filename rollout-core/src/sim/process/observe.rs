use super::roles::roles;
use crate::{
    Gone, Observed, Range, Revision, RevisionSeen, Spec, Status, Time,
    backend::Layer,
    command::Proceed,
    sim::{
        Content, TrafficObject, Watcher,
        mesh::Mesh,
        settings::{PerKind, ReadKind},
        world::World,
    },
    traffic::{ObjectRef, Seen, Settled, StablePingPong, Version, fingerprint},
};
use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::time::Duration;

/// A past state of the user's object.
#[derive(Debug, Clone)]
pub(in crate::sim) struct RolloutState {
    pub(super) spec: Spec,
    pub(super) status: Status,
    pub(super) version: u64,
    pub(super) proceed: Option<Proceed>,
}

/// A past state of one workload.
#[derive(Debug, Clone)]
pub(in crate::sim) struct WorkloadState {
    pub(super) revision: Revision,
    number: u64,
    wanted: u32,
    pub(super) ready: Range,
    available: Range,
    scale_down_deadline: Option<Time>,
    pub(super) version: u64,
    nonce: Option<Arc<str>>,
}

/// A past state of the traffic objects; `None` if they could not be read.
#[derive(Debug, Clone)]
pub(in crate::sim) struct TrafficState {
    seen: Option<Seen>,
    /// By which the destinations are named.
    roles: StablePingPong,
}

/// The versions that the writes of a turn are conditional on, updated with each write of the turn.
#[derive(Debug, Clone, Default)]
pub(in crate::sim) struct Versions {
    pub(super) rollout: u64,
    pub(super) workloads: Vec<WorkloadRead>,
    pub(super) traffic: Version,
}

/// A workload that was read.
#[derive(Debug, Clone)]
pub(in crate::sim) struct WorkloadRead {
    pub(super) revision: Revision,
    pub(super) version: u64,
}

/// For each kind, a past state to read, or `None` for live reads.
#[derive(Debug, Clone, Default)]
pub(super) struct Views {
    pub(super) rollout: Option<Arc<RolloutState>>,
    pub(super) workloads: Option<Arc<Vec<WorkloadState>>>,
    pub(super) routes: Option<Arc<TrafficState>>,
    pub(super) selectors: Option<Arc<TrafficState>>,
}

/// The observation of a process. Its memory is reused by the next reading.
#[derive(Debug, Clone, Default)]
pub(super) struct Reading {
    pub(super) observed: Observed,
    pub(super) versions: Versions,
}

impl WorkloadRead {
    /// Records that the workload was written or created since.
    pub(super) fn written(revision: &Revision, version: u64) -> Self {
        Self { revision: revision.clone(), version }
    }
}

impl<M: Mesh, W: Watcher> World<M, W> {
    /// Returns the observation of a client that reads everything live now.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::Range;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// # let mut world = Sim::new(spec).build();
    /// # world.run_to_rest(Duration::from_secs(60))?;
    /// world.update_to("v2");
    /// world.run_for(Duration::from_secs(3))?;
    /// let canary = world.observed().revision(&"v2".into()).cloned().unwrap();
    /// assert_eq!((canary.wanted, canary.ready), (1, Range::exact(0)));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn observed(&mut self) -> Observed {
        // This is not the process's own observation, so its memory stays unchanged.
        let driver = self.process.driver.clone();
        let reading = self.read_and_remember(&Views::default());
        let observed = reading.observed.clone();
        self.process.spare = Some(reading);
        self.process.driver = driver;
        observed
    }

    pub(super) fn rollout_state(&self) -> RolloutState {
        RolloutState {
            spec: self.truth.spec.clone(),
            status: self.truth.status.clone(),
            version: self.rollout_version,
            proceed: self.proceed.clone(),
        }
    }

    pub(super) fn workload_states(&self) -> Vec<WorkloadState> {
        (0..self.truth.workloads.len()).filter_map(|index| self.workload_state(index)).collect()
    }

    fn workload_state(&self, index: usize) -> Option<WorkloadState> {
        let ready = self.ready_as_counted(index);
        self.truth.workloads.get(index).map(|workload| WorkloadState {
            revision: workload.revision.clone(),
            number: workload.number,
            wanted: workload.wanted,
            ready,
            available: self.available_as_counted(index, ready),
            scale_down_deadline: workload.scale_down_deadline,
            version: workload.version,
            nonce: workload.nonce.clone(),
        })
    }

    pub(super) fn traffic_state(&mut self) -> TrafficState {
        TrafficState { seen: self.mesh.read(&self.truth.traffic).ok(), roles: roles(&self.truth.status) }
    }

    /// Returns the states shown by caches with these lags in milliseconds; without a lag or a history, live.
    pub(super) fn views(&self, lag: PerKind<i64>) -> Views {
        let Some(histories) = &self.histories else { return Views::default() };
        let then = |kind| Some(lag.get(kind)).filter(|lag| *lag > 0).map(|lag| self.after(-lag));
        Views {
            rollout: then(ReadKind::Rollout).and_then(|at| histories.rollout.at(at)).cloned(),
            workloads: then(ReadKind::Workloads).and_then(|at| histories.workloads.at(at)).cloned(),
            routes: then(ReadKind::Routes).and_then(|at| histories.routes.at(at)).cloned(),
            selectors: then(ReadKind::Selectors).and_then(|at| histories.selectors.at(at)).cloned(),
        }
    }

    /// Reads everything and updates the process's memory.
    pub(super) fn read_and_remember(&mut self, views: &Views) -> Box<Reading> {
        let mut reading = self.read(views);
        let elapsed = self.process.elapsed(self.truth.now);
        // The simulation's own laws find rivals.
        self.process.driver.see(&mut reading.observed, elapsed);
        reading
    }

    /// Reads everything through `views`; whether it is settled is always asked live.
    fn read(&mut self, views: &Views) -> Box<Reading> {
        let mut reading = self.process.spare.take().unwrap_or_default();
        let Reading { observed, versions } = &mut *reading;
        (versions.rollout, observed.proceed) = match &views.rollout {
            Some(state) => (state.version, state.proceed.clone()),
            None => (self.rollout_version, self.proceed.clone()),
        };
        observed.peers.clone_from(&self.peers);
        let has_runs = self.truth.spec.strategy.has_analysis() || !self.truth.runs.is_empty();
        observed.runs = (has_runs && !self.runs_fail)
            .then(|| self.truth.runs.iter().map(|run| run.seen.clone()).collect());
        versions.workloads.clear();
        let revisions = observed.revisions.get_or_insert_default();
        revisions.clear();
        self.read_workloads(views, revisions, &mut versions.workloads);
        let status = views.rollout.as_ref().map_or(&self.truth.status, |state| &state.status);
        let stable = status.stable.clone().filter(|_| !status.is_done());
        let gone = |stable: &Revision| revisions.iter().all(|seen| seen.revision != *stable);
        // A workload that is missing from a cache is looked up live.
        observed.gone = stable
            .filter(|stable| gone(stable) && self.workload_index(stable).is_none())
            .map(|stable| Gone::new(stable, Duration::ZERO));
        self.read_traffic(views, &mut observed.traffic);
        versions.traffic = Version::NONE;
        if let Some(seen) = &mut observed.traffic {
            self.fill_in(seen, revisions);
            versions.traffic.clone_from(&seen.version);
        }
        let sum = |end: fn(&RevisionSeen) -> u32| revisions.iter().map(end).fold(0, u32::saturating_add);
        observed.user_selector = Some(Range::new(sum(|seen| seen.ready.lo()), sum(|seen| seen.ready.hi())));
        if self.settings.reads_fail.get(ReadKind::Workloads) {
            (observed.revisions, observed.user_selector, observed.gone) = (None, None, None);
            versions.workloads.clear();
        }
        reading
    }

    fn read_workloads(
        &mut self,
        views: &Views,
        revisions: &mut Vec<RevisionSeen>,
        versions: &mut Vec<WorkloadRead>,
    ) {
        let mut take_in = |world: &mut Self, workload: WorkloadState, live: bool| {
            let changes = world.changes(&workload);
            let WorkloadState {
                revision,
                number,
                wanted,
                ready,
                available,
                scale_down_deadline,
                version,
                nonce,
            } = workload;
            versions.push(WorkloadRead { revision: revision.clone(), version });
            let (unavailable, live) = (None, live.then_some(version));
            revisions.push(RevisionSeen {
                revision,
                number,
                wanted,
                ready,
                available,
                scale_down_deadline,
                unavailable,
                live,
                changes,
                nonce,
            });
        };
        let Some(states) = &views.workloads else {
            for index in 0..self.truth.workloads.len() {
                if let Some(state) = self.workload_state(index) {
                    take_in(self, state, true);
                }
            }
            return;
        };
        for state in states.iter() {
            // A cached reading without ready pods causes a live one.
            let unavailable = state.ready.hi() == 0 && state.wanted > 0;
            let live = self.workload_index(&state.revision).filter(|_| unavailable);
            match live.and_then(|index| self.workload_state(index)) {
                Some(live) => take_in(self, live, true),
                None => take_in(self, state.clone(), false),
            }
        }
    }

    /// Fills in whether the traffic is settled, which is always asked live.
    fn fill_in(&mut self, seen: &mut Seen, revisions: &[RevisionSeen]) {
        if self.settings.data_plane_answers {
            self.fill_settled(seen, revisions, self.process.offset);
            return;
        }
        let objects: &[TrafficObject] = &self.truth.traffic;
        // A mesh may list its versions in another order.
        let layer = |name: &ObjectRef| {
            let object = objects.iter().find(|object| object.name == *name);
            let is_route = object.is_some_and(|object| matches!(object.content, Content::Routes { .. }));
            if is_route { Layer::Routes } else { Layer::Selectors }
        };
        let content = |of: Layer| {
            let part = seen.version.objects().iter().filter(|(name, _)| layer(name) == of);
            fingerprint(part.map(|(_, version)| version.content))
        };
        let settled = |content: u64| if content == 0 { Settled::Yes } else { Settled::UNKNOWN };
        (seen.routes_content, seen.selectors_content) = (content(Layer::Routes), content(Layer::Selectors));
        seen.routes_settled = settled(seen.routes_content);
        seen.selectors_settled = settled(seen.selectors_content);
        seen.endpoints.clear();
        let unknown = |workload: &RevisionSeen| (workload.revision.clone(), Settled::UNKNOWN);
        seen.endpoints.extend(revisions.iter().map(unknown));
    }

    /// Returns a number that changes with every pod that becomes ready or is lost, and with every count of them. A pod
    /// that is lost while another becomes ready is also a change.
    fn changes(&self, workload: &WorkloadState) -> u64 {
        let mut both = self.truth.workloads.iter().zip(&self.shadows);
        let shadow = both.find(|(of, _)| of.revision == workload.revision).map(|(_, shadow)| shadow);
        let endpoints = shadow.map_or(0, |shadow| shadow.endpoints);
        let (lo, hi) = (u64::from(workload.ready.lo()), u64::from(workload.ready.hi()));
        fingerprint([endpoints + 1, lo + 1, hi.saturating_add(1)])
    }

    fn read_traffic(&mut self, views: &Views, into: &mut Option<Seen>) {
        let fails = self.settings.reads_fail;
        if fails.get(ReadKind::Routes) || fails.get(ReadKind::Selectors) {
            *into = None;
        } else if views.routes.is_some() || views.selectors.is_some() {
            *into = self.stale_traffic(views);
        } else if let Some(seen) = into {
            if self.mesh.read_again(&self.truth.traffic, seen).is_err() {
                *into = None;
            }
        } else {
            *into = self.mesh.read(&self.truth.traffic).ok();
        }
        let is_live = views.routes.is_none() && views.selectors.is_none();
        if let Some(seen) =
            into.as_mut().filter(|_| is_live && self.reads_as(views) != roles(&self.truth.status))
        {
            seen.swap_roles(self.truth.spec.strategy.max_weight());
        }
    }

    /// Returns the roles by which a turn with these views names the destinations.
    fn reads_as(&self, views: &Views) -> StablePingPong {
        roles(views.rollout.as_ref().map_or(&self.truth.status, |state| &state.status))
    }

    /// Returns routes and selectors, each as its own cache shows them; `None` if one could not be read.
    fn stale_traffic(&mut self, views: &Views) -> Option<Seen> {
        let live = Arc::new(self.traffic_state());
        let (reads_as, total) = (self.reads_as(views), self.truth.spec.strategy.max_weight());
        let named = |state: &Option<Arc<TrafficState>>| {
            let state = state.as_ref().unwrap_or(&live);
            if state.roles == reads_as {
                return Arc::clone(state);
            }
            let mut seen = state.seen.clone();
            if let Some(seen) = &mut seen {
                seen.swap_roles(total);
            }
            Arc::new(TrafficState { seen, roles: reads_as })
        };
        let (routes, selectors) = (&named(&views.routes), &named(&views.selectors));
        let mut seen = selectors.seen.clone()?;
        let of_routes = routes.seen.as_ref()?;
        seen.routes.clone_from(&of_routes.routes);
        seen.used_elsewhere.stable |= of_routes.used_elsewhere.stable;
        seen.used_elsewhere.canary |= of_routes.used_elsewhere.canary;
        seen.nonces.extend(of_routes.nonces.iter().cloned());
        let mut version = Vec::with_capacity(self.truth.traffic.len());
        for object in &self.truth.traffic {
            let from = match object.content {
                Content::Routes { .. } => routes,
                Content::Selectors { .. } => selectors,
            };
            let read = from.seen.as_ref().and_then(|seen| seen.version.of(&object.name));
            version.extend(read.map(|read| (object.name.clone(), read.clone())));
        }
        seen.version = version.into_iter().collect();
        Some(seen)
    }
}
