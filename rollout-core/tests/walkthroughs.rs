//! The life of a canary, read as prose, in a world without delays: every write is seen at once by
//! everybody, every pod is ready at once.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use core::time::Duration;
use rollout_core::{
    Action, Answer, CanaryScale, Command, CommandKind, Observed, Range, Revision, RevisionSeen, Spec, Status,
    Step, Strategy, Time, apply,
    command::{Edit, Position},
    reconcile,
    traffic::{
        ManagedChange, ManagedRoute, ManagedSeen, RequestMatch, RouteMatch, RoutesSeen, Seen, Selection,
        StringMatch, WeightChange,
    },
};
use std::sync::Arc;

struct Instant {
    spec: Spec,
    status: Status,
    seen: Seen,
    revisions: Vec<RevisionSeen>,
    now: Time,
    log: Vec<String>,
}

impl Instant {
    fn new(strategy: Strategy, replicas: u32) -> Self {
        let mut seen = Seen::nothing();
        if strategy.routing().is_some() {
            seen.behind.stable = vec![Selection::Unpinned];
            seen.behind.canary = vec![Selection::Unpinned];
            seen.routes = vec![RoutesSeen::new(Range::exact(0))];
        }
        let spec = Spec::new(strategy, "v1".into()).replicas(replicas);
        let mut world = Self {
            spec,
            status: Status::default(),
            seen,
            revisions: Vec::new(),
            now: Time::from_secs(0),
            log: Vec::new(),
        };
        world.rest();
        assert_eq!(world.status.stable, Some("v1".into()));
        world.now = Time::from_secs(0);
        world.log.clear();
        world
    }

    fn update(&mut self, revision: &str) {
        self.spec.target = revision.into();
    }

    fn say(&mut self, kind: CommandKind) {
        let at = Position::of(&self.status).unwrap();
        match apply(&Command::new(kind, at), &self.spec, &self.status, &self.observed(), self.now) {
            Answer::Accepted { status, edits, events } => {
                self.status = status;
                for edit in edits {
                    match edit {
                        Edit::Paused(paused) => self.spec.paused = paused,
                        Edit::Template(revision) => self.spec.target = revision,
                        Edit::Proceed(_) => {}
                    }
                }
                self.log.push(format!("{kind}: accepted"));
                self.log.extend(events.iter().map(ToString::to_string));
            }
            Answer::Rejected(why) => self.log.push(format!("{kind}: {why}")),
        }
    }

    fn observed(&self) -> Observed {
        let mut seen = self.seen.clone();
        seen.endpoints = self
            .revisions
            .iter()
            .map(|revision| (revision.revision.clone(), rollout_core::traffic::Settled::Yes))
            .collect();
        let all = self.revisions.iter().map(|seen| seen.wanted).sum();
        Observed::new().revisions(self.revisions.clone()).user_selector(Range::exact(all)).traffic(seen)
    }

    /// Decides and carries out until nothing more happens, over pauses and delays; at most 200 turns.
    fn rest(&mut self) {
        for _ in 0..200 {
            let plan = reconcile(&self.spec, &self.status, &self.observed(), self.now);
            assert_eq!(plan, reconcile(&self.spec, &self.status, &self.observed(), self.now));
            let changed = plan.status != self.status;
            self.status = plan.status.clone();
            let at = self.now.as_secs();
            self.log.extend(plan.events.iter().map(|event| format!("{at}s {event}")));
            for action in &plan.actions {
                self.carry_out(action);
            }
            if changed || !plan.actions.is_empty() {
                continue;
            }
            let Some(wake) = plan.wake else { return };
            assert!(wake.at > self.now, "wakes in the past: {plan:?}");
            self.now = wake.at;
        }
        panic!("never comes to rest: {:#?}", self.log);
    }

    fn carry_out(&mut self, action: &Action) {
        let at = self.now.as_secs();
        match action {
            Action::Scale { revision, pods, scale_down_deadline } => {
                self.log.push(format!(
                    "{at}s {revision}: {pods}{}",
                    if scale_down_deadline.is_some() { " marked" } else { "" }
                ));
                if !self.revisions.iter().any(|seen| seen.revision == *revision) {
                    self.revisions.push(RevisionSeen::new(revision.clone()));
                }
                let seen = self.revisions.iter_mut().find(|seen| seen.revision == *revision).unwrap();
                (seen.wanted, seen.scale_down_deadline) = (*pods, *scale_down_deadline);
                (seen.ready, seen.available) = (Range::exact(*pods), Range::exact(*pods));
            }
            Action::Select(to) => {
                self.log.push(format!("{at}s select {}", names(to.stable.as_ref(), to.canary.as_ref())));
                if let Some(stable) = &to.stable {
                    self.seen.behind.stable = vec![stable.clone()];
                }
                if let Some(canary) = &to.canary {
                    self.seen.behind.canary = vec![canary.clone()];
                }
            }
            Action::Route(to) => {
                let routes = &mut self.seen.routes[0];
                if let WeightChange::To(weight) = to.weight {
                    routes.weight = Range::exact(weight.parts());
                }
                match &to.managed {
                    ManagedChange::Keep => {}
                    ManagedChange::Retain(names) => routes.managed.retain(|seen| names.contains(&seen.name)),
                    ManagedChange::To(all) => {
                        routes.managed = all.iter().cloned().map(ManagedSeen::new).collect();
                    }
                }
                routes.written_for = routes.leads_to_canary().then(|| to.written_for.clone());
                let names: Vec<_> = routes.managed.iter().map(|seen| &*seen.name).collect();
                let managed =
                    if names.is_empty() { String::new() } else { format!(" +{}", names.join(" +")) };
                self.log.push(format!("{at}s route {}{managed}", routes.weight));
            }
            Action::Run(_) => {}
            Action::Prune { revision } => self.revisions.retain(|seen| seen.revision != *revision),
        }
    }

    fn expect(&mut self, expected: &[&str]) {
        assert_eq!(self.log, expected, "{:#?}", self.log);
        self.log.clear();
    }
}

fn names(stable: Option<&Selection>, canary: Option<&Selection>) -> String {
    let name = |role, to: Option<&Selection>| to.map(|to| format!("{role} → {to}"));
    let both: Vec<_> = [name("stable", stable), name("canary", canary)].into_iter().flatten().collect();
    both.join(", ")
}

fn minutes(n: u64) -> Step {
    Step::Pause(Some(Duration::from_secs(60 * n)))
}

fn weight_canary() -> Strategy {
    let steps = [Step::SetWeight(5), minutes(10), Step::SetWeight(50), minutes(10)];
    Strategy::builder().traffic_routing(true).steps(steps).build().unwrap()
}

fn half_until_promoted() -> Strategy {
    let steps = [Step::SetWeight(50), Step::Pause(None)];
    Strategy::builder().traffic_routing(true).steps(steps).build().unwrap()
}

fn header_route() -> Arc<ManagedRoute> {
    let header = RequestMatch::header("lane", StringMatch::Exact("test".into()));
    Arc::new(ManagedRoute { name: "lane".into(), matches: RouteMatch::Header(vec![header]) })
}

fn header_canary() -> Strategy {
    let route = header_route();
    Strategy::builder()
        .managed_route("lane")
        .stable_service(true)
        .canary_service(true)
        .step(Step::SetCanaryScale(CanaryScale::Weight(100)))
        .step(Step::SetHeaderRoute { name: route.name.clone(), route: Some(route) })
        .step(Step::Pause(None))
        .build()
        .unwrap()
}

#[test]
fn the_weight_canary() {
    let mut world = Instant::new(weight_canary(), 4);
    world.rest();
    world.expect(&[]);
    world.update("v2");
    world.rest();
    world.expect(&[
        "0s started v2",
        "0s v2: 1",
        "0s select canary → v2",
        "0s route 5",
        "0s step 1/4 completed (setWeight: 5)",
        "0s paused until 1970-01-01T00:10:00Z",
        "600s resumed",
        "600s step 2/4 completed (pause: 600s)",
        "600s v2: 2",
        "600s route 50",
        "600s step 3/4 completed (setWeight: 50)",
        "600s paused until 1970-01-01T00:20:00Z",
        "1200s resumed",
        "1200s step 4/4 completed (pause: 600s)",
        "1200s v2: 4",
        "1200s route 100",
        "1200s completed: v2 is stable instead of v1",
        "1200s select stable → v2",
        "1200s route 0",
        "1200s v1: 4 marked",
        "1230s v1: 0",
    ]);
}

#[test]
fn the_header_canary() {
    let mut world = Instant::new(header_canary(), 2);
    world.update("v2");
    world.rest();
    world.expect(&[
        "0s started v2",
        "0s v2: 2",
        "0s step 1/3 completed (setCanaryScale{weight: 100})",
        "0s select canary → v2",
        "0s route 0 +lane",
        "0s step 2/3 completed (setHeaderRoute: lane)",
        "0s paused until somebody promotes",
    ]);
    world.say(CommandKind::Promote);
    world.rest();
    world.expect(&[
        "promote: accepted",
        "resumed",
        "step 3/3 completed (pause)",
        "0s route 100 +lane",
        "0s completed: v2 is stable instead of v1",
        "0s select stable → v2",
        "0s route 0",
        "0s v1: 2 marked",
        "30s v1: 0",
    ]);
}

#[test]
fn abort_retry_and_undo() {
    let mut world = Instant::new(weight_canary(), 4);
    world.update("v2");
    world.spec.strategy = half_until_promoted();
    world.rest();
    world.log.clear();
    world.say(CommandKind::Abort);
    world.rest();
    world.expect(&[
        "abort: accepted",
        "aborted v2",
        "0s route 0",
        "0s select canary → v1",
        "0s v2: 2 marked",
        "30s v2: 0",
    ]);
    world.say(CommandKind::Retry);
    world.rest();
    world.expect(&[
        "retry: accepted",
        "30s v2: 2",
        "30s select canary → v2",
        "30s route 50",
        "30s step 1/2 completed (setWeight: 50)",
        "30s paused until somebody promotes",
    ]);
    world.say(CommandKind::Undo);
    world.rest();
    world.expect(&[
        "undo: accepted",
        "30s rolled back to stable v1",
        "30s route 0",
        "30s select canary → v1",
        "30s v2: 2 marked",
        "60s v2: 0",
    ]);
}

#[test]
fn superseded_at_fifty_per_cent() {
    let mut world = Instant::new(weight_canary(), 4);
    world.spec.strategy = half_until_promoted();
    world.update("v2");
    world.rest();
    world.log.clear();
    world.update("v3");
    world.rest();
    world.expect(&[
        "0s started v3 instead of v2",
        "0s v3: 2",
        "0s route 0",
        "0s select canary → v3",
        "0s route 50",
        "0s v2: 2 marked",
        "0s step 1/2 completed (setWeight: 50)",
        "0s paused until somebody promotes",
        "30s v2: 0",
    ]);
}

#[test]
fn without_traffic_routing_the_weight_is_a_ratio_of_pods() {
    let steps = [Step::SetWeight(25), Step::Pause(None), Step::SetWeight(50), Step::Pause(None)];
    let mut world = Instant::new(Strategy::builder().steps(steps).build().unwrap(), 4);
    world.update("v2");
    world.rest();
    world.expect(&[
        "0s started v2",
        "0s v2: 1",
        "0s v1: 3",
        "0s step 1/4 completed (setWeight: 25)",
        "0s paused until somebody promotes",
    ]);
    world.say(CommandKind::PromoteFull);
    world.rest();
    world.expect(&[
        "promote-full: accepted",
        "resumed",
        "0s v2: 2",
        "0s v1: 2",
        "0s v2: 3",
        "0s v1: 1",
        "0s v2: 4",
        "0s v1: 0",
        "0s completed: v2 is stable instead of v1",
    ]);
    assert_eq!(world.status.stable, Some(Revision::from("v2")));
}

#[test]
fn scaled_to_zero_and_back() {
    let mut world = Instant::new(weight_canary(), 4);
    world.update("v2");
    world.spec.strategy = half_until_promoted();
    world.rest();
    world.log.clear();
    world.spec.replicas = 0;
    world.rest();
    world.expect(&["0s scaled to zero by the user", "0s v2: 0", "0s v1: 0"]);
    world.spec.replicas = 4;
    world.rest();
    world.expect(&["0s v1: 4", "0s stable has pods again", "0s v2: 2", "0s route 0", "0s route 50"]);
}
