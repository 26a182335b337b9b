//! In which order a turn does things, and what becomes of it when one of them fails.

use crate::situation::{Situation, pods};
use core::time::Duration;
use rollout_core::{
    Driver, Event, Failure, Next, Outcome, Range, Resume, Time, Turn, Wake,
    traffic::{Selection, Settled},
    waiting::WakeReason,
};

/// One pod too few for stable, and everything else at rest: an action, and the same status.
fn one_action() -> Situation {
    let mut situation = Situation::at_fifty();
    situation.seen().routes[0].weight = Range::exact(0);
    situation.status.stable = Some("v2".into());
    situation.seen().behind.stable = vec![Selection::Revision("v2".into())];
    *situation.revisions() = vec![pods("v2", 3)];
    situation.status = situation.plan(1000).status;
    situation
}

fn at_rest() -> Situation {
    let mut situation = one_action();
    *situation.revisions() = vec![pods("v2", 4)];
    situation.status = situation.plan(1000).status;
    situation
}

/// A pause begins, which is stored and told; besides that, stable gets a pod.
fn everything() -> Situation {
    let mut situation = Situation::at_fifty();
    *situation.revisions() = vec![pods("v1", 3), pods("v2", 2)];
    situation
}

/// One that has its fence already.
fn fenced() -> Driver {
    let mut driver = Driver::new("ours");
    let mut turn = begin(&mut driver, &one_action());
    assert_eq!(turn.next(), Next::Fence("ours-1"));
    turn.done(Ok(Outcome::Changed));
    assert_eq!(driver.end(turn, Duration::ZERO), Resume::Now { live: true });
    assert!(driver.take_live() && driver.nonce() == Some("ours-1"));
    driver
}

fn begin(driver: &mut Driver, situation: &Situation) -> Turn {
    driver.begin(&situation.spec, &situation.status, &situation.observed(), Time::from_secs(1000))
}

/// What one turn does; the thing at `fails` goes wrong. Then when the next one begins.
fn done(situation: &Situation, mut driver: Driver, fails: Option<usize>) -> Vec<&'static str> {
    let mut turn = begin(&mut driver, situation);
    let mut things = Vec::new();
    while things.len() < 9 {
        things.push(match turn.next() {
            Next::Fence(_) => "fence",
            Next::Store(_) => "store",
            Next::VerifyOwnership => "prove",
            Next::Act(_) => "act",
            Next::Publish(_) => "publish",
            Next::Report => "report",
            Next::Done => break,
        });
        let fails = fails == Some(things.len() - 1);
        turn.done(if fails { Err(Failure::Conflict) } else { Ok(Outcome::Changed) });
    }
    assert_eq!(turn.failure().is_some(), fails.is_some());
    things.push(match driver.end(turn, Duration::ZERO) {
        Resume::Now { live: true } => "live",
        Resume::Now { live: false } => "again",
        Resume::At(_) => "later",
        Resume::After { .. } => "backs off",
        Resume::OnChange => "rests",
    });
    things
}

#[test]
fn a_turn_leaves_out_what_there_is_not_and_what_comes_after_a_failure() {
    let (none, fenced) = (Driver::new("ours"), fenced());
    let (rest, act, all) = (&at_rest(), &one_action(), &everything());
    for (situation, driver, fails, expected) in [
        (rest, &none, None, "report rests"),
        (act, &none, None, "fence live"),
        (act, &none, Some(0), "fence live"),
        (act, &fenced, None, "prove act publish report again"),
        (act, &fenced, Some(0), "prove live"),
        (act, &fenced, Some(1), "prove act live"),
        (all, &none, None, "fence live"),
        (all, &fenced, None, "store act publish report again"),
        (all, &fenced, Some(0), "store live"),
        (all, &fenced, Some(1), "store act publish live"),
        (all, &fenced, Some(2), "store act publish live"),
    ] {
        assert_eq!(done(situation, driver.clone(), fails).join(" "), expected, "{fails:?}");
    }
}

/// Nothing else happens in the turn: the plan alone has nothing to store and nothing to publish.
#[test]
fn events_of_a_command_are_published_once_its_effect_is_stored() {
    for (situation, expected) in [(at_rest(), 0), (one_action(), 1)] {
        let event = Event::Resumed;
        let mut turn = begin(&mut fenced(), &situation).after_commands(vec![event.clone()]);
        assert!(matches!(turn.next(), Next::Store(_)));
        turn.done(Ok(Outcome::Changed));
        for _ in 0..expected {
            assert!(matches!(turn.next(), Next::Act(_)));
            turn.done(Ok(Outcome::Unchanged));
        }
        assert_eq!(turn.next(), Next::Publish(&[event]));
    }
}

/// Begins a turn in which an action fails like this, and ends it.
fn fails(driver: &mut Driver, failure: &Failure, elapsed: u64) -> Resume {
    let mut turn = begin(driver, &one_action());
    assert_eq!(turn.next(), Next::VerifyOwnership);
    turn.done(Ok(Outcome::Unchanged));
    assert!(matches!(turn.next(), Next::Act(_)));
    turn.done(Err(failure.clone()));
    assert_eq!(turn.failure(), Some(failure));
    driver.end(turn, Duration::from_secs(elapsed))
}

/// It would go round as fast as it can otherwise.
#[test]
fn a_refused_action_is_followed_by_a_pause() {
    let (mut driver, refused) = (fenced(), Failure::Refused("quota".to_owned()));
    let after = |seconds| Resume::After { delay: Duration::from_secs(seconds), live: true };
    assert_eq!(fails(&mut driver, &refused, 100), after(2));
    assert_eq!(driver.not_before(), Duration::from_secs(102), "whatever happens meanwhile");
    assert_eq!(fails(&mut driver, &refused, 102), after(4));
    assert!(driver.is_failing() && driver.nonce().is_some(), "it is known not to have taken effect");
    let mut turn = begin(&mut driver, &at_rest());
    assert_eq!(turn.next(), Next::Report);
    turn.done(Ok(Outcome::Unchanged));
    assert_eq!(turn.next(), Next::Done);
    assert_eq!(driver.end(turn, Duration::from_secs(106)), Resume::OnChange);
    assert!(!driver.is_failing() && driver.not_before().is_zero());
}

#[test]
fn an_unclear_answer_costs_the_fence() {
    let mut driver = fenced();
    let unclear = Failure::Ambiguous("no answer".to_owned());
    assert_eq!(fails(&mut driver, &unclear, 1), Resume::Now { live: true });
    assert_eq!(driver.nonce(), None);
    assert_eq!(begin(&mut driver, &one_action()).next(), Next::Fence("ours-2"));
}

#[test]
fn a_turn_that_was_not_carried_to_its_end_may_have_taken_effect() {
    let (mut dropped, mut ended) = (fenced(), fenced());
    drop(begin(&mut dropped, &one_action()));
    assert_eq!(begin(&mut dropped, &one_action()).next(), Next::Fence("ours-2"));
    let mut turn = begin(&mut ended, &one_action());
    assert_eq!(turn.next(), Next::VerifyOwnership);
    assert_eq!(ended.end(turn, Duration::ZERO), Resume::Now { live: true });
    assert_eq!(ended.nonce(), None);
    for (mut untouched, nonce) in [(fenced(), Some("ours-1")), (Driver::new("ours"), None)] {
        let turn = begin(&mut untouched, &one_action());
        untouched.end(turn, Duration::ZERO);
        assert_eq!(untouched.nonce(), nonce, "nothing was handed out");
    }
}

#[test]
fn a_fence_waits_for_the_end_of_a_pause() {
    let mut driver = Driver::new("ours");
    driver.failed(&Failure::Refused("quota".to_owned()), Duration::ZERO);
    let mut turn = begin(&mut driver, &one_action());
    assert_eq!(turn.next(), Next::Fence("ours-1"));
    turn.done(Ok(Outcome::Changed));
    let delay = Duration::from_secs(1);
    assert_eq!(driver.end(turn, Duration::from_secs(1)), Resume::After { delay, live: true });
}

/// A data plane that cannot be asked is given time by the driver's own clock.
#[test]
fn an_unknown_answer_grows_old_by_itself() {
    let mut situation = Situation::at_fifty();
    situation.seen().routes_settled = Settled::UNKNOWN;
    let mut driver = fenced();
    let mut step = |elapsed| {
        let mut observed = situation.observed();
        driver.see(&mut observed, Duration::from_secs(elapsed));
        let turn = driver.begin(&situation.spec, &situation.status, &observed, Time::from_secs(1000));
        let step = turn.plan().status.step;
        driver.end(turn, Duration::from_secs(elapsed));
        step
    };
    assert_eq!([step(50), step(51), step(53)], [0, 0, 1]);
}

#[test]
fn a_nonce_of_another_process_breaks_the_fence_and_is_told() {
    let mut driver = fenced();
    let mut observed = everything().observed();
    observed.revisions.as_mut().unwrap()[0].nonce = Some("ours-1".into());
    assert_eq!(driver.see(&mut observed, Duration::ZERO), None);
    observed.traffic.as_mut().unwrap().nonces.push("theirs-7".into());
    let rival = driver.see(&mut observed, Duration::ZERO).unwrap();
    assert_eq!((&*rival.ours, &*rival.other), ("ours-1", "theirs-7"));
    assert_eq!(driver.nonce(), None);
}

#[test]
fn what_happens_outside_a_turn_is_remembered_too() {
    let (mut driver, second) = (Driver::new("ours"), Duration::from_secs(1));
    assert!(!driver.take_live());
    driver.read_live();
    assert!(driver.take_live() && !driver.take_live(), "once");
    let refused = Failure::Refused("forbidden".to_owned());
    assert_eq!(driver.failed(&refused, second), Resume::After { delay: 2 * second, live: true });
    assert!(driver.take_live() && driver.is_failing());
    driver.went_well();
    assert!(!driver.is_failing() && driver.not_before().is_zero());
    driver.rest_until(9 * second);
    assert_eq!(driver.not_before(), 9 * second);
}

#[test]
fn a_turn_is_due_now_or_later_or_only_after_a_change() {
    let (now, two) = (Time::from_secs(100), Duration::from_secs(2));
    let at = |seconds| Resume::At(Wake::new(Time::from_secs(seconds), WakeReason::PauseEnds));
    let due = [
        Resume::Now { live: true },
        Resume::After { delay: two, live: true },
        at(130),
        at(90),
        Resume::OnChange,
    ];
    let due = due.map(|resume| resume.due(now).map(|at| at.since(now).as_secs()));
    assert_eq!(due, [Some(0), Some(2), Some(30), Some(0), None]);
}
