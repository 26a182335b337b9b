//! Proxies that are behind: how often they are looked at, and what a person's word ends.

use crate::situation::{Situation, pods};
use core::time::Duration;
use rollout_core::{
    AbortReason, Aborted, Action, Range, Time,
    command::{Position, Proceed},
    reconcile,
    traffic::{ObjectRef, ObjectVersion, Selection, Settled, Version},
};

/// An update whose routes a proxy does not have since so many seconds after 1970.
fn behind_since(seconds: i64) -> Situation {
    let mut situation = Situation::at_fifty();
    situation.seen().routes_settled =
        Settled::NotYet { since: Time::from_secs(seconds), behind: vec!["proxy-1".into()] };
    situation
}

#[test]
fn they_are_looked_at_every_second_and_after_a_minute_every_five() {
    for (age, next) in [(0, 1), (59, 1), (60, 5), (61, 5), (3600, 5)] {
        let wake = behind_since(1000 - age).plan(1000).wake.unwrap();
        assert_eq!(wake.at, Time::from_secs(1000 + next), "after {age} s");
    }
}

#[test]
fn a_persons_word_ends_the_wait_at_this_step_for_these_objects_alone() {
    let content = |content| {
        let version = ObjectVersion { write: "1".into(), content };
        Version::from_iter([(ObjectRef::new("", "Service", "shop", "web"), version)])
    };
    let goes_on = |at: Position, about: &Version| {
        let mut situation = behind_since(990);
        situation.seen().version = content(1);
        let observed = situation.observed().proceed(Some(Proceed::new(at, about)));
        let plan = reconcile(&situation.spec, &situation.status, &observed, Time::from_secs(1000));
        plan.status.step == 1
    };
    let here = || Position::new("v2".into(), 0);
    assert!(goes_on(here(), &content(1)));
    assert!(!goes_on(here(), &content(2)), "the objects are not those that were waited for");
    assert!(!goes_on(Position::new("v2".into(), 1), &content(1)), "another step");
    assert!(!goes_on(Position::new("v1".into(), 0), &content(1)), "another revision");
}

#[test]
fn a_persons_word_lets_old_pods_go_but_not_before_their_time() {
    let goes = |word: bool, scale_down_deadline: i64| {
        let mut situation = behind_since(990);
        situation.status.step = 1;
        situation.revisions()[1] = pods("v2", 2);
        situation
            .revisions()
            .push(pods("v0", 4).scale_down_deadline(Some(Time::from_secs(scale_down_deadline))));
        let word = word.then(|| Proceed::new(Position::new("v2".into(), 1), &Version::NONE));
        let observed = situation.observed().proceed(word);
        let plan = reconcile(&situation.spec, &situation.status, &observed, Time::from_secs(1000));
        plan.actions.contains(&Action::Scale { revision: "v0".into(), pods: 0, scale_down_deadline: None })
    };
    assert!(goes(true, 999) && !goes(false, 999) && !goes(true, 1010));
}

/// The canary has everything, and nothing leads to stable, whose pods are gone: when its destination may change
/// depends on the routes alone, so the rollout must wake when they have had their time.
#[test]
fn a_destination_that_nothing_leads_to_waits_for_the_routes_and_not_for_pods() {
    let plan = |age: u64| {
        let mut situation = Situation::at_fifty();
        let seen = situation.seen();
        seen.routes[0].weight = Range::exact(100);
        seen.behind.stable = vec![Selection::Unpinned];
        seen.routes_settled = Settled::Unknown { age: Duration::from_millis(age) };
        situation.revisions().remove(0);
        situation.plan(1000)
    };
    let selects = |action: &Action| matches!(action, Action::Select(to) if to.stable.is_some());
    assert!(!plan(1_999).actions.iter().any(selects));
    assert_eq!(plan(1_999).wake.map(|wake| wake.at), Some(Time::from_millis(1_000_001)));
    assert!(plan(2_000).actions.iter().any(selects));
}

/// Requests for such a destination meet any pod; what replaced it may lead to pods that some proxy does not have.
#[test]
fn weight_falls_beside_the_users_own_selector_only_when_every_proxy_has_it() {
    let falls = |unpin: fn(&mut Situation), settled: Settled| {
        let mut situation = Situation::at_fifty();
        situation.status.aborted = Some(Aborted::new(Time::from_secs(999), AbortReason::Command).into());
        unpin(&mut situation);
        situation.seen().selectors_settled = settled;
        let observed = situation.observed().user_selector(Range::exact(8));
        let plan = reconcile(&situation.spec, &situation.status, &observed, Time::from_secs(1000));
        plan.actions.iter().any(|action| matches!(action, Action::Route(_)))
    };
    let not_yet = || Settled::NotYet { since: Time::from_secs(999), behind: vec!["proxy-1".into()] };
    let canarys: fn(&mut Situation) = |it| it.seen().behind.canary = vec![Selection::Unpinned];
    assert!(falls(canarys, Settled::Yes) && !falls(canarys, not_yet()));
    // After a commit, stable's destination may still lead to the revision before, whose pods are going.
    let olds: fn(&mut Situation) = |it| {
        it.seen().behind.canary = vec![Selection::Unpinned];
        it.seen().behind.stable = vec![Selection::Revision("v0".into())];
        it.revisions().push(pods("v0", 4));
        it.seen().endpoints.push(("v0".into(), Settled::Yes));
    };
    assert!(!falls(olds, Settled::Yes));
    // The pods of stable are gone, and its destination reaches those of the canary.
    let stables: fn(&mut Situation) = |it| {
        it.seen().behind.stable = vec![Selection::Unpinned];
        it.revisions().remove(0);
        it.supersede();
    };
    assert!(falls(stables, Settled::Yes) && !falls(stables, not_yet()));
    assert!(
        falls(|_| {}, not_yet()),
        "an abort does not wait for the selectors of destinations that are pinned"
    );
}

/// Before a first deploy is done, nobody is better off by waiting for proxies that do not show the endpoints.
#[test]
fn only_a_revision_that_is_alone_and_stays_so_does_not_wait_for_its_endpoints() {
    let selects = |canary: &str| {
        let mut situation = Situation::at_fifty();
        situation.status.canary = Some(canary.into());
        situation.spec.target = canary.into();
        let seen = situation.seen();
        (seen.behind.stable, seen.behind.canary) =
            (vec![Selection::Unpinned], vec![Selection::Revision("v1".into())]);
        seen.routes[0].weight = Range::exact(0);
        seen.endpoints[0].1 = Settled::NotYet { since: Time::from_secs(900), behind: vec!["proxy-1".into()] };
        situation.revisions().pop();
        let plan = situation.plan(1000);
        plan.actions.iter().any(|action| matches!(action, Action::Select(to) if to.stable.is_some()))
    };
    assert!(selects("v1"));
    assert!(!selects("v2"), "its pods are on their way, and the user's own selector will reach them");
}
