//! A table of situations for each stage of the decision: what is done, and what is waited for.
//!
//! Each row differs from another in one condition that makes the difference. The files are named as in
//! `rollout-core/src/reconcile/`.

use crate::situation::{Situation, pods as of};
use core::time::Duration;
use rollout_core::{
    AbortReason, Aborted, CanaryScale, Event, IntOrPercent, Plan, Range, Step, Strategy, Time,
    traffic::{ManagedRoute, ManagedSeen, RequestMatch, RouteMatch, Selection, Settled, StringMatch},
};
use std::sync::Arc;

mod advance;
mod analysis;
mod basic;
mod deadline;
mod desired;
mod gates;
mod gradual_abort;
mod ping_pong;
mod prune;
mod routes;
mod scale_down;
mod scale_up;
mod selectors;
mod settled;
mod stable_scale;
mod surplus;
mod target;
mod windows;
mod zero;

/// What a row is about, what is changed in the situation at 50 %, and what is decided then.
type Row = (&'static str, fn(&mut Situation), &'static str);

/// The update at its first step, with these.
fn at(steps: impl IntoIterator<Item = Step>) -> Situation {
    let strategy = Strategy::builder().managed_route("testers").managed_route("others").steps(steps);
    Situation::of(strategy.build().unwrap())
}

/// Without a traffic manager.
fn basic(surge: i32, unavailable: i32) -> Situation {
    let strategy = Strategy::builder()
        .max_surge(IntOrPercent::Int(surge))
        .max_unavailable(IntOrPercent::Int(unavailable))
        .step(Step::SetWeight(50));
    Situation::of(strategy.build().unwrap())
}

fn route(name: &str) -> Arc<ManagedRoute> {
    let header = RequestMatch::header("version", StringMatch::Exact("2".to_owned()));
    Arc::new(ManagedRoute { name: name.into(), matches: RouteMatch::Header(vec![header]) })
}

/// The same with other conditions.
fn other_route(name: &str) -> Arc<ManagedRoute> {
    let path = RequestMatch { path: Some(StringMatch::Prefix("/api".to_owned())), ..RequestMatch::default() };
    Arc::new(ManagedRoute { name: name.into(), matches: RouteMatch::Header(vec![path]) })
}

fn header(name: &str) -> Step {
    Step::SetHeaderRoute { name: name.into(), route: Some(route(name)) }
}

fn scale(pods: u32) -> Step {
    Step::SetCanaryScale(CanaryScale::Replicas(pods))
}

fn to(revision: &str) -> Vec<Selection> {
    vec![Selection::Revision(revision.into())]
}

impl Situation {
    /// The update to v2 is completed.
    fn at_rest(&mut self) {
        self.status.stable = Some("v2".into());
        self.status.step = 2;
        self.weight(0);
        self.seen().behind.stable = to("v2");
        self.revisions().remove(0);
    }

    fn abort(&mut self) {
        self.status.aborted = Some(Aborted::new(Time::from_secs(900), AbortReason::Command).into());
    }

    /// The canary's weight in the objects.
    pub(crate) fn weight(&mut self, weight: u32) {
        self.seen().routes[0].weight = Range::exact(weight);
    }

    fn managed(&mut self, names: &[&str]) {
        self.seen().routes[0].managed = names.iter().map(|name| ManagedSeen::new(route(name))).collect();
    }

    /// So many ready pods of stable, since so long that it is not unavailable yet.
    fn stable_ready(&mut self, ready: u32) {
        let there = Range::exact(ready);
        self.revisions()[0] = of("v1", 4).ready(there).available(there);
    }

    fn stable_unavailable(&mut self) {
        self.stable_ready(0);
        self.revisions()[0].unavailable = Some(Duration::from_secs(11));
    }

    fn canary_ready(&mut self, wanted: u32, ready: u32) {
        let there = Range::exact(ready);
        self.revisions()[1] = of("v2", wanted).ready(there).available(there);
    }
}

fn not_yet(since: i64) -> Settled {
    Settled::NotYet { since: Time::from_secs(since), behind: vec!["proxy-1".into()] }
}

const ROWS: [&[Row]; 19] = [
    &target::ROWS,
    &advance::ROWS,
    &desired::ROWS,
    &settled::ROWS,
    &gates::ROWS,
    &routes::ROWS,
    &selectors::ROWS,
    &stable_scale::ROWS,
    &scale_up::ROWS,
    &scale_down::ROWS,
    &basic::ROWS,
    &surplus::ROWS,
    &zero::ROWS,
    &deadline::ROWS,
    &prune::ROWS,
    &ping_pong::ROWS,
    &windows::ROWS,
    &gradual_abort::ROWS,
    &analysis::ROWS,
];

#[test]
fn every_condition_makes_a_difference() {
    let mut wrong = Vec::new();
    for (about, change, expected) in ROWS.iter().flat_map(|rows| rows.iter()) {
        let mut situation = Situation::at_fifty();
        change(&mut situation);
        let decided = in_words(&situation.plan(1000));
        if decided != *expected {
            wrong.push(format!("{about}\n  expected: {expected}\n  decided:  {decided}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is done and what has happened; then the names of the guards that hold.
fn in_words(plan: &Plan) -> String {
    let done = plan.actions.iter().map(Event::from).collect::<Vec<_>>();
    let done: Vec<_> = done.iter().chain(&plan.events).map(ToString::to_string).collect();
    let waiting: Vec<_> = plan.waiting.iter().map(|waiting| waiting.reason.guard()).collect();
    let done = if done.is_empty() { "nothing".to_owned() } else { done.join(", ") };
    format!("{done}; waits: {}", waiting.join(", "))
}
