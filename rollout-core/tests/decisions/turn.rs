//! In which order a turn does things, and what becomes of it when one of them fails.

use crate::situation::{Situation, pods};
use rollout_core::{Failure, Fence, Next, Outcome, Range, Time, Turn, WakeReason, traffic::Selection};

/// One pod too few for stable, and everything else at rest: an action, and the same status.
fn one_action() -> Situation {
    let mut situation = Situation::at_fifty();
    situation.seen().routes[0].weight = Range::exact(0);
    situation.status.stable = Some("v2".into());
    situation.seen().stable = vec![Selection::Revision("v2".into())];
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

/// What one turn does; the thing at `fails` goes wrong.
fn done(situation: &Situation, fence: &Fence, fails: Option<usize>) -> Vec<&'static str> {
    let now = Time::from_secs(1000);
    let mut turn = Turn::begin(&situation.spec, &situation.status, &situation.observed(), now, fence);
    let mut things = Vec::new();
    while things.len() < 9 {
        things.push(match turn.next() {
            Next::Fence => "fence",
            Next::Store(_) => "store",
            Next::Prove => "prove",
            Next::Act(_) => "act",
            Next::Publish(_) => "publish",
            Next::Done { wake, failure, .. } => {
                assert_eq!(failure.is_some(), fails.is_some());
                let again = wake.is_some_and(|wake| wake.why == WakeReason::GoOn);
                things.push(if again { "again" } else { "done" });
                return things;
            }
        });
        let fails = fails == Some(things.len() - 1);
        turn.done(if fails { Err(Failure::Conflict) } else { Ok(Outcome::Changed) });
    }
    things
}

#[test]
fn a_turn_leaves_out_what_there_is_not_and_what_comes_after_a_failure() {
    let (none, mut fence) = (Fence::default(), Fence::default());
    fence.written("ours".to_owned());
    let (rest, act, all) = (&at_rest(), &one_action(), &everything());
    for (situation, fence, fails, expected) in [
        (rest, &none, None, "done"),
        (act, &none, None, "fence again"),
        (act, &none, Some(0), "fence again"),
        (act, &fence, None, "prove act publish done"),
        (act, &fence, Some(0), "prove again"),
        (act, &fence, Some(1), "prove act again"),
        (all, &none, None, "fence again"),
        (all, &fence, None, "store act publish done"),
        (all, &fence, Some(0), "store again"),
        (all, &fence, Some(1), "store act publish again"),
        (all, &fence, Some(2), "store act publish again"),
    ] {
        assert_eq!(done(situation, fence, fails).join(" "), expected, "{fails:?}");
    }
}

#[test]
fn a_fence_holds_until_another_nonce_is_found_or_an_outcome_is_not_known() {
    let ours = || {
        let mut fence = Fence::default();
        fence.written("ours".into());
        fence
    };
    let nonces: [(&[Option<&str>], bool); 3] =
        [(&[], true), (&[None, Some("ours")], true), (&[Some("ours"), Some("theirs")], false)];
    for (found, holds) in nonces {
        let mut fence = ours();
        fence.found(found.iter().copied());
        assert_eq!(fence.holds(), holds, "{found:?}");
    }
    let mut fence = ours();
    fence.lost();
    assert!(!fence.holds());
}
