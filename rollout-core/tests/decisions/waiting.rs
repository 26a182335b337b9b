//! Every guard, with a situation in which it holds the rollout, and what it says then.

use crate::situation::{Situation, cluster, pods};
use core::time::Duration;
use rollout_core::{
    AbortReason, Aborted, Gone, IntOrPercent, Range, Step, Strategy, Time,
    analysis::{Phase, RunRole},
    fleet::{Mark, Policy},
    pace::GradualAbort,
    traffic::{Selection, Settled},
    waiting::WaitReason,
};
use std::collections::BTreeSet;

/// A name, what is changed in the situation at 50 %, and the text that must be said.
type Row = (&'static str, fn(&mut Situation), &'static str);

const ROWS: [Row; 34] = [
    (
        "pause",
        |_| {},
        "paused by a step (since 1970-01-01T00:16:40Z); ends by command: promote, promote-full, abort",
    ),
    (
        "paused by the user",
        |it| it.spec.paused = true,
        "paused by the user (spec.paused); ends by command: resume, promote, abort",
    ),
    (
        "pods",
        |it| it.revisions()[1] = pods("v2", 2).ready(Range::exact(1)).available(Range::new(0, 1)),
        "waiting for pods of v2: 2 needed, 0..1 there (since 1970-01-01T00:16:40Z); ends when pods become ready",
    ),
    (
        "stable can carry",
        |it| {
            it.status.aborted = Some(Aborted::new(Time::from_secs(900), AbortReason::Command).into());
            it.revisions()[0] = pods("v1", 4).ready(Range::exact(1));
        },
        "traffic should go back to stable, which cannot carry it: 3 ready pods needed, 1 there; ends when stable \
         has enough pods, or on `proceed`",
    ),
    (
        "stable can carry",
        |it| {
            it.status.aborted = Some(Aborted::new(Time::from_secs(900), AbortReason::Command).into());
            it.revisions()[0] = pods("v1", 4).ready(Range::exact(0));
        },
        "traffic should go back to stable, which cannot carry it: 3 ready pods needed, 0 there; ends when pods become \
         ready",
    ),
    (
        "settled",
        |it| {
            it.seen().routes_settled =
                Settled::NotYet { since: Time::from_secs(300), behind: vec!["proxy-2".into()] };
        },
        "waiting until every proxy has the routes; behind: proxy-2; this is taking long: check the proxies, or \
         override with `proceed` (since 1970-01-01T00:05:00Z); ends when every proxy has it, or on `proceed`",
    ),
    (
        "grace period",
        |it| it.seen().routes_settled = Settled::Unknown { age: Duration::from_secs(1) },
        "the proxies cannot report whether they have the routes: waiting for a grace period; ends at \
         1970-01-01T00:16:41Z",
    ),
    (
        "proxies known",
        |it| {
            it.revisions().push(pods("v0", 1).scale_down_deadline(Some(Time::from_secs(900))));
            it.seen().proxies_known_in = Duration::from_secs(40);
        },
        "pods stay while a proxy that lost its connection before this process started may still return; ends at \
         1970-01-01T00:17:20Z",
    ),
    (
        "routes there",
        |it| it.seen().routes.clear(),
        "the strategy routes by weight, but there is no route whose weight can be set: add one, or remove \
         traffic routing; ends when a route exists",
    ),
    (
        "scale-down delay",
        |it| it.revisions().push(pods("v0", 4).scale_down_deadline(Some(Time::from_secs(1010)))),
        "v0 keeps its pods for the scale-down delay; ends at 1970-01-01T00:16:50Z",
    ),
    (
        "scale-down deadline",
        |it| {
            it.revisions()[1] = pods("v2", 4).scale_down_deadline(Some(Time::from_secs(1010)));
            it.seen().routes[0].weight = Range::exact(5);
        },
        "v2 has a scale-down deadline, which must be cancelled first; ends when the write is observed",
    ),
    (
        "destination",
        |it| {
            it.supersede();
            it.revisions()[0] = pods("v1", 4).ready(Range::exact(0));
            it.revisions()[2] = pods("v3", 4);
        },
        "the canary destination still leads to v2; ends when the write is observed",
    ),
    (
        "routes of another revision",
        |it| {
            it.supersede();
            it.seen().behind.canary = vec![Selection::Revision("v3".into())];
            it.revisions()[0] = pods("v1", 4).ready(Range::exact(0));
        },
        "the routes were written for v2; ends when the write is observed",
    ),
    (
        "stable unavailable",
        |it| {
            it.revisions()[0] =
                pods("v1", 4).ready(Range::exact(0)).unavailable(Some(Duration::from_secs(3)));
        },
        "stable has no ready pod; ends at 1970-01-01T00:16:47Z",
    ),
    (
        "stable gone",
        |it| drop(it.revisions().remove(0)),
        "the stable revision v1 no longer exists, so there is nothing to go back to; apply its manifest again, or \
         continue with `promote-full`; ends when the manifest changes",
    ),
    (
        "fence posts",
        |it| {
            let surge = IntOrPercent::Int(0);
            let strategy = Strategy::builder().max_surge(surge).step(Step::SetWeight(50)).build().unwrap();
            *it = Situation::of(strategy);
            it.revisions()[1] = pods("v2", 0);
        },
        "moving pods: at most 4 pods, at least 3 available; ends when pods become ready",
    ),
    (
        "carrying out",
        |it| it.seen().routes[0].weight = Range::exact(5),
        "the last decision is being carried out; ends when the write is observed",
    ),
    (
        "aborted",
        |it| it.status.aborted = Some(Aborted::new(Time::from_secs(900), AbortReason::Command).into()),
        "the update was aborted (since 1970-01-01T00:15:00Z); ends by command: retry, undo, promote-full",
    ),
    ("scaled to zero", |it| it.spec.replicas = 0, "scaled to zero; ends when replicas are set above zero"),
    (
        "scaling up from zero",
        |it| {
            it.status.scaled_to_zero = true;
            it.revisions()[0] = pods("v1", 4).ready(Range::exact(0));
        },
        "scaling up from zero: stable first; ends when pods become ready",
    ),
    (
        "revisions readable",
        |it| it.revisions = None,
        "the revisions could not be read; ends when the objects can be read",
    ),
    (
        "traffic readable",
        |it| it.seen = None,
        "the traffic could not be read; ends when the objects can be read",
    ),
    (
        "old pods",
        |it| {
            it.revisions().push(pods("v0", 4));
            it.seen().behind.stable.push(Selection::Revision("v0".into()));
            it.seen().selectors_settled = Settled::UNKNOWN;
            it.seen().endpoints[0].1 = Settled::UNKNOWN;
        },
        "pods of v0 are being removed; ends when the write is observed",
    ),
    (
        "step windows",
        |it| {
            let steps = [Step::SetWeight(50), Step::SetWeight(80)];
            *it = Situation::of(Strategy::builder().traffic_routing(true).steps(steps).build().unwrap());
            it.spec.windows = "Thu 09:00-17:00".parse().unwrap();
        },
        "outside the times of the week at which steps may begin; ends at 1970-01-01T09:00:00Z",
    ),
    (
        "gradual abort",
        |it| {
            it.spec.gradual_abort = Some(GradualAbort::new(20, Duration::from_secs(30)));
            it.status.aborted = Some(Aborted::new(Time::from_secs(990), AbortReason::Command).into());
            it.weight(30);
        },
        "the abort is gradual: the canary keeps a weight of 30 % for now (since 1970-01-01T00:16:30Z); ends at \
         1970-01-01T00:17:00Z",
    ),
    (
        "analysis",
        |it| *it = Situation::analysed(RunRole::Step(1), Phase::Running),
        "waiting for the analysis of step 2, run web-v2: errors: measured [0.1], required: result[0] < 0.05, 1 more \
         failure allowed; use `skip` to go on without it; ends when the run has finished",
    ),
    (
        "analysis inconclusive",
        |it| *it = Situation::analysed(RunRole::Step(1), Phase::Inconclusive),
        "analysis run web-v2 is inconclusive: errors: measured [0.1], required: result[0] < 0.05, 1 more failure \
         allowed; `resume` measures again, `promote` goes on past its step; ends by command: resume, promote, abort",
    ),
    (
        "analysis unanswered",
        |it| {
            *it = Situation::analysed(RunRole::Background, Phase::Running);
            it.run().newest = Some(Phase::Error);
        },
        "analysis run web-v2 gets no answer, and no weight rises meanwhile: errors: measured [0.1], required: \
         result[0] < 0.05, 1 more failure allowed; ends when the provider answers again, or the run finishes",
    ),
    (
        "analysis bad",
        |it| {
            *it = Situation::analysed(RunRole::Step(1), Phase::Failed);
            it.revisions().remove(0);
            it.gone = Some(Gone::new("v1".into(), Duration::from_secs(60)));
            it.weight(100);
        },
        "analysis run web-v2 failed: too many errors; there is no stable revision to go back to; ends by command: \
         promote-full, skip",
    ),
    (
        "runs readable",
        |it| {
            *it = Situation::analysed(RunRole::Step(1), Phase::Running);
            it.runs = None;
        },
        "the AnalysisRuns could not be read; ends when the objects can be read",
    ),
    (
        "other clusters",
        |it| {
            *it = Situation::in_step(in_step(), Mark::Routed(0), Mark::Ready(0));
        },
        "waiting until cluster b routes as step 1 of 2 says; it has the pods for step 1 of 2 (since \
         1970-01-01T00:15:00Z); ends when that cluster gets there, or on `promote-full` here",
    ),
    (
        "pods for other clusters",
        |it| {
            *it = Situation::in_step(in_step(), Mark::Done, Mark::Routed(2));
            it.status.stable = Some("v2".into());
            it.status.step = 2;
            it.seen().behind.stable = vec![Selection::Revision("v2".into())];
            it.weight(0);
        },
        "pods stay for requests of other clusters: waiting until cluster b is done; it routes all requests to the new \
         revision; ends when no other cluster needs them any more",
    ),
    (
        "clusters readable",
        |it| {
            *it = Situation::in_step(in_step(), Mark::Routed(0), Mark::Routed(0));
            it.peers = None;
        },
        "it is not known how far the other clusters are, so this one holds (since 1970-01-01T00:15:00Z); ends when the \
         objects can be read",
    ),
    (
        "soak",
        |it| {
            let mut policy = Policy::new([vec![cluster("b")], vec![cluster("a")]]);
            policy.soak = Duration::from_secs(600);
            *it = Situation::in_step(policy, Mark::Absent, Mark::Done);
            it.weight(0);
        },
        "the earlier clusters are done; this one begins after the soak time (since 1970-01-01T00:16:40Z); ends at \
         1970-01-01T00:26:40Z",
    ),
];

/// Two clusters that go in step.
fn in_step() -> Policy {
    Policy::new([vec![cluster("a"), cluster("b")]])
}

#[test]
fn every_guard_says_what_it_waits_for_since_when_and_what_ends_it() {
    let mut seen = BTreeSet::new();
    for (guard, change, text) in ROWS {
        let mut situation = Situation::at_fifty();
        change(&mut situation);
        let says = situation.says();
        let said = says.iter().find(|(reason, said)| reason.guard() == guard && said == text);
        assert!(said.is_some(), "{guard}: expected\n  {text}\nbut it says\n{says:#?}");
        seen.insert(guard);
    }
    // The loop reports this one: no decision waits for it.
    seen.insert("hand-over");
    assert_eq!(seen, WaitReason::GUARDS.into_iter().collect(), "a guard without a situation");
}

#[test]
fn the_progress_deadline_does_not_run_while_proxies_are_behind() {
    let mut situation = Situation::at_fifty();
    situation.revisions()[1] = pods("v2", 2).ready(Range::exact(1)).available(Range::exact(1));
    situation.status = situation.plan(1000).status;
    assert!(situation.status.progress.is_some(), "pods alone are waited for");
    // Pods are still missing, but now a proxy is behind as well.
    situation.revisions().push(pods("v0", 4));
    situation.seen().routes_settled =
        Settled::NotYet { since: Time::from_secs(1001), behind: vec!["proxy-1".into()] };
    let plan = situation.plan(9000);
    assert_eq!(plan.status.progress, None, "{:?}", plan.waiting);
    assert!(plan.events.is_empty(), "{:?}", plan.events);
}
