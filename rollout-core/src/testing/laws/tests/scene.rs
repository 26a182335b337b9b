use crate::{
    Action, Observed, Plan, Range, Revision, RevisionSeen, Spec, Status, Step, Strategy, Time,
    sim::{
        Content, Moment, Pod, Proxy, ProxyEndpoints, SimulatedWorkload, TrafficObject, Truth, What, Writer,
    },
    testing::laws::{Findings, Law, Laws},
    traffic::{
        ManagedChange, ManagedRoute, ManagedSeen, ObjectRef, RequestMatch, RouteMatch, Routes, RoutesSeen,
        Seen, Selection, Selectors, Settled, StringMatch, Weight, WeightChange,
    },
};
use alloc::{boxed::Box, string::String, sync::Arc, vec, vec::Vec};

/// A canary half-way: v1 is stable with ten pods; v2 also has ten, and half of the traffic, as its step asks for;
/// everything is settled. Each test changes the part that it is about.
pub(super) struct Scene {
    pub(super) process: u32,
    pub(super) decision: u64,
    pub(super) seen_at: Time,
    pub(super) misses_own_write: bool,
    pub(super) spec: Spec,
    pub(super) stored: Status,
    pub(super) observed: Observed,
    pub(super) now: Time,
    pub(super) plan: Plan,
    pub(super) truth: Truth,
    laws: Laws,
}

pub(super) fn r(name: &str) -> Revision {
    name.into()
}

pub(super) fn header() -> Arc<ManagedRoute> {
    let value = StringMatch::Exact("1".into());
    let matches = RouteMatch::Header(vec![RequestMatch::header("version", value)]);
    Arc::new(ManagedRoute { name: "testers".into(), matches })
}

pub(super) fn route(weight: u32) -> Action {
    let weight = WeightChange::To(Weight::new(weight, 100));
    Action::Route(Routes { weight, managed: ManagedChange::Keep, written_for: r("v2") })
}

pub(super) fn add_header() -> Action {
    let managed = ManagedChange::To(vec![header()]);
    Action::Route(Routes { weight: WeightChange::Keep, managed, written_for: r("v2") })
}

pub(super) fn select(stable: Option<&str>, canary: Option<&str>) -> Action {
    let to = |name: Option<&str>| name.map(|name| Selection::Revision(r(name)));
    Action::Select(Selectors { stable: to(stable), canary: to(canary) })
}

pub(super) fn pods(revision: &str, pods: u32, scale_down_deadline: Option<Time>) -> Action {
    Action::Scale { revision: r(revision), pods, scale_down_deadline }
}

pub(super) const NOT_YET: Settled = Settled::NotYet { since: Time::from_millis(0), behind: Vec::new() };

impl Scene {
    pub(super) fn of(law: impl Law + 'static) -> Self {
        let steps = [Step::SetWeight(50), Step::Pause(Some(core::time::Duration::from_secs(60)))];
        let strategy = Strategy::builder().managed_route("testers").steps(steps).build().unwrap();
        let spec = Spec::new(strategy, r("v2")).replicas(10);
        let mut stored = Status::default();
        (stored.stable, stored.canary) = (Some(r("v1")), Some(r("v2")));
        stored.step_hash = Some(spec.strategy.step_hash().into());
        let mut seen = Seen::nothing();
        (seen.behind.stable, seen.behind.canary) = (vec![r("v1").into()], vec![r("v2").into()]);
        let mut routes = RoutesSeen::new(Range::exact(50));
        routes.written_for = Some(r("v2"));
        seen.routes = vec![routes.clone()];
        seen.endpoints = vec![(r("v1"), Settled::Yes), (r("v2"), Settled::Yes)];
        let revision = |name: &str| {
            let ten = Range::exact(10);
            RevisionSeen::new(r(name)).wanted(10).ready(ten).available(ten)
        };
        let observed = Observed::new().revisions([revision("v1"), revision("v2")]).traffic(seen);
        let now = Time::from_secs(1_000);
        let plan = Plan {
            status: stored.clone(),
            actions: Vec::new(),
            wake: None,
            waiting: Vec::new(),
            events: Vec::new(),
            store: crate::Store::No,
        };
        let truth = truth(&spec, &stored, routes, now);
        let laws = Laws::new([Box::new(law) as Box<dyn Law>]);
        Self {
            process: 1,
            decision: 1,
            seen_at: now,
            misses_own_write: false,
            spec,
            stored,
            observed,
            now,
            plan,
            truth,
            laws,
        }
    }

    pub(super) fn seen(&mut self) -> &mut Seen {
        self.observed.traffic.as_mut().unwrap()
    }

    pub(super) fn revision(&mut self, name: &str) -> &mut RevisionSeen {
        let revisions = self.observed.revisions.as_mut().unwrap();
        revisions.iter_mut().find(|seen| seen.revision.as_str() == name).unwrap()
    }

    pub(super) fn ready(&mut self, name: &str, ready: u32) {
        let seen = self.revision(name);
        (seen.ready, seen.available) = (Range::exact(ready), Range::exact(ready));
    }

    /// Sets the weight, both observed and true.
    pub(super) fn weight(&mut self, weight: u32) {
        for routes in &mut self.seen().routes {
            routes.weight = Range::exact(weight);
        }
    }

    pub(super) fn has_header(&mut self, of: &str) {
        for routes in &mut self.seen().routes {
            routes.managed = vec![ManagedSeen::new(header())];
            routes.written_for = Some(r(of));
        }
    }

    /// Makes a decision with these actions.
    pub(super) fn decides(&mut self, actions: impl IntoIterator<Item = Action>) -> &mut Self {
        self.plan.actions = actions.into_iter().collect();
        let what = What::Decided {
            process: self.process,
            decision: self.decision,
            seen_at: self.seen_at,
            misses_own_write: self.misses_own_write,
            spec: &self.spec,
            stored: &self.stored,
            observed: &self.observed,
            now: self.now,
            plan: &self.plan,
        };
        crate::sim::Watcher::see(&mut self.laws, &Moment { truth: &self.truth, what });
        self.decision += 1;
        self
    }

    /// Passes an event to the law.
    pub(super) fn sees(&mut self, what: What<'_>) -> &mut Self {
        crate::sim::Watcher::see(&mut self.laws, &Moment { truth: &self.truth, what });
        self
    }

    /// Makes a write of the last decision take effect.
    pub(super) fn acts(&mut self, action: &Action, late: bool) -> &mut Self {
        let by = Writer { process: self.process, decision: self.decision - 1, late };
        self.sees(What::Acted { by, action, took_effect: true, answer: None })
    }

    pub(super) fn stores(&mut self, status: Status) -> &mut Self {
        self.truth.status = status;
        self.truth.status_version += 1;
        let by = Writer { process: self.process, decision: self.decision - 1, late: false };
        self.sees(What::Stored { by })
    }

    pub(super) fn ends(&mut self, rested: bool) -> &mut Self {
        self.laws.end(&self.truth, rested);
        self
    }

    #[track_caller]
    pub(super) fn holds(&self) {
        assert_eq!(self.laws.violation(), None);
        assert!(self.premises() > 0, "the law had nothing to say");
    }

    #[track_caller]
    pub(super) fn broken(&self, how: &str) {
        let violation = self.laws.violation().map(|violation| violation.how.clone());
        assert!(violation.as_ref().is_some_and(|said: &String| said.contains(how)), "{violation:?}");
    }

    pub(super) fn premises(&self) -> u64 {
        self.laws.findings().map(|(_, findings): (_, &Findings)| findings.premises()).sum()
    }
}

fn truth(spec: &Spec, status: &Status, routes: RoutesSeen, now: Time) -> Truth {
    let pods = |first: u64| {
        let pod =
            |id| Pod { id, ready: true, born: Time::from_secs(0), since: Time::from_secs(0), ends: None };
        (first..first + 10).map(pod).collect()
    };
    let workload = |name: &str, number, first| SimulatedWorkload {
        revision: r(name),
        number,
        wanted: 10,
        scale_down_deadline: None,
        version: 1,
        nonce: None,
        pods: pods(first),
    };
    let selectors = Content::Selectors { stable: Some(r("v1").into()), canary: Some(r("v2").into()) };
    let routes = Content::Routes { routes, stable_elsewhere: false, canary_elsewhere: false };
    let object = |name: &str, content: &Content| TrafficObject {
        name: ObjectRef::new("", "Object", "", name),
        write: 1,
        generation: 1,
        signed: false,
        nonce: None,
        content: content.clone(),
    };
    let endpoints = |name: &str, first: u64| ProxyEndpoints {
        revision: r(name),
        generation: 1,
        pods: (first..first + 10).collect(),
    };
    let proxy = Proxy {
        name: "proxy-1".into(),
        objects: vec![(1, routes.clone()), (1, selectors.clone())],
        endpoints: vec![endpoints("v1", 1), endpoints("v2", 11)],
    };
    Truth {
        now,
        spec: spec.clone(),
        status: status.clone(),
        status_version: 1,
        workloads: vec![workload("v1", 1, 1), workload("v2", 2, 11)],
        traffic: vec![object("routes", &routes), object("selectors", &selectors)],
        proxies: vec![proxy],
        runs: Vec::new(),
    }
}
