//! An update under way, to be changed by a test.

use rollout_core::{
    Gone, Observed, Plan, Range, RevisionSeen, Spec, Status, Step, Strategy, Time,
    analysis::{Analysis, Background, MetricSeen, Phase, RunId, RunRole, RunSeen},
    fleet::{ClusterName, Mark, Member, Peers, Policy, Progress},
    reconcile,
    traffic::{RoutesSeen, Seen, Selection, Settled},
    waiting::WaitReason,
};
use std::sync::Arc;

/// An update from v1 to v2 with 4 pods each, at 50 %, everything settled.
pub(crate) struct Situation {
    pub(crate) spec: Spec,
    pub(crate) status: Status,
    pub(crate) seen: Option<Seen>,
    pub(crate) revisions: Option<Vec<RevisionSeen>>,
    /// The runs of analyses.
    pub(crate) runs: Option<Vec<RunSeen>>,
    /// The stable revision, if its workload does not exist.
    pub(crate) gone: Option<Gone>,
    /// What is known about the other clusters.
    pub(crate) peers: Option<Peers>,
}

pub(crate) fn pods(revision: &str, pods: u32) -> RevisionSeen {
    RevisionSeen::new(revision.into()).wanted(pods).ready(Range::exact(pods)).available(Range::exact(pods))
}

/// A cluster by name.
pub(crate) fn cluster(name: &str) -> ClusterName {
    ClusterName::new(name).unwrap()
}

impl Situation {
    pub(crate) fn at_fifty() -> Self {
        let strategy = Strategy::builder()
            .traffic_routing(true)
            .step(Step::SetWeight(50))
            .step(Step::Pause(None))
            .build()
            .unwrap();
        Self::of(strategy)
    }

    pub(crate) fn of(strategy: Strategy) -> Self {
        let mut status = Status::default();
        (status.stable, status.canary) = (Some("v1".into()), Some("v2".into()));
        status.step_hash = Some(strategy.step_hash().into());
        let mut seen = Seen::nothing();
        seen.behind.stable = vec![Selection::Revision("v1".into())];
        seen.behind.canary = vec![Selection::Revision("v2".into())];
        let mut routes = RoutesSeen::new(Range::exact(50));
        routes.written_for = Some("v2".into());
        seen.routes = vec![routes];
        seen.endpoints =
            vec![("v1".into(), Settled::Yes), ("v2".into(), Settled::Yes), ("v3".into(), Settled::Yes)];
        let revisions = Some(vec![pods("v1", 4), pods("v2", 4)]);
        Self {
            spec: Spec::new(strategy, "v2".into()).replicas(4),
            status,
            seen: Some(seen),
            revisions,
            runs: None,
            gone: None,
            peers: None,
        }
    }

    /// An update that is at an analysis after 50 %, or at 50 % with one beside the steps, and its run.
    pub(crate) fn analysed(role: RunRole, phase: Phase) -> Self {
        let analysis = || Analysis::of("success-rate").into();
        let beside = Background { analysis: analysis(), starting_step: 0 };
        let steps = match role {
            RunRole::Step(_) => [Step::SetWeight(50), Step::Analysis(analysis()), Step::SetWeight(80)],
            RunRole::Background => [Step::SetWeight(50), Step::SetWeight(80), Step::Pause(None)],
        };
        let beside = (role == RunRole::Background).then_some(beside);
        let strategy = Strategy::builder().traffic_routing(true).steps(steps).background(beside);
        let mut it = Self::of(strategy.build().unwrap());
        it.status.step = if let RunRole::Step(step) = role { step } else { 0 };
        let id = RunId::new("v2".into(), it.spec.strategy.step_hash().into(), role, 0);
        let mut run = RunSeen::new("web-v2", id).phase(phase).message("too many errors");
        run.metric = Some(MetricSeen::new("errors", "[0.1]", "result[0] < 0.05", "1 more failure allowed"));
        it.runs = Some(vec![run]);
        it
    }

    /// An update in cluster a, in step with b or after it, which is this far.
    pub(crate) fn in_step(policy: Policy, here: Mark, there: Mark) -> Self {
        let mut it = Self::at_fifty();
        let b = policy.clusters().find(|name| name.as_str() == "b").unwrap().clone();
        it.spec.fleet = Some(Arc::new(policy));
        let mut member = Member::default();
        (member.begun, member.may_route) = (here > Mark::Absent, (here > Mark::Absent).then_some(0));
        (member.reached, member.since) = (there, Some(Time::from_secs(900)));
        it.status.fleet = Some(Box::new(member.clone()));
        let progress = Progress::of(&it.spec, &it.status).unwrap();
        it.peers = Some(Peers::new(cluster("a")).read(b, progress));
        member.reached = here;
        it.status.fleet = Some(Box::new(member));
        it
    }

    pub(crate) fn run(&mut self) -> &mut RunSeen {
        &mut self.runs.as_mut().unwrap()[0]
    }

    pub(crate) fn seen(&mut self) -> &mut Seen {
        self.seen.as_mut().unwrap()
    }

    pub(crate) fn revisions(&mut self) -> &mut Vec<RevisionSeen> {
        self.revisions.as_mut().unwrap()
    }

    pub(crate) fn supersede(&mut self) {
        self.spec.target = "v3".into();
        self.status.canary = Some("v3".into());
        self.revisions().push(pods("v3", 2));
    }

    pub(crate) fn observed(&self) -> Observed {
        let mut observed = Observed::new();
        observed.revisions.clone_from(&self.revisions);
        observed.traffic.clone_from(&self.seen);
        observed.runs.clone_from(&self.runs);
        observed.gone.clone_from(&self.gone);
        observed.peers.clone_from(&self.peers);
        observed
    }

    /// What is decided at this second.
    pub(crate) fn plan(&self, now: i64) -> Plan {
        reconcile(&self.spec, &self.status, &self.observed(), Time::from_secs(now))
    }

    /// What the rollout says that it waits for, as one text a guard.
    pub(crate) fn says(&self) -> Vec<(WaitReason, String)> {
        let plan = self.plan(1000);
        plan.waiting.into_iter().map(|waiting| (waiting.reason.clone(), waiting.to_string())).collect()
    }
}
