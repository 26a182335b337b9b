//! Rollouts in which something is about to happen.

use core::time::Duration;
use rollout_core::{
    AbortReason, Aborted, Driver, Event, Gone, Observed, Range, RevisionSeen, Spec, Status, Step, Strategy,
    Time,
    command::{Position, Proceed},
    reconcile,
    traffic::{
        ManagedRoute, ManagedSeen, ObjectRef, ObjectVersion, RequestMatch, RouteMatch, RoutesSeen, Seen,
        Selection, Settled, StringMatch, Version,
    },
};
use std::sync::Arc;

pub(crate) const NOW: Time = Time::from_secs(1_000);

/// A rollout at one position, and all that there is to see.
#[derive(Clone)]
pub(crate) struct Situation {
    pub(crate) spec: Spec,
    pub(crate) status: Status,
    pub(crate) observed: Observed,
}

pub(crate) fn pods(revision: &str, number: u64, pods: u32) -> RevisionSeen {
    let all = Range::exact(pods);
    RevisionSeen::new(revision.into()).number(number).wanted(pods).ready(all).available(all)
}

pub(crate) fn version() -> Version {
    let object = ObjectRef::new("networking.istio.io", "VirtualService", "shop", "web");
    [(object, ObjectVersion { write: "7".into(), content: 3 })].into_iter().collect()
}

/// v1 has all requests, v2 is to have half of them, and both have their pods: the weight may rise.
pub(crate) fn rises() -> Situation {
    let strategy = Strategy::builder().traffic_routing(true).managed_route("lane");
    let strategy = strategy.step(Step::SetWeight(50)).step(Step::Pause(None)).build().unwrap();
    let mut status = Status::default();
    (status.stable, status.canary) = (Some("v1".into()), Some("v2".into()));
    status.step_hash = Some(strategy.step_hash().into());
    let mut seen = Seen::nothing();
    seen.version = version();
    seen.behind.stable = vec![Selection::Revision("v1".into())];
    seen.behind.canary = vec![Selection::Revision("v2".into())];
    seen.routes = vec![RoutesSeen::new(Range::exact(0))];
    seen.endpoints = vec![("v1".into(), Settled::Yes), ("v2".into(), Settled::Yes)];
    let observed = Observed::new().revisions([pods("v1", 1, 4), pods("v2", 2, 2)]).traffic(seen);
    Situation { spec: Spec::new(strategy, "v2".into()).replicas(4), status, observed }
}

impl Situation {
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(crate) fn seen(&mut self) -> &mut Seen {
        self.observed.traffic.as_mut().unwrap()
    }

    pub(crate) fn revision(&mut self, at: usize) -> &mut RevisionSeen {
        &mut self.observed.revisions.as_mut().unwrap()[at]
    }

    /// What is done, and what is waited for, when this is read every five seconds for twenty seconds. `between` happens
    /// before the last reading.
    pub(crate) fn decided(&self, between: fn(&mut Situation)) -> (Vec<String>, String) {
        let (mut driver, mut last) = (Driver::new("ours"), self.clone());
        for second in [0, 5, 10, 15, 20] {
            last = self.clone();
            if second == 20 {
                between(&mut last);
            }
            driver.see(&mut last.observed, Duration::from_secs(second));
        }
        let plan = reconcile(&last.spec, &last.status, &last.observed, NOW);
        let done = plan.actions.iter().map(|action| Event::from(action).to_string()).collect();
        let waits: Vec<_> = plan.waiting.iter().map(|waiting| waiting.reason.guard()).collect();
        (done, waits.join(", "))
    }
}

/// Half of the requests go to v2, and somebody aborts.
pub(crate) fn falls() -> Situation {
    rises().with(|it| {
        it.status.aborted = Some(Aborted::new(NOW, AbortReason::Command).into());
        it.seen().routes = vec![RoutesSeen::new(Range::exact(50))];
    })
}

/// Half of the requests go to v2, and v1 has lost its pods: each reading is live.
pub(crate) fn unavailable() -> Situation {
    rises().with(|it| {
        it.seen().routes = vec![RoutesSeen::new(Range::exact(50))];
        *it.revision(1) = pods("v2", 2, 4);
        *it.revision(0) = pods("v1", 1, 4).ready(Range::exact(0)).available(Range::exact(0)).live(Some(7));
    })
}

/// Half of the requests go to v2, and somebody has deleted v1.
pub(crate) fn gone() -> Situation {
    unavailable().with(|it| {
        it.observed.revisions.as_mut().unwrap().remove(0);
        it.observed.gone = Some(Gone::new("v1".into(), Duration::ZERO));
    })
}

/// As `rises`, and a proxy is behind.
pub(crate) fn behind() -> Situation {
    rises().with(|it| {
        let proxy = vec!["proxy-1".to_owned()];
        it.seen().selectors_settled = Settled::NotYet { since: Time::from_secs(0), behind: proxy };
        it.observed.proceed = Some(Proceed::new(Position::new("v2".into(), 0), &version()));
    })
}

/// Requests with a header go to v2.
pub(crate) fn by_header() -> Situation {
    rises().with(|it| {
        let set = Step::SetHeaderRoute { name: "lane".into(), route: Some(lane()) };
        let strategy = Strategy::builder().traffic_routing(true).managed_route("lane");
        let strategy = strategy.canary_service(true).stable_service(true);
        it.spec.strategy = strategy.step(set).step(Step::Pause(None)).build().unwrap();
        it.status.step_hash = Some(it.spec.strategy.step_hash().into());
        it.seen().routes[0].managed = vec![ManagedSeen::new(lane())];
        it.seen().routes[0].written_for = Some("v2".into());
    })
}

/// As `rises`, without a traffic manager.
pub(crate) fn by_ratio() -> Situation {
    rises().with(|it| {
        it.spec.strategy =
            Strategy::builder().step(Step::SetWeight(50)).step(Step::Pause(None)).build().unwrap();
        it.status.step_hash = Some(it.spec.strategy.step_hash().into());
        *it.seen() = Seen::nothing();
    })
}

/// The release is over, and v1 has the scale-down deadline.
pub(crate) fn scaling_down() -> Situation {
    rises().with(|it| {
        (it.status.stable, it.status.step) = (Some("v2".into()), 2);
        it.seen().behind.stable = vec![Selection::Revision("v2".into())];
        *it.revision(1) = pods("v2", 2, 4);
        it.revision(0).scale_down_deadline = Some(Time::from_secs(900));
    })
}

pub(crate) fn lane() -> Arc<ManagedRoute> {
    let header = RequestMatch::header("lane", StringMatch::Exact("test".into()));
    Arc::new(ManagedRoute { name: "lane".into(), matches: RouteMatch::Header(vec![header]) })
}
