//! The law *total*: no status, spec, observation and time makes the engine panic. They are drawn apart from each
//! other, so that most of them could never meet: any index, unknown revisions, the edges of every number, times
//! before 1970 and after 9999.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use core::time::Duration;
use proptest::{
    collection::vec,
    option, prop_assert, prop_assert_eq, prop_oneof, proptest,
    sample::select,
    strategy::{Just, Strategy as Drawn},
    test_runner::Config,
};
use rollout_core::{
    AbortReason, Aborted, Action, Answer, CanaryScale, Command, CommandKind, IntOrPercent, Observed,
    Progress, Range, Revision, RevisionSeen, Spec, Status, Step, Strategy, Threshold, Time, apply,
    command::{Position, Proceed},
    reconcile,
    traffic::{
        ManagedRoute, ManagedSeen, RequestMatch, RouteMatch, RoutesSeen, Seen, Selection, Settled,
        StringMatch, Version, WeightChange,
    },
};
use std::sync::Arc;

fn revision() -> impl Drawn<Value = Revision> {
    select(vec!["v1", "v2", "v3", "unknown", ""]).prop_map(Revision::from)
}

fn number() -> impl Drawn<Value = u32> {
    prop_oneof![0..12_u32, select(vec![99, 100, 101, i32::MAX as u32, u32::MAX - 1, u32::MAX])]
}

/// 253402300800 is the start of the year 10000.
fn time() -> impl Drawn<Value = Time> {
    let edges = [i64::MIN, i64::MIN + 1, -1, 0, 1, 253_402_300_800_000, i64::MAX - 1, i64::MAX];
    prop_oneof![(0..2_000_000_i64), select(edges.to_vec()), proptest::num::i64::ANY]
        .prop_map(Time::from_millis)
}

fn duration() -> impl Drawn<Value = Duration> {
    let edges = [Duration::ZERO, Duration::from_millis(1), Duration::from_secs(u64::MAX), Duration::MAX];
    prop_oneof![(0..2000_u64).prop_map(Duration::from_secs), select(edges.to_vec())]
}

fn range() -> impl Drawn<Value = Range> {
    prop_oneof![
        number().prop_map(Range::exact),
        (number(), number()).prop_map(|(lo, hi)| Range::new(lo, hi)),
        Just(Range::UNKNOWN)
    ]
}

fn managed() -> impl Drawn<Value = Arc<ManagedRoute>> {
    let exact = || StringMatch::Exact("canary".into());
    let header = RouteMatch::Header(vec![RequestMatch::header("lane", exact())]);
    let copied = RequestMatch { method: Some(exact()), ..RequestMatch::default() };
    let mirror = RouteMatch::Mirror { matches: vec![copied], percentage: 10 };
    (select(vec!["one", "two"]), select(vec![header, mirror]))
        .prop_map(|(name, matches)| Arc::new(ManagedRoute { name: name.into(), matches }))
}

fn step() -> impl Drawn<Value = Step> {
    let scale = prop_oneof![
        number().prop_map(CanaryScale::Replicas),
        number().prop_map(CanaryScale::Weight),
        Just(CanaryScale::MatchTrafficWeight)
    ];
    prop_oneof![
        (0..=100_u32).prop_map(Step::SetWeight),
        option::of(duration()).prop_map(Step::Pause),
        scale.prop_map(Step::SetCanaryScale),
        (managed(), proptest::bool::ANY).prop_map(|(route, adds)| {
            let (name, mirrors) = (route.name.clone(), route.is_mirror());
            let route = adds.then_some(route);
            if mirrors { Step::SetMirrorRoute { name, route } } else { Step::SetHeaderRoute { name, route } }
        }),
    ]
}

fn strategy() -> impl Drawn<Value = Strategy> {
    let signed = || prop_oneof![0..120_i32, select(vec![i32::MIN, -1, i32::MAX - 1, i32::MAX])];
    let fence =
        || prop_oneof![signed().prop_map(IntOrPercent::Int), signed().prop_map(IntOrPercent::Percent)];
    let threshold = prop_oneof![number().prop_map(Threshold::Percent), number().prop_map(Threshold::Pods)];
    let pods = (fence(), fence(), option::of(number()), option::of(threshold));
    let delays = (option::of(duration()), option::of(duration()));
    let kind = (proptest::bool::weighted(0.8), proptest::bool::ANY, proptest::bool::ANY);
    (vec(step(), 0..6), kind, select(vec![100, 1000, u32::MAX]), pods, delays).prop_map(
        |(steps, (routed, canary_service, stable_service), total, pods, delays)| {
            let base = || {
                let (surge, unavailable, at_least, threshold) = pods;
                Strategy::builder()
                    .canary_service(canary_service)
                    .stable_service(stable_service)
                    .max_surge(surge)
                    .max_unavailable(unavailable)
                    .min_pods_per_replica_set(at_least)
                    .replica_progress_threshold(threshold)
                    .scale_down_delay(delays.0)
                    .abort_scale_down_delay(delays.1)
            };
            if routed {
                let with = base().max_weight(total).managed_route("one").managed_route("two");
                return with.steps(steps).build().unwrap();
            }
            let plain = |step: &Step| matches!(step, Step::SetWeight(_) | Step::Pause(_));
            base().steps(steps.into_iter().filter(plain)).build().unwrap()
        },
    )
}

fn spec() -> impl Drawn<Value = Spec> {
    let rest = (proptest::bool::ANY, duration(), proptest::bool::ANY, number());
    (strategy(), revision(), number(), rest).prop_map(|(strategy, target, replicas, rest)| {
        let mut spec = Spec::new(strategy, target).replicas(replicas);
        (spec.paused, spec.progress_deadline, spec.progress_deadline_abort, spec.revision_history_limit) =
            rest;
        spec
    })
}

fn status() -> impl Drawn<Value = Status> {
    let revisions = (option::of(revision()), option::of(revision()));
    let why = select(vec![AbortReason::Command, AbortReason::ProgressDeadline]);
    let aborted = option::weighted(0.3, (time(), why).prop_map(|(at, why)| Aborted::new(at, why).into()));
    let progress = (time(), number(), proptest::bool::ANY).prop_map(|(at, ready, exceeded)| {
        let mut progress = Progress::new(at, ready);
        progress.exceeded = exceeded;
        progress
    });
    let flags = (proptest::bool::weighted(0.2), proptest::bool::weighted(0.2));
    let waits = (option::of(time()), option::of(progress));
    (revisions, number(), proptest::bool::ANY, waits, aborted, flags).prop_map(
        |((stable, canary), step, hashed, (paused_at, progress), aborted, (promote_full, scaled_to_zero))| {
            let mut status = Status::default();
            (status.stable, status.canary, status.step) = (stable, canary, step);
            status.step_hash = hashed.then(|| "of other steps".into());
            (status.paused_at, status.progress, status.aborted) =
                (paused_at.map(Time::ceil_to_second), progress, aborted);
            (status.promote_full, status.scaled_to_zero) = (promote_full, scaled_to_zero);
            status
        },
    )
}

fn settled() -> impl Drawn<Value = Settled> {
    prop_oneof![
        3 => Just(Settled::Yes),
        1 => (time(), vec("[a-z]{1,5}", 0..3)).prop_map(|(since, behind)| Settled::NotYet { since, behind }),
        1 => duration().prop_map(|age| Settled::Unknown { age })
    ]
}

fn seen() -> impl Drawn<Value = Seen> {
    let selections =
        || vec(prop_oneof![Just(Selection::Unpinned), revision().prop_map(Selection::from)], 0..3);
    let stands = prop_oneof![managed().prop_map(ManagedSeen::new), Just(ManagedSeen::drifted("one".into()))];
    let flags = (proptest::bool::weighted(0.8), proptest::bool::weighted(0.8));
    let routes = (range(), vec(stands, 0..3), flags, option::of(revision())).prop_map(
        |(weight, managed, (in_order, takes_managed), written_for)| {
            let mut routes = RoutesSeen::new(weight);
            (routes.managed, routes.in_order, routes.takes_managed, routes.written_for) =
                (managed, in_order, takes_managed, written_for);
            routes
        },
    );
    let elsewhere = (proptest::bool::ANY, proptest::bool::ANY);
    let all_settled = (settled(), settled(), vec((revision(), settled()), 0..4));
    (selections(), selections(), vec(routes, 0..3), elsewhere, all_settled).prop_map(
        |(stable, canary, routes, elsewhere, all_settled)| {
            let mut seen = Seen::nothing();
            (seen.behind.stable, seen.behind.canary, seen.routes) = (stable, canary, routes);
            (seen.used_elsewhere.stable, seen.used_elsewhere.canary) = elsewhere;
            (seen.routes_settled, seen.selectors_settled, seen.endpoints) = all_settled;
            seen
        },
    )
}

fn observed() -> impl Drawn<Value = Observed> {
    let pods = (number(), range(), range(), option::of(time()), option::of(duration()));
    let one = (revision(), proptest::num::u64::ANY, pods).prop_map(
        |(revision, number, (wanted, ready, available, scale_down_deadline, unavailable))| {
            let seen = RevisionSeen::new(revision).number(number).wanted(wanted);
            seen.ready(ready)
                .available(available)
                .scale_down_deadline(scale_down_deadline)
                .unavailable(unavailable)
        },
    );
    let word = (revision(), number())
        .prop_map(|(revision, step)| Proceed::new(Position::new(revision, step), &Version::NONE));
    let known = (option::weighted(0.9, vec(one, 0..5)), option::weighted(0.9, seen()));
    (known, option::of(range()), option::of(word)).prop_map(|((revisions, seen), own, word)| {
        let mut observed = Observed::new().proceed(word);
        (observed.revisions, observed.traffic, observed.user_selector) = (revisions, seen, own);
        observed
    })
}

proptest! {
    #![proptest_config(Config { cases: 10_000, failure_persistence: None, ..Config::default() })]

    /// Whatever comes in, a plan comes out: the same again, and one that can be stored and be carried out.
    #[test]
    fn every_input_has_a_plan(spec in spec(), status in status(), observed in observed(), now in time()) {
        let plan = reconcile(&spec, &status, &observed, now);
        prop_assert_eq!(&plan, &reconcile(&spec, &status, &observed, now));
        let stored = serde_json::to_string(&plan.status).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Status>(&stored).unwrap(), &plan.status);
        let (mut selects, mut routes) = (false, false);
        for action in &plan.actions {
            match action {
                Action::Select(_) => selects = true,
                Action::Route(to) => {
                    routes = true;
                    if let WeightChange::To(weight) = to.weight {
                        prop_assert_eq!(weight.of(), spec.strategy.max_weight());
                    }
                }
                Action::Scale { .. } | Action::Run(_) | Action::Prune { .. } => {}
            }
        }
        prop_assert!(!(selects && routes), "two layers in one plan: {:?}", plan.actions);
    }

    /// Every command is answered, and what is accepted can be decided on.
    #[test]
    fn every_command_is_answered(
        spec in spec(), status in status(), observed in observed(), now in time(),
        kind in select(CommandKind::ALL.to_vec()), elsewhere in option::weighted(0.2, (revision(), number()))
    ) {
        let here = Position::of(&status).unwrap_or(Position::new("".into(), 0));
        let at = elsewhere.map_or(here, |(revision, step)| Position::new(revision, step));
        if let Answer::Accepted { status, edits, .. } = apply(&Command::new(kind, at), &spec, &status, &observed, now) {
            prop_assert!(edits.len() <= 2);
            let _ = reconcile(&spec, &status, &observed, now);
        }
    }
}
