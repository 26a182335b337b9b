//! The laws of the functions alone: how far a cluster may go, and how decisions merge.

use proptest::{
    collection::{btree_map, vec as several},
    prelude::*,
    sample::select,
};
use rollout_core::{
    Spec, Status, Step, Strategy as Canary, Time,
    fleet::{
        Abort, ClusterName, Decision, Inside, Mark, Member, Peers, Permit, Policy, Progress, Reading,
        Unreachable, permit,
    },
};
use std::{sync::Arc, time::Duration};

fn name(of: &str) -> ClusterName {
    ClusterName::new(of).expect("a name")
}

fn mark() -> impl Strategy<Value = Mark> {
    prop_oneof![
        1 => Just(Mark::Absent),
        4 => (0..3_u32).prop_map(Mark::Ready),
        4 => (0..3_u32).prop_map(Mark::Routed),
        1 => Just(Mark::Done),
    ]
}

fn policy() -> impl Strategy<Value = Policy> {
    let waves = select(vec![
        vec![vec!["a", "b", "c"]],
        vec![vec!["a"], vec!["b", "c"]],
        vec![vec!["b", "c"], vec!["a"]],
        vec![vec!["b"], vec!["a", "c"]],
    ]);
    let unreachable =
        select(vec![Unreachable::Hold, Unreachable::CountAsFailed { after: Duration::from_secs(60) }]);
    let choices = (select(vec![Inside::LockStep, Inside::Free]), 0..2_u32, unreachable);
    let decisions = (select(vec![Abort::Everywhere, Abort::Here]), any::<bool>());
    (waves, choices, decisions).prop_map(|(waves, (inside, most, unreachable), (abort, follow))| {
        let waves = waves.into_iter().map(|wave| wave.into_iter().map(name).collect());
        let mut policy = Policy::new(waves);
        (policy.inside, policy.max_failures, policy.unreachable) = (inside, most, unreachable);
        (policy.abort, policy.follow) = (abort, follow);
        policy
    })
}

/// How far a cluster is: its revision, its mark, its attempt, and whether it is aborted.
fn progress(policy: &Policy, (revision, mark, attempt, aborted): (&str, Mark, u32, bool)) -> Progress {
    let strategy = Canary::builder().traffic_routing(true).step(Step::SetWeight(50)).build().expect("valid");
    let mut spec = Spec::new(strategy, revision.into());
    spec.fleet = Some(Arc::new(policy.clone()));
    let mut status = Status::default();
    (status.stable, status.canary) = (Some("v1".into()), Some(revision.into()));
    status.aborted = aborted
        .then(|| rollout_core::Aborted::new(Time::from_secs(0), rollout_core::AbortReason::Command).into());
    let mut member = Member::default();
    (member.attempt.release, member.attempt.retry, member.reached) = (attempt / 3, attempt % 3, mark);
    status.fleet = Some(Box::new(member));
    Progress::of(&spec, &status).expect("it has a policy")
}

type Written = (&'static str, Mark, u32, bool);

fn written() -> impl Strategy<Value = Written> {
    let revision = prop_oneof![5 => Just("v2"), 1 => Just("v3")];
    let attempt = prop_oneof![4 => Just(3_u32), 1 => 2..=5_u32];
    (revision, mark(), attempt, prop_oneof![5 => Just(false), 1 => Just(true)])
}

/// What is known about the other clusters; `None` for one that was never read.
fn others() -> impl Strategy<Value = Vec<(ClusterName, Written, bool)>> {
    btree_map(select(vec!["b", "c"]), (written(), prop_oneof![4 => Just(true), 1 => Just(false)]), 0..=2)
        .prop_map(|all| all.into_iter().map(|(of, (written, fresh))| (name(of), written, fresh)).collect())
}

fn peers(policy: &Policy, others: &[(ClusterName, Written, bool)]) -> Peers {
    others.iter().fold(Peers::new(name("a")), |peers, (of, written, is_fresh)| {
        let reading = Reading::new(Some(progress(policy, *written)));
        let reading = if *is_fresh { reading } else { reading.unreachable_since(Time::from_secs(0)) };
        peers.reading(of.clone(), reading)
    })
}

const NOW: Time = Time::from_secs(30);

fn here(policy: &Policy, mark: Mark) -> Progress {
    progress(policy, ("v2", mark, 3, false))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    /// What a cluster has reached is never taken back, and nothing is permitted that says nobody waits.
    #[test]
    fn what_was_reached_stays(policy in policy(), mine in mark(), others in others()) {
        let permit = permit(&policy, &here(&policy, mine), &peers(&policy, &others), NOW);
        prop_assert!(permit.up_to >= mine);
        prop_assert!(permit.waiting.is_some() || permit.up_to == Mark::Done, "{permit:?}");
    }

    /// permit_is_monotone: a cluster that is further on never lowers what others may do.
    #[test]
    fn permit_is_monotone(policy in policy(), mine in mark(), others in others(), further in mark()) {
        let before = permit(&policy, &here(&policy, mine), &peers(&policy, &others), NOW);
        for index in 0..others.len() {
            let mut later = others.clone();
            let (_, (_, mark, _, aborted), _) = &mut later[index];
            if *aborted {
                continue;
            }
            *mark = (*mark).max(further);
            let after = permit(&policy, &here(&policy, mine), &peers(&policy, &later), NOW);
            prop_assert!(after.up_to >= before.up_to && after.lowest >= before.lowest, "{before:?} {after:?}");
        }
    }

    /// stale_only_holds: without a budget, an older reading, or none, never permits more than the truth.
    #[test]
    fn stale_only_holds(
        mut policy in policy(), mine in mark(), others in others(), older in several(mark(), 2), lost in 0..4_u8,
    ) {
        policy.max_failures = 0;
        let truth = permit(&policy, &here(&policy, mine), &peers(&policy, &others), NOW);
        let mut stale = others.clone();
        for ((_, (_, mark, _, aborted), _), older) in stale.iter_mut().zip(older) {
            if *mark > older {
                // Before it was this far, it was not done, and may not have been aborted.
                (*mark, *aborted) = (older, *aborted);
            }
        }
        let mut known = 0;
        stale.retain(|_| {
            known += 1;
            lost & known == 0
        });
        let seen = permit(&policy, &here(&policy, mine), &peers(&policy, &stale), NOW);
        let truth_failed = truth.waiting.as_ref().is_some_and(|wait| wait.need == rollout_core::fleet::Need::Works);
        prop_assert!(truth_failed || seen.up_to <= truth.up_to, "{seen:?} {truth:?}");
        prop_assert!(seen.lowest <= truth.lowest);
    }

    /// same_release: what another release, another policy or another attempt has reached permits nothing.
    #[test]
    fn same_release(policy in policy(), mine in mark(), others in others()) {
        let same = permit(&policy, &here(&policy, mine), &peers(&policy, &others), NOW);
        let mut other_policy = policy.clone();
        other_policy.soak += Duration::from_secs(1);
        let foreign = others.iter().fold(Peers::new(name("a")), |peers, (of, written, _)| {
            peers.read(of.clone(), progress(&other_policy, *written))
        });
        let nothing = Peers::new(name("a"));
        let alone = permit(&policy, &here(&policy, mine), &nothing, NOW);
        let held = permit(&policy, &here(&policy, mine), &foreign, NOW);
        prop_assert_eq!(held.up_to, alone.up_to);
        prop_assert_eq!(held.lowest, Mark::Absent);
        prop_assert!(held.up_to <= same.up_to || same.waiting.is_some());
    }

    /// join_laws: in any order, however grouped, however often.
    #[test]
    fn join_laws(all in several((0..3_u32, any::<bool>(), proptest::option::of(0..3_u32)), 3)) {
        let [a, b, c] = [0, 1, 2].map(|index: usize| {
            let (attempt, abort, passed) = all[index];
            let mut decision = Decision::default();
            (decision.attempt.retry, decision.abort, decision.passed) = (attempt, abort, passed);
            decision
        });
        prop_assert_eq!(a.join(b), b.join(a));
        prop_assert_eq!(a.join(b).join(c), a.join(b.join(c)));
        prop_assert_eq!(a.join(a), a);
        prop_assert_eq!(a.join(b).join(b), a.join(b));
        if a.attempt == b.attempt {
            prop_assert_eq!(a.join(b).abort, a.abort || b.abort, "an abort wins ties");
        }
    }
}

#[test]
fn the_soak_time_and_the_time_of_a_failure_are_told() {
    let mut policy = Policy::new([vec![name("b")], vec![name("a")]]);
    policy.soak = Duration::from_secs(600);
    let done = Peers::new(name("a")).read(name("b"), progress(&policy, ("v2", Mark::Done, 3, false)));
    let next = permit(&policy, &here(&policy, Mark::Absent), &done, NOW);
    assert_eq!((next.up_to, next.soak), (Mark::Done, Duration::from_secs(600)));

    policy.max_failures = 1;
    policy.unreachable = Unreachable::CountAsFailed { after: Duration::from_secs(60) };
    let lost = Reading::new(None).unreachable_since(Time::from_secs(0));
    let peers = Peers::new(name("a")).reading(name("b"), lost);
    let held = permit(&policy, &here(&policy, Mark::Absent), &peers, NOW);
    assert_eq!((held.up_to, held.decide_at), (Mark::Absent, Some(Time::from_secs(60))));
    let later = permit(&policy, &here(&policy, Mark::Absent), &peers, Time::from_secs(60));
    assert_eq!(later.up_to, Mark::Done);
    assert_eq!(later.lowest, Mark::Absent, "its pods are still kept for it");
}

#[test]
fn a_cluster_alone_may_do_everything() {
    let policy = Policy::new([vec![name("a")]]);
    let all = permit(&policy, &here(&policy, Mark::Absent), &Peers::new(name("a")), NOW);
    assert_eq!(all, Permit::alone());
}
