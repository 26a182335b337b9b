//! What happens in a history: mostly anything in any order, and now and then what is seldom met by chance.

use super::{
    analyses::ending,
    app::Step,
    history::{Happening, OfMesh, Part, Which, gap, happening, of_analyses, part},
};
use proptest::{
    collection::vec as several,
    prelude::{Just, any, prop_oneof},
    sample::{Index, select},
    strategy::Strategy as _,
};

/// What happens, and where it happens best.
#[derive(Debug)]
pub(crate) struct Plot {
    /// The first steps of all Rollouts, which then share a VirtualService.
    pub(crate) steps: Vec<Step>,
    pub(crate) happenings: Vec<(u16, Happening)>,
    /// No request goes wrong by chance, and the watches are at most so late.
    pub(crate) only_lag: Option<u16>,
}

impl Plot {
    fn of(happenings: Vec<(u16, Happening)>) -> Self {
        Self { steps: Vec::new(), happenings, only_lag: None }
    }
}

pub(crate) fn plot() -> impl proptest::strategy::Strategy<Value = Plot> {
    let paused = vec![Step::Weight(20), Step::Pause(0)];
    prop_oneof![
        18 => several((gap(), happening()), 1..10).prop_map(Plot::of).boxed(),
        2 => aimed().prop_map(Plot::of).boxed(),
        1 => together().prop_map(Plot::of).prop_map(with_steps(paused.clone())).boxed(),
        1 => rivals().prop_map(with_steps([5, 20, 50, 80].map(Step::Weight).to_vec())).boxed(),
        1 => unseen().prop_map(Plot::of).prop_map(with_steps(paused.clone())).boxed(),
        1 => back_and_forth().prop_map(with_steps(paused)).boxed(),
        1 => at_rest().prop_map(Plot::of).boxed(),
        1 => unknown_proxy().prop_map(Plot::of).boxed(),
        2 => judged().boxed(),
    ]
}

fn with_steps(steps: Vec<Step>) -> impl Fn(Plot) -> Plot {
    move |plot| Plot { steps: steps.clone(), ..plot }
}

/// In the middle of an update the stable ReplicaSet is deleted, or the Rollout without its ReplicaSets, and little else
/// happens.
fn aimed() -> impl proptest::strategy::Strategy<Value = Vec<(u16, Happening)>> {
    let update = (any::<Index>(), 1..4_u8);
    let part = prop_oneof![Just(Part::ReplicaSet(Which::Stable)), Just(Part::RolloutAlone)];
    let whole = (update, several((gap(), happening()), 0..2), part, 0..300_u16);
    whole.prop_map(|((app, version), between, part, after)| {
        let mut happenings = vec![(0, Happening::Image(app, version))];
        happenings.extend(between);
        happenings.push((after, Happening::Deleted(app, part, 0)));
        happenings
    })
}

/// Rollouts over one VirtualService are updated at about the same time, and pause with a part of the requests each.
fn together() -> impl proptest::strategy::Strategy<Value = Vec<(u16, Happening)>> {
    let update =
        || (0..20_u16, (any::<Index>(), 1..4_u8).prop_map(|(app, version)| Happening::Image(app, version)));
    (several(update(), 2..5), several((gap(), happening()), 0..3)).prop_map(|(mut updates, others)| {
        updates.extend(others);
        updates
    })
}

/// Two controllers are at work while an update rises, and it is given up; often they hear of things late.
fn rivals() -> impl proptest::strategy::Strategy<Value = Plot> {
    let update = (any::<Index>(), 1..4_u8);
    let only_lag = prop_oneof![Just(None), (0..5_000_u16).prop_map(Some)];
    let whole = (update, 1..20_u8, 0..150_u16, 0..150_u16, several((gap(), happening()), 0..2), only_lag);
    whole.prop_map(|((app, version), seconds, rises, after, others, only_lag)| {
        let mut happenings = vec![
            (0, Happening::Image(app, version)),
            (rises, Happening::Overlap(seconds)),
            (after, Happening::Abort(app)),
        ];
        happenings.extend(others);
        Plot { only_lag, ..Plot::of(happenings) }
    })
}

/// In the middle of an update something is deleted while nothing can be watched.
fn unseen() -> impl proptest::strategy::Strategy<Value = Vec<(u16, Happening)>> {
    let part = prop_oneof![3 => Just(Part::ReplicaSet(Which::Stable)), 1 => part()];
    let whole = ((any::<Index>(), 1..4_u8), 60..300_u16, 3..20_u8, 0..30_u16, part, gap());
    whole.prop_map(|((app, version), rises, seconds, after, part, again)| {
        let blind = (rises, Happening::Blind(seconds));
        vec![(0, Happening::Image(app, version)), blind, (after, Happening::Deleted(app, part, again))]
    })
}

/// An update is given up and taken up again while its pods go: their ReplicaSet still counts them.
fn back_and_forth() -> impl proptest::strategy::Strategy<Value = Plot> {
    let whole = ((any::<Index>(), 1..4_u8), 60..300_u16, 40..160_u16, prop_oneof![Just(0), 0..400_u16]);
    whole.prop_map(|((app, version), rises, goes, lag)| {
        let happenings = vec![
            (0, Happening::Image(app, version)),
            (rises, Happening::Abort(app)),
            (goes, Happening::Retry(app)),
        ];
        Plot { only_lag: Some(lag), ..Plot::of(happenings) }
    })
}

/// A proxy has lost its connection when a controller begins, which ends an update at once.
fn unknown_proxy() -> impl proptest::strategy::Strategy<Value = Vec<(u16, Happening)>> {
    let update = (any::<Index>(), 1..4_u8);
    let whole = (update, (any::<Index>(), 15..45_u8), 0..200_u16, 0..30_u16, 0..4_u8, 0..60_u16);
    whole.prop_map(|((app, version), (proxy, away), rises, later, down, ends)| {
        vec![
            (0, Happening::Image(app, version)),
            (rises, Happening::OfMesh(OfMesh::LosesProxy(proxy, away))),
            (later, Happening::Killed(down)),
            (ends, Happening::PromoteFull(app)),
        ]
    })
}

/// A release is analysed step by step, and people and providers change their minds.
fn judged() -> impl proptest::strategy::Strategy<Value = Plot> {
    let update = (any::<Index>(), 1..4_u8);
    let by_people = prop_oneof![
        any::<Index>().prop_map(Happening::Retry),
        any::<Index>().prop_map(Happening::Promote),
        (0..20_u8).prop_map(Happening::Killed),
        (1..20_u8).prop_map(Happening::Overlap),
        any::<Index>().prop_map(Happening::RunEnded),
    ];
    let happening = prop_oneof![2 => of_analyses(), 3 => by_people, 1 => happening()];
    let whole = (update, 60..200_u16, several((gap(), happening), 1..8), ending(), ending());
    whole.prop_map(|((app, version), rises, happenings, first, second)| {
        let mut all = vec![(0, Happening::Image(app, version))];
        all.extend(happenings);
        all[1].0 += rises;
        let steps = [Step::Weight(20), Step::Analysis(first), Step::Weight(60), Step::Analysis(second)];
        Plot { steps: steps.to_vec(), ..Plot::of(all) }
    })
}

/// Nothing happens for a while, and then somebody replaces or deletes an object.
fn at_rest() -> impl proptest::strategy::Strategy<Value = Vec<(u16, Happening)>> {
    let parts = || select(vec![Part::VirtualService, Part::Destination]);
    let happening = prop_oneof![
        (any::<Index>(), parts()).prop_map(|(app, part)| Happening::Reapplied(app, part)),
        (any::<Index>(), part(), 0..100_u16)
            .prop_map(|(app, part, after)| Happening::Deleted(app, part, after)),
    ];
    (600..1_800_u16, happening).prop_map(|(after, happening)| vec![(after, happening)])
}
