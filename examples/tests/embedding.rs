//! What a controller of one's own cannot get wrong without being told: this one does what the engine says, and knows
//! nothing else.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use rollout_core::{
    Action, Driver, Event, Failure, Next, Observed, Outcome, Range, Resume, Revision, RevisionSeen, Spec,
    Status, Step, Strategy, Time,
    traffic::{RoutesSeen, Seen, Selection, Settled, WeightChange},
    waiting::WaitReason,
};
use std::{collections::BTreeMap, time::Duration};

/// A controller that obeys `Resume`, in virtual time. Pods are ready at once.
struct Mine {
    pods: BTreeMap<Revision, (u32, Option<Time>)>,
    /// Whether it stores the scale-down deadline of a workload.
    marks: bool,
    traffic: Seen,
    status: Status,
    driver: Driver,
    now: Time,
    /// How a fence ends.
    fence: Result<Outcome, Failure>,
    /// Whether somebody else always writes the same weight first.
    routes_are_there: bool,
    published: Vec<Event>,
    waiting: Vec<WaitReason>,
    turns: u32,
}

impl Mine {
    fn new(traffic: Seen) -> Self {
        Self {
            pods: BTreeMap::new(),
            marks: true,
            traffic,
            status: Status::default(),
            driver: Driver::new("mine"),
            now: Time::from_secs(0),
            fence: Ok(Outcome::Changed),
            routes_are_there: false,
            published: Vec::new(),
            waiting: Vec::new(),
            turns: 0,
        }
    }

    fn observe(&self) -> Observed {
        let revisions = self.pods.iter().map(|(revision, (pods, scale_down_deadline))| {
            let ready = Range::exact(*pods);
            RevisionSeen::new(revision.clone())
                .wanted(*pods)
                .ready(ready)
                .available(ready)
                .scale_down_deadline(*scale_down_deadline)
        });
        let all = self.pods.values().map(|(pods, _)| pods).sum();
        let mut traffic = self.traffic.clone();
        traffic.endpoints = self.pods.keys().map(|revision| (revision.clone(), Settled::UNKNOWN)).collect();
        Observed::new().revisions(revisions).user_selector(Range::exact(all)).traffic(traffic)
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Scale { revision, pods, scale_down_deadline } => {
                self.pods.insert(revision, (pods, scale_down_deadline.filter(|_| self.marks)));
            }
            Action::Run(_) => {}
            Action::Prune { revision } => drop(self.pods.remove(&revision)),
            Action::Select(to) => {
                to.stable.into_iter().for_each(|pods| self.traffic.behind.stable = vec![pods]);
                to.canary.into_iter().for_each(|pods| self.traffic.behind.canary = vec![pods]);
            }
            Action::Route(to) => {
                let WeightChange::To(weight) = to.weight else { return };
                let mut routes = RoutesSeen::new(Range::exact(weight.parts()));
                routes.written_for = Some(to.written_for);
                self.traffic.routes = vec![routes];
            }
        }
    }

    fn turn(&mut self, spec: &Spec) -> Resume {
        self.turns += 1;
        let (mut observed, elapsed) = (self.observe(), self.now.since(Time::from_secs(0)));
        self.driver.see(&mut observed, elapsed);
        let mut turn = self.driver.begin(spec, &self.status, &observed, self.now);
        self.waiting = turn.plan().waiting.iter().map(|waiting| waiting.reason.clone()).collect();
        loop {
            let result = match turn.next() {
                Next::Fence(_) => self.fence.clone(),
                Next::Store(status) => {
                    self.status = status.clone();
                    Ok(Outcome::Changed)
                }
                Next::Act(action) => {
                    let action = action.clone();
                    let is_there = self.routes_are_there && matches!(action, Action::Route(_));
                    self.act(action);
                    Ok(if is_there { Outcome::Unchanged } else { Outcome::Changed })
                }
                Next::Publish(events) => {
                    self.published.extend_from_slice(events);
                    Ok(Outcome::Unchanged)
                }
                Next::VerifyOwnership | Next::Report => Ok(Outcome::Unchanged),
                Next::Done => return self.driver.end(turn, elapsed),
            };
            turn.done(result);
        }
    }

    /// Lets so much time pass; whether nothing is due any more.
    fn run(&mut self, spec: &Spec, time: Duration) -> bool {
        let until = self.now + time;
        while self.now < until {
            let Some(at) = self.turn(spec).due(self.now) else { return true };
            self.now = at;
            assert!(self.turns < 200, "it turns in circles: {:?}", self.waiting);
        }
        false
    }

    fn stable(&self) -> Option<&str> {
        self.status.stable.as_ref().map(Revision::as_str)
    }
}

const HOUR: Duration = Duration::from_secs(3_600);

fn spec(revision: &str) -> Spec {
    let steps = [Step::SetWeight(50), Step::Pause(Some(Duration::from_secs(60)))];
    let strategy = Strategy::builder().traffic_routing(true).steps(steps).build().unwrap();
    Spec::new(strategy, revision.into()).replicas(4)
}

/// What the proxies have is never known.
fn routed() -> Seen {
    let mut traffic = Seen::new();
    traffic.routes = vec![RoutesSeen::new(Range::exact(0))];
    (traffic.behind.stable, traffic.behind.canary) = (vec![Selection::Unpinned], vec![Selection::Unpinned]);
    traffic
}

/// After a turn that wrote something, there used to be no reason to go on before the progress deadline.
#[test]
fn whoever_obeys_comes_to_the_end_of_a_release() {
    let mut mine = Mine::new(routed());
    for revision in ["v1", "v2"] {
        assert!(mine.run(&spec(revision), HOUR), "{revision}: {:?}", mine.waiting);
        assert_eq!(mine.stable(), Some(revision));
    }
    assert!(mine.now < Time::from_secs(300), "the waits have an end of their own: {}", mine.now);
    assert_eq!(mine.pods.values().map(|(pods, _)| pods).sum::<u32>(), 4);
}

#[test]
fn without_a_route_it_says_what_is_missing() {
    let mut mine = Mine::new(Seen::new());
    mine.run(&spec("v1"), HOUR);
    mine.run(&spec("v2"), HOUR);
    assert_eq!((mine.stable(), &*mine.waiting), (Some("v1"), &[WaitReason::NoRoutes][..]));
    mine.traffic = routed();
    assert!(mine.run(&spec("v2"), HOUR));
    assert_eq!(mine.stable(), Some("v2"), "and goes on when it is there");
}

/// What is left out is unknown, and waited for.
#[test]
fn what_is_not_set_is_not_settled() {
    let mut mine = Mine::new(routed());
    mine.run(&spec("v1"), HOUR);
    let before = mine.now;
    while mine.traffic.weight() != Range::exact(50) {
        mine.run(&spec("v2"), Duration::from_millis(1));
    }
    assert!(mine.now >= before + Duration::from_secs(2), "two seconds for the endpoints at least");
}

/// It used to go round as fast as it could, and spoke of pods.
#[test]
fn a_fence_that_cannot_be_written_is_tried_less_and_less_often() {
    let mut mine = Mine::new(routed());
    mine.fence = Err(Failure::Refused("forbidden".to_owned()));
    assert!(!mine.run(&spec("v1"), HOUR));
    assert!(mine.turns < 80 && mine.pods.is_empty(), "{} turns", mine.turns);
}

/// It forgets a part of what it was asked for, and says that it was done.
#[test]
fn what_is_done_again_and_again_is_done_less_and_less_often() {
    let mut mine = Mine::new(routed());
    mine.run(&spec("v1"), HOUR);
    mine.marks = false;
    assert!(!mine.run(&spec("v2"), HOUR));
    assert!(mine.turns < 100, "{} turns", mine.turns);
    assert_eq!(mine.waiting, [WaitReason::CarryingOut], "until the mark is observed");
    mine.marks = true;
    assert!(mine.run(&spec("v2"), HOUR));
}

/// It used to publish a write that somebody else had made.
#[test]
fn what_was_so_already_is_not_published() {
    for routes_are_there in [false, true] {
        let mut mine = Mine::new(routed());
        mine.run(&spec("v1"), HOUR);
        (mine.routes_are_there, mine.published) = (routes_are_there, Vec::new());
        // What somebody else writes is a change, which begins a turn.
        for _ in 0..9 {
            mine.run(&spec("v2"), HOUR);
        }
        let routed = mine.published.iter().filter(|event| matches!(event, Event::Routed(_))).count();
        assert_eq!(routed, if routes_are_there { 0 } else { 3 }, "{:?}", mine.published);
        let done = Event::Completed { revision: "v2".into(), before: Some("v1".into()) };
        assert!(mine.published.contains(&done), "what was stored is published all the same");
    }
}

#[test]
fn a_turn_that_was_dropped_is_followed_by_a_fence() {
    let mut mine = Mine::new(routed());
    mine.run(&spec("v1"), HOUR);
    assert_eq!(mine.driver.nonce(), Some("mine-1"));
    let mut observed = mine.observe();
    mine.driver.see(&mut observed, HOUR);
    drop(mine.driver.begin(&spec("v2"), &mine.status, &observed, mine.now));
    mine.run(&spec("v2"), HOUR);
    assert_eq!(mine.driver.nonce(), Some("mine-2"));
}
