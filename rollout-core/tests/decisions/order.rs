//! What is done, what comes first, and what is kept: what random histories seldom show, because something else saves
//! them.

use crate::situation::{Situation, pods};
use core::time::Duration;
use rollout_core::{
    AbortReason, Aborted, Action, Driver, Event, Failure, Next, Outcome, Progress, Range, Revision, Step,
    Strategy, Time,
    traffic::{
        ManagedChange, ManagedRoute, ManagedSeen, RequestMatch, RouteMatch, Routes, Selection, Settled,
        StringMatch, WeightChange,
    },
};
use std::sync::Arc;

/// The time of every decision here, in seconds.
const NOW: i64 = 1000;

fn aborted() -> Aborted {
    Aborted::new(Time::from_secs(900), AbortReason::Command)
}

fn weight(action: &Action) -> Option<u32> {
    if let Action::Route(Routes { weight: WeightChange::To(weight), .. }) = action {
        Some(weight.parts())
    } else {
        None
    }
}

#[test]
fn pods_go_only_when_every_proxy_knows_those_that_stay() {
    let mut situation = Situation::at_fifty();
    situation.revisions()[0] = pods("v1", 6);
    let shrinks = |situation: &Situation| {
        let actions = situation.plan(NOW).actions;
        actions.contains(&Action::Scale { revision: "v1".into(), pods: 4, scale_down_deadline: None })
    };
    assert!(shrinks(&situation), "everything is settled");
    situation.seen().endpoints[0].1 =
        Settled::NotYet { since: Time::from_secs(999), behind: vec!["proxy-1".into()] };
    assert!(!shrinks(&situation), "a proxy may only know the pods that would go");
}

#[test]
fn a_managed_route_is_taken_away_before_a_destination_is_changed() {
    let mut situation = Situation::at_fifty();
    situation.status.aborted = Some(aborted().into());
    let header = RequestMatch::header("version", StringMatch::Exact("2".to_owned()));
    let route = Arc::new(ManagedRoute { name: "header".into(), matches: RouteMatch::Header(vec![header]) });
    let seen = situation.seen();
    seen.routes[0].weight = Range::exact(0);
    seen.routes[0].takes_managed = true;
    seen.routes[0].managed = vec![ManagedSeen::new(route)];
    // Somebody has made the rule again, without selectors.
    seen.behind.stable = vec![Selection::Unpinned];
    let mut observed = situation.observed();
    observed.user_selector = Some(Range::exact(4));
    let plan = rollout_core::reconcile(&situation.spec, &situation.status, &observed, Time::from_secs(NOW));
    let [Action::Route(Routes { managed: ManagedChange::Retain(kept), .. }), rest @ ..] = &*plan.actions
    else {
        panic!("{:?}", plan.actions)
    };
    assert!(kept.is_empty());
    assert!(!rest.iter().any(|action| matches!(action, Action::Select(_))), "{rest:?}");
}

#[test]
fn an_aborted_canary_that_is_weaker_than_stable_loses_its_weight_at_once() {
    let mut situation = Situation::at_fifty();
    situation.spec = situation.spec.replicas(10);
    situation.status.aborted = Some(aborted().into());
    let falls =
        |situation: &Situation| situation.plan(NOW).actions.iter().any(|action| weight(action) == Some(0));
    *situation.revisions() =
        vec![pods("v1", 10).ready(Range::exact(3)), pods("v2", 5).ready(Range::exact(2))];
    assert!(falls(&situation), "stable has fewer than 70 % of its pods, and still more than the canary");
    *situation.revisions() =
        vec![pods("v1", 10).ready(Range::exact(3)), pods("v2", 5).ready(Range::exact(5))];
    assert!(!falls(&situation), "the canary carries more than stable could");
}

#[test]
fn an_update_whose_steps_are_edited_stays_aborted() {
    let mut situation = Situation::at_fifty();
    situation.status.aborted = Some(aborted().into());
    situation.status.step = 1;
    situation.status.step_hash = Some("of other steps".into());
    let plan = situation.plan(NOW);
    assert_eq!((plan.status.aborted, plan.status.step), (Some(aborted().into()), 0));
    assert!(plan.events.contains(&Event::StepsEdited), "{:?}", plan.events);
    assert_eq!(plan.actions.iter().find_map(weight), Some(0));
}

#[test]
fn the_progress_deadline_begins_anew_with_every_pod_that_comes() {
    let mut situation = Situation::at_fifty();
    let since = |seconds, ready| Some(Progress::new(Time::from_secs(seconds), ready));
    situation.spec.progress_deadline = Duration::from_secs(600);
    situation.status.progress = since(500, 0);
    situation.revisions()[1] = pods("v2", 2).ready(Range::exact(1)).available(Range::exact(1));
    let plan = situation.plan(NOW);
    assert_eq!(plan.status.progress, since(NOW, 1), "one has come since");
    situation.status.progress = since(500, 1);
    assert_eq!(situation.plan(NOW).status.progress, since(500, 1));
    let plan = situation.plan(1100);
    assert!(plan.status.progress.is_some_and(|progress| progress.exceeded));
    assert_eq!(plan.events, [Event::ProgressDeadlineExceeded { revision: "v2".into() }]);
}

#[test]
fn nothing_is_done_after_an_action_that_failed() {
    let mut situation = Situation::at_fifty();
    *situation.revisions() = vec![pods("v1", 2), pods("v2", 1)];
    situation.status = situation.plan(NOW).status;
    let mut driver = Driver::new("ours");
    let mut fence =
        driver.begin(&situation.spec, &situation.status, &situation.observed(), Time::from_secs(NOW));
    assert_eq!(fence.next(), Next::Fence("ours-1"));
    fence.done(Ok(Outcome::Changed));
    driver.end(fence, Duration::ZERO);
    let failures =
        [Failure::Conflict, Failure::Refused("quota".to_owned()), Failure::Ambiguous("no answer".to_owned())];
    for failure in failures {
        let mut turn = Driver::clone(&driver).begin(
            &situation.spec,
            &situation.status,
            &situation.observed(),
            Time::from_secs(NOW),
        );
        assert_eq!(turn.plan().actions.len(), 2, "{:?}", turn.plan());
        assert_eq!(turn.next(), Next::VerifyOwnership);
        turn.done(Ok(Outcome::Unchanged));
        assert!(matches!(turn.next(), Next::Act(_)));
        turn.done(Err(failure.clone()));
        assert_eq!(turn.next(), Next::Done);
        assert_eq!(turn.failure(), Some(&failure));
    }
    let mut turn =
        driver.begin(&situation.spec, &situation.status, &situation.observed(), Time::from_secs(NOW));
    turn.done(Ok(Outcome::Unchanged));
    turn.done(Ok(Outcome::Changed));
    turn.done(Err(Failure::Conflict));
    assert!(matches!(turn.next(), Next::Publish([_])), "what the first one did is told: {:?}", turn.next());
}

/// Somebody else may have written the same already: then it is done, and nobody is told that this loop did it.
#[test]
fn an_action_that_changed_nothing_is_not_told() {
    let (yes, no) = (Outcome::Changed, Outcome::Unchanged);
    for (outcomes, told) in [([yes, yes], &[0, 1][..]), ([no, yes], &[1]), ([yes, no], &[0]), ([no, no], &[])]
    {
        let mut situation = Situation::at_fifty();
        *situation.revisions() = vec![pods("v1", 2), pods("v2", 1)];
        situation.status = situation.plan(NOW).status;
        let mut driver = Driver::new("ours");
        let begin = |driver: &mut Driver| {
            driver.begin(&situation.spec, &situation.status, &situation.observed(), Time::from_secs(NOW))
        };
        let mut fence = begin(&mut driver);
        assert_eq!(fence.next(), Next::Fence("ours-1"));
        fence.done(Ok(Outcome::Changed));
        driver.end(fence, Duration::ZERO);
        let mut turn = begin(&mut driver);
        turn.done(Ok(Outcome::Unchanged));
        for outcome in outcomes {
            turn.done(Ok(outcome));
        }
        let actions = turn.plan().actions.clone();
        let expected: Vec<Event> = told.iter().map(|at: &usize| Event::from(&actions[*at])).collect();
        let next = turn.next();
        let is_told =
            if expected.is_empty() { next == Next::Report } else { next == Next::Publish(&expected) };
        assert!(is_told, "{outcomes:?}: {next:?}");
    }
}

#[test]
fn a_revision_that_a_destination_leads_to_is_not_pruned() {
    let strategy = Strategy::builder().traffic_routing(true).build().unwrap();
    let mut situation = Situation::of(strategy);
    situation.spec.revision_history_limit = 0;
    situation.status.stable = Some("v2".into());
    situation.revisions =
        Some(vec![pods("v0", 0).number(1), pods("v1", 0).number(2), pods("v2", 4).number(3)]);
    situation.seen().behind.stable = vec![Selection::Revision("v2".into())];
    let pruned = |situation: &Situation| -> Vec<Revision> {
        let actions = situation.plan(NOW).actions;
        let pruned = actions.into_iter().filter_map(|action| match action {
            Action::Prune { revision } => Some(revision),
            Action::Scale { .. } | Action::Select(_) | Action::Run(_) | Action::Route(_) => None,
        });
        pruned.collect()
    };
    situation.seen().routes[0].weight = Range::exact(0);
    situation.seen().behind.canary = vec![Selection::Revision("v2".into())];
    assert_eq!(pruned(&situation), ["v1".into(), "v0".into()]);
    let seen = situation.seen();
    seen.behind.canary = vec![Selection::Revision("v1".into()), Selection::Revision("v2".into())];
    seen.routes_settled = Settled::NotYet { since: Time::from_secs(999), behind: vec!["proxy-1".into()] };
    assert_eq!(pruned(&situation), ["v0".into()], "the destination waits, and still leads to v1");
}

#[test]
fn only_the_canary_under_way_takes_over_from_an_unavailable_stable() {
    let unavailable = || pods("v1", 4).ready(Range::exact(0)).unavailable(Some(Duration::from_secs(11)));
    let takes_over = |change: fn(&mut Situation)| {
        let mut situation = Situation::at_fifty();
        situation.revisions()[0] = unavailable();
        change(&mut situation);
        situation.plan(NOW).actions.iter().any(|action| weight(action).is_some_and(|weight| weight > 50))
    };
    assert!(takes_over(|_| {}));
    assert!(!takes_over(|it| it.status.aborted = Some(aborted().into())), "it was given up");
    assert!(!takes_over(Situation::supersede), "the pods behind its weight are of another revision");
}

/// Without selectors, requests go to the revision that the routes were written for: a successor inherits no weight.
#[test]
fn a_weight_that_falls_in_parts_stays_with_the_revision_that_has_it() {
    let strategy =
        Strategy::builder().traffic_routing(true).dynamic_stable_scale(true).step(Step::SetWeight(50));
    let written_for = |ready: u32| {
        let mut situation = Situation::of(strategy.clone().build().unwrap());
        situation.supersede();
        situation.revisions()[0] = pods("v1", ready);
        situation.seen().behind.canary.clear();
        let plan = situation.plan(1000);
        plan.actions.iter().find_map(|action| {
            let Action::Route(routes) = action else { return None };
            Some((weight(action), routes.written_for.to_string()))
        })
    };
    assert_eq!(written_for(3), Some((Some(25), "v2".to_owned())));
    assert_eq!(written_for(4), Some((Some(0), "v3".to_owned())));
}
