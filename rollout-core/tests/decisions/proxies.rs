//! Proxies that are behind: how often they are looked at, and what a person's word ends.

use crate::situation::Situation;
use rollout_core::{
    Position, Proceed, Time, reconcile,
    traffic::{ObjectRef, ObjectVersion, Settled, Version},
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
