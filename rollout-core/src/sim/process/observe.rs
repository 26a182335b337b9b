use crate::{
    Observed, Proceed, Range, Revision, RevisionSeen, Spec, Status, Time,
    sim::{
        Content, TrafficObject, Watcher,
        mesh::Mesh,
        settings::{Kind, PerKind},
        world::World,
    },
    traffic::{Seen, Version},
};
use alloc::{string::String, sync::Arc, vec::Vec};

/// The user's object, as it was at some time.
#[derive(Debug, Clone)]
pub(in crate::sim) struct RolloutState {
    pub(super) spec: Spec,
    pub(super) status: Status,
    pub(super) version: u64,
    pub(super) proceed: Option<Proceed>,
}

/// One workload, as it was at some time.
#[derive(Debug, Clone)]
pub(in crate::sim) struct WorkloadState {
    pub(super) revision: Revision,
    number: u64,
    wanted: u32,
    pub(super) ready: Range,
    mark: Option<Time>,
    pub(super) version: u64,
    nonce: Option<Arc<str>>,
}

/// The traffic objects, as they were at some time; `None` where they could not be read.
#[derive(Debug, Clone)]
pub(in crate::sim) struct TrafficState {
    seen: Option<Seen>,
}

/// What the writes of a turn are conditional on; chained with the turn's own writes.
#[derive(Debug, Clone, Default)]
pub(in crate::sim) struct Versions {
    pub(super) rollout: u64,
    pub(super) workloads: Vec<WorkloadRead>,
    pub(super) traffic: Version,
}

/// One workload that was read.
#[derive(Debug, Clone)]
pub(in crate::sim) struct WorkloadRead {
    pub(super) revision: Revision,
    pub(super) version: u64,
    /// The nonce that it bore.
    nonce: Option<Arc<str>>,
}

/// Where each kind is read from: live, or as it was.
#[derive(Debug, Clone, Default)]
pub(super) struct Views {
    pub(super) rollout: Option<Arc<RolloutState>>,
    pub(super) workloads: Option<Arc<Vec<WorkloadState>>>,
    pub(super) routes: Option<Arc<TrafficState>>,
    pub(super) selectors: Option<Arc<TrafficState>>,
}

/// What a process has read.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) observed: Observed,
    pub(super) versions: Versions,
}

impl Reading {
    /// The nonces that were found.
    pub(super) fn nonces(&self) -> impl Iterator<Item = Option<&str>> {
        let traffic = self.observed.traffic.iter().flat_map(|seen| &seen.nonces);
        let workloads = self.versions.workloads.iter().filter_map(|read| read.nonce.as_ref());
        traffic.chain(workloads).map(|nonce| Some(&**nonce))
    }
}

impl WorkloadRead {
    /// It was written, or created, since.
    pub(super) fn written(revision: &Revision, version: u64) -> Self {
        Self { revision: revision.clone(), version, nonce: None }
    }
}

impl<M: Mesh, W: Watcher> World<M, W> {
    /// What somebody sees who reads everything live now.
    pub(in crate::sim) fn observe_live(&mut self) -> Observed {
        // It is no reading of the process's own: what that knows from reading on and on stays as it is.
        let (dark, ages) = (self.process.dark.clone(), self.process.ages.clone());
        let observed = self.read(&Views::default()).observed;
        (self.process.dark, self.process.ages) = (dark, ages);
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

    pub(super) fn workload_states(&self) -> impl Iterator<Item = WorkloadState> + '_ {
        self.truth.workloads.iter().enumerate().map(|(index, workload)| WorkloadState {
            revision: workload.revision.clone(),
            number: workload.number,
            wanted: workload.wanted,
            ready: self.ready_as_counted(index),
            mark: workload.mark,
            version: workload.version,
            nonce: workload.nonce.clone(),
        })
    }

    pub(super) fn traffic_state(&mut self) -> TrafficState {
        TrafficState { seen: self.mesh.read(&self.truth.traffic).ok() }
    }

    /// What caches show that lag by so many milliseconds; without a lag, and without a history, live.
    pub(super) fn views(&self, lag: PerKind<i64>) -> Views {
        let Some(histories) = &self.histories else { return Views::default() };
        let then = |kind| Some(lag.get(kind)).filter(|lag| *lag > 0).map(|lag| self.after(-lag));
        Views {
            rollout: then(Kind::Rollout).and_then(|at| histories.rollout.at(at)).cloned(),
            workloads: then(Kind::Workloads).and_then(|at| histories.workloads.at(at)).cloned(),
            routes: then(Kind::Routes).and_then(|at| histories.routes.at(at)).cloned(),
            selectors: then(Kind::Selectors).and_then(|at| histories.selectors.at(at)).cloned(),
        }
    }

    /// Reads everything through `views`; whether it is settled is always asked live.
    pub(super) fn read(&mut self, views: &Views) -> Reading {
        let workloads: Vec<WorkloadState> = match &views.workloads {
            Some(states) => self.with_live_zeros(states),
            None => self.workload_states().collect(),
        };
        let traffic = self.read_traffic(views);
        let now = self.truth.now;
        let traffic = traffic.ok().map(|mut seen| {
            self.fill_in(&mut seen, &workloads);
            seen
        });
        let mut users_own = Range::exact(0);
        let mut revisions = Vec::with_capacity(workloads.len());
        let mut read = Vec::with_capacity(workloads.len());
        for workload in workloads {
            let ready = workload.ready;
            let lo = users_own.lo().saturating_add(ready.lo());
            users_own = Range::new(lo, users_own.hi().saturating_add(ready.hi()));
            let live = views.workloads.is_none() || ready.hi() == 0 && workload.wanted > 0;
            let dark = if live { self.process.dark.read(&workload, now) } else { None };
            let WorkloadState { revision, number, wanted, mark, version, nonce, .. } = workload;
            read.push(WorkloadRead { revision: revision.clone(), version, nonce });
            revisions.push(RevisionSeen { revision, number, wanted, ready, available: ready, mark, dark });
        }
        let version = traffic.as_ref().map(|seen| seen.version.clone()).unwrap_or_default();
        let (rollout, proceed) = match &views.rollout {
            Some(state) => (state.version, state.proceed.clone()),
            None => (self.rollout_version, self.proceed.clone()),
        };
        let versions = Versions { rollout, workloads: read, traffic: version };
        let observed = Observed { revisions: Some(revisions), users_own: Some(users_own), traffic, proceed };
        Reading { observed, versions }
    }

    /// Whether what was read is settled: always asked live.
    fn fill_in(&mut self, seen: &mut Seen, workloads: &[WorkloadState]) {
        if self.settings.data_plane_answers {
            let asked = workloads.iter().map(|workload| workload.revision.clone());
            self.fill_settled(seen, asked, self.process.offset);
            return;
        }
        let objects: &[TrafficObject] = &self.truth.traffic;
        let is_route =
            |at: usize| matches!(objects.get(at).map(|object| &object.content), Some(Content::Routes { .. }));
        self.process.ages.fill(seen, is_route, workloads, self.truth.now);
    }

    /// A cached reading that shows no ready pod causes a live one.
    fn with_live_zeros(&self, states: &[WorkloadState]) -> Vec<WorkloadState> {
        let live = |state: &WorkloadState| {
            (state.ready.hi() == 0 && state.wanted > 0)
                .then(|| self.workload_states().find(|live| live.revision == state.revision))
                .flatten()
                .unwrap_or_else(|| state.clone())
        };
        states.iter().map(live).collect()
    }

    fn read_traffic(&mut self, views: &Views) -> Result<Seen, String> {
        if views.routes.is_none() && views.selectors.is_none() {
            return self.mesh.read(&self.truth.traffic);
        }
        let live = Arc::new(self.traffic_state());
        let routes = views.routes.as_ref().unwrap_or(&live);
        let selectors = views.selectors.as_ref().unwrap_or(&live);
        let unreadable = || String::from("the objects could not be read");
        let mut seen = selectors.seen.clone().ok_or_else(unreadable)?;
        let of_routes = routes.seen.as_ref().ok_or_else(unreadable)?;
        seen.routes.clone_from(&of_routes.routes);
        seen.stable_used_elsewhere = of_routes.stable_used_elsewhere;
        seen.canary_used_elsewhere = of_routes.canary_used_elsewhere;
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
        Ok(seen)
    }
}
