use super::{Group, Happening, History, Recipe, Surroundings, Target, recipe::MANAGED};
use crate::{
    CanaryScale, CommandKind, IntOrPercent, Step, Threshold,
    pace::{GradualAbort, Windows},
    sim::{Fault, ReadKind},
    strategy::Analysis,
    testing::Numbered,
    traffic::{ManagedRoute, RequestMatch, RouteMatch, StringMatch},
};
use alloc::{
    format,
    string::{String, ToString},
    sync::Arc,
    vec,
    vec::Vec,
};
use core::time::Duration;
use proptest::{
    collection::vec as several,
    option,
    prelude::{Just, any, prop_oneof},
    sample::{select, subsequence},
    strategy::Strategy as _,
};

/// The maximum number of attempts to shrink a history that breaks a law.
const SHRINKS: u32 = 4_000;

/// All histories, each identified by a number: the same number gives the same history.
///
/// ```
/// use rollout_core::testing::history::{Histories, play};
/// let history = Histories::new().draw(7).expect("every number gives a history");
/// let laws = play(&history);
/// assert_eq!(laws.violation(), None);
/// ```
#[derive(Debug)]
pub struct Histories(Numbered<History>);

impl Default for Histories {
    fn default() -> Self {
        Self::new()
    }
}

impl Histories {
    /// Creates histories that are rich in everything that can go wrong.
    ///
    /// See [`Histories`] for an example.
    #[must_use]
    pub fn new() -> Self {
        Self(Numbered::new(history()))
    }

    /// Returns the history with this number.
    ///
    /// ```
    /// use rollout_core::testing::history::Histories;
    /// let histories = Histories::new();
    /// assert_eq!(histories.draw(7), histories.draw(7));
    /// assert_ne!(histories.draw(7), histories.draw(8));
    /// ```
    #[must_use]
    pub fn draw(&self, number: u64) -> Option<History> {
        self.0.draw(number)
    }

    /// Shrinks the history with this number; returns the smallest one found that still `fails`.
    ///
    /// ```
    /// use rollout_core::testing::history::Histories;
    /// let histories = Histories::new();
    /// let number = (0..100).find(|number| histories.draw(*number).is_some_and(|drawn| drawn.recipe.routed)).unwrap();
    /// let smallest = histories.shrink(number, |history| history.recipe.routed).unwrap();
    /// assert!(smallest.recipe.routed && smallest.happenings.is_empty(), "no event was needed");
    /// ```
    pub fn shrink(&self, number: u64, fails: impl FnMut(&History) -> bool) -> Option<History> {
        self.0.shrink(number, SHRINKS, fails)
    }
}

/// Returns groups of histories, each identified by a number; most consist of one Rollout.
///
/// ```
/// use rollout_core::testing::history::groups;
/// let alone = (0..100).filter_map(|number| groups().draw(number)).filter(|group| group.histories.len() == 1);
/// assert!((50..100).contains(&alone.count()));
/// ```
#[must_use]
pub fn groups() -> Numbered<Group> {
    Numbered::new(group())
}

fn group() -> impl proptest::strategy::Strategy<Value = Group> {
    let histories = prop_oneof![3 => several(history(), 1).boxed(), 1 => several(history(), 2..4).boxed()];
    (histories, any::<bool>(), any::<bool>()).prop_map(|(mut histories, shares_routes, shares_selectors)| {
        if histories.len() > 1 {
            // Without routing there is nothing to share.
            for history in &mut histories {
                history.recipe.routed = true;
                if !history.surroundings.can_be_asked {
                    // Every write of a neighbour to a shared object starts this grace period again.
                    history.recipe.delay = history.recipe.delay.map(|delay| delay.min(seconds(60)));
                }
            }
        }
        Group { histories, shares_routes, shares_selectors }
    })
}

fn history() -> impl proptest::strategy::Strategy<Value = History> {
    let happenings = prop_oneof![9 => several((gap(), happening()), 0..14).boxed(), 1 => aimed().boxed()];
    let often = || prop_oneof![4 => Just(true), 1 => Just(false)];
    (any::<u64>().no_shrink(), recipe(), surroundings(), often(), happenings, often()).prop_map(
        |(seed, recipe, surroundings, deployed, happenings, finished_by_a_person)| History {
            seed,
            recipe,
            surroundings,
            deployed,
            happenings,
            finished_by_a_person,
        },
    )
}

/// Generates an update that is aborted, and a stable revision that breaks at about the same time: random histories
/// seldom do this in this order.
fn aimed() -> impl proptest::strategy::Strategy<Value = Vec<(Duration, Happening)>> {
    let some = || several((gap(), happening()), 0..3);
    let soon = || (0..20_000_u64).prop_map(Duration::from_millis);
    let given_up = prop_oneof![Just(Happening::Say(CommandKind::Abort)), Just(Happening::Update(3))];
    let breaks = prop_oneof![
        Just(Happening::BreakPods(Target::Stable)),
        Just(Happening::LoseWorkload(Target::Stable)),
        (1..=10_u32).prop_map(|pods| Happening::LosePods(Target::Stable, pods)),
    ];
    let both = (given_up, breaks, any::<bool>()).prop_map(
        |(one, other, turned)| {
            if turned { [other, one] } else { [one, other] }
        },
    );
    (some(), (0..60_000_u64).prop_map(Duration::from_millis), both, soon(), soon(), some()).prop_map(
        |(before, update, [one, other], first, second, after)| {
            let mut happenings = vec![(Duration::ZERO, Happening::Update(2))];
            happenings.extend(before);
            happenings.extend([(update + first, one), (second, other)]);
            // Long enough for the emergency of an unavailable stable.
            happenings.push((Duration::from_secs(15), Happening::Thaw));
            happenings.extend(after);
            happenings
        },
    )
}

pub(in crate::testing) fn recipe() -> impl proptest::strategy::Strategy<Value = Recipe> {
    let pods = (1..=10_u32, option::weighted(0.3, threshold()), option::weighted(0.2, 1..=3_u32));
    let kind = (
        prop_oneof![3 => Just(true), 1 => Just(false)],
        any::<bool>(),
        (prop_oneof![3 => Just(1_u8), 1 => Just(2)], prop_oneof![6 => Just(100_u32), 1 => Just(1_000)]),
        (any::<bool>(), any::<bool>()),
    );
    let dynamic =
        (prop_oneof![3 => Just(false), 1 => Just(true)], prop_oneof![7 => Just(false), 1 => Just(true)]);
    let fenceposts = (int_or_percent(), int_or_percent());
    let pace = (windows(), option::weighted(0.2, gradual_abort()));
    let old = (select(vec![0_u32, 0, 0, 1, 3]), option::weighted(0.2, 0..2_u32));
    let min_ready = select(vec![0_u64, 0, 0, 5, 40]).prop_map(seconds);
    let beside = option::weighted(0.15, 0..3_u32);
    let deadline = (prop_oneof![Just(seconds(600)), Just(seconds(60))], any::<bool>());
    let others = (dynamic, min_ready, pace, beside);
    (kind, pods, several(step(), 0..7), (delay(), delay()), fenceposts, deadline, others, old).prop_map(
        |(
            (routed, services, (objects, max_weight), (stable_service, canary_service)),
            (replicas, threshold, min_pods),
            steps,
            (delay, abort_delay),
            (surge, unavailable),
            (deadline, deadline_aborts),
            ((dynamic, ping_pong), min_ready, (windows, gradual_abort), background),
            (rollback_window, scale_down_delay_revision_limit),
        )| Recipe {
            routed,
            replicas,
            steps,
            services,
            stable_service,
            canary_service,
            max_weight,
            objects,
            threshold,
            min_pods,
            dynamic,
            ping_pong,
            rollback_window,
            scale_down_delay_revision_limit,
            windows,
            gradual_abort,
            min_ready,
            delay,
            abort_delay,
            surge,
            unavailable,
            deadline,
            deadline_aborts,
            background,
        },
    )
}

/// Generates windows; those that are not always open are so for half an hour in each hour.
fn windows() -> impl proptest::strategy::Strategy<Value = Windows> {
    let in_each_hour = |from: u32| {
        let window = |hour| format!("{hour:02}:{from:02}-{hour:02}:{:02}", from + 29);
        let windows: Vec<String> = (0..24).map(window).collect();
        windows.join(";").parse::<Windows>().unwrap_or_default()
    };
    prop_oneof![6 => Just(Windows::always()), 1 => select(vec![1_u32, 10, 30]).prop_map(in_each_hour)]
}

fn gradual_abort() -> impl proptest::strategy::Strategy<Value = GradualAbort> {
    (select(vec![1_u32, 10, 20, 33, 50, 100]), select(vec![1_u64, 10, 60]))
        .prop_map(|(percent, every)| GradualAbort::new(percent, seconds(every)))
}

fn threshold() -> impl proptest::strategy::Strategy<Value = Threshold> {
    prop_oneof![
        select(vec![1, 50, 80, 100]).prop_map(Threshold::Percent),
        (0..=4_u32).prop_map(Threshold::Pods),
    ]
}

fn int_or_percent() -> impl proptest::strategy::Strategy<Value = IntOrPercent> {
    prop_oneof![
        Just(IntOrPercent::DEFAULT),
        (0..=3_i32).prop_map(IntOrPercent::Int),
        select(vec![0, 10, 50, 100]).prop_map(IntOrPercent::Percent),
    ]
}

fn delay() -> impl proptest::strategy::Strategy<Value = Option<Duration>> {
    select(vec![None, Some(0), Some(5), Some(60), Some(700)]).prop_map(|secs| secs.map(seconds))
}

pub(in crate::testing) fn step() -> impl proptest::strategy::Strategy<Value = Step> {
    let pause = select(vec![Some(1), Some(30), Some(120), Some(600), None]);
    prop_oneof![
        6 => select(vec![0_u32, 1, 5, 20, 50, 80, 99, 100]).prop_map(Step::SetWeight),
        4 => pause.prop_map(|secs| Step::Pause(secs.map(seconds))),
        1 => scale().prop_map(Step::SetCanaryScale),
        1 => Just(Step::Analysis(Arc::new(Analysis::of("step")))),
        3 => header(),
        1 => mirror(),
    ]
}

fn scale() -> impl proptest::strategy::Strategy<Value = CanaryScale> {
    prop_oneof![
        (0..=4_u32).prop_map(CanaryScale::Replicas),
        select(vec![0_u32, 20, 50, 100]).prop_map(CanaryScale::Weight),
        Just(CanaryScale::MatchTrafficWeight),
    ]
}

fn header() -> impl proptest::strategy::Strategy<Value = Step> {
    (0..2_usize, prop_oneof![3 => Just(true), 1 => Just(false)], 0..2_u8).prop_map(|(which, set, value)| {
        let name: Arc<str> = MANAGED.get(which).copied().unwrap_or_default().into();
        let value = if value == 0 {
            StringMatch::Exact("1".to_string())
        } else {
            StringMatch::Prefix("t".to_string())
        };
        let matches = RouteMatch::Header(vec![RequestMatch::header("version", value)]);
        let route = set.then(|| Arc::new(ManagedRoute { name: name.clone(), matches }));
        Step::SetHeaderRoute { name, route }
    })
}

fn mirror() -> impl proptest::strategy::Strategy<Value = Step> {
    any::<bool>().prop_map(|set| {
        let name: Arc<str> = MANAGED.last().copied().unwrap_or_default().into();
        let matches = RouteMatch::Mirror { matches: vec![RequestMatch::default()], percentage: 50 };
        let route = set.then(|| Arc::new(ManagedRoute { name: name.clone(), matches }));
        Step::SetMirrorRoute { name, route }
    })
}

pub(in crate::testing) fn surroundings() -> impl proptest::strategy::Strategy<Value = Surroundings> {
    let lags = (
        select(vec![0, 100, 900, 8_000]),
        select(vec![0, 1_000, 5_000, 40_000]),
        select(vec![0, 1_000, 30_000]),
    );
    let never = prop_oneof![9 => Just(None), 1 => (1..=3_u8).prop_map(Some)];
    let reading = (select(vec![0, 0, 200, 3_000]), select(vec![0, 0, 50, 1_000]));
    (1..=3_usize, prop_oneof![3 => Just(true), 1 => Just(false)], lags, reading, never).prop_map(
        |(proxies, can_be_asked, (lag, ready, end), (counts, writes), never_ready)| Surroundings {
            proxies,
            proxy_lag: millis(if can_be_asked { lag } else { lag.min(900) }),
            pods_ready: millis(ready),
            pods_end: millis(end),
            counts_lag: millis(counts),
            writes_take: millis(writes),
            never_ready,
            can_be_asked,
        },
    )
}

/// Short gaps most of the time, because events that are close together cause failures.
pub(in crate::testing) fn gap() -> impl proptest::strategy::Strategy<Value = Duration> {
    prop_oneof![
        5 => (0..3_000_u64).prop_map(Duration::from_millis),
        3 => (0..60_000_u64).prop_map(Duration::from_millis),
        1 => (0..900_000_u64).prop_map(Duration::from_millis),
    ]
}

pub(in crate::testing) fn happening() -> impl proptest::strategy::Strategy<Value = Happening> {
    let kind = || select(CommandKind::ALL.to_vec());
    let target = || select(vec![Target::Stable, Target::Canary]);
    prop_oneof![
        8 => kind().prop_map(Happening::Say),
        1 => (kind(), 0..3_u8).prop_map(|(kind, back)| Happening::SayLate(kind, back)),
        12 => (1..=3_u8).prop_map(Happening::Update),
        1 => several(step(), 0..4).prop_map(Happening::EditSteps),
        2 => select(vec![0_u32, 1, 2, 3, 5, 10]).prop_map(Happening::Replicas),
        3 => (target(), 1..=10_u32).prop_map(|(of, pods)| Happening::LosePods(of, pods)),
        1 => target().prop_map(Happening::LoseWorkload),
        1 => target().prop_map(Happening::BreakPods),
        1 => target().prop_map(Happening::HealPods),
        1 => Just(Happening::Reapply),
        1 => (0..4_u8).prop_map(Happening::ReapplyOne),
        1 => (0..4_u8).prop_map(Happening::Strip),
        4 => (0..6_u32, write_fault()).prop_map(|(after, fault)| Happening::WriteFault(after, fault)),
        2 => Just(Happening::Crash),
        2 => (freshness(), gap()).prop_map(|(fresh, delay)| Happening::OldProcess(fresh, delay)),
        1 => (target(), any::<bool>()).prop_map(|(of, set)| Happening::Mark(of, set)),
        1 => Just(Happening::Freeze),
        1 => (0..3_u8).prop_map(Happening::FreezeProxy),
        2 => Just(Happening::Thaw),
        1 => (select(ReadKind::ALL.to_vec()), select(vec![0, 500, 4_000])).prop_map(|(kind, lag)| Happening::ReadLag(kind, millis(lag))),
        1 => (select(ReadKind::ALL.to_vec()), any::<bool>()).prop_map(|(kind, fail)| Happening::ReadsFail(kind, fail)),
        1 => any::<bool>().prop_map(Happening::RunsFail),
        1 => Just(Happening::DeleteRun),
        1 => select(vec![-60_000_i64, -1_500, 0, 700, 90_000]).prop_map(Happening::Clock),
    ]
}

fn freshness() -> impl proptest::strategy::Strategy<Value = Vec<ReadKind>> {
    subsequence(ReadKind::ALL.to_vec(), 0..=ReadKind::ALL.len())
}

fn write_fault() -> impl proptest::strategy::Strategy<Value = Fault> {
    let later = || select(vec![100, 2_000, 20_000, 150_000]).prop_map(millis);
    prop_oneof![
        2 => Just(Fault::Conflict),
        1 => Just(Fault::Refused),
        2 => any::<bool>().prop_map(|took_effect| Fault::Ambiguous { took_effect }),
        2 => later().prop_map(|by| Fault::Delayed { by }),
        1 => (0..2_usize).prop_map(|objects| Fault::HalfWay { objects }),
        2 => any::<bool>().prop_map(|before| Fault::Crash { before, late: None }),
        2 => (any::<bool>(), later()).prop_map(|(before, late)| Fault::Crash { before, late: Some(late) }),
    ]
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}
