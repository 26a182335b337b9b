use super::{Fleet, LinkHappening};
use crate::{
    CommandKind,
    fleet::{Abort, ClusterName, Inside, Policy, Unreachable},
    testing::{
        Numbered,
        history::{Happening, History, Surroundings, generate},
    },
};
use alloc::{vec, vec::Vec};
use core::time::Duration;
use proptest::{
    collection::vec as several,
    prelude::{Just, any, prop_oneof},
    sample::select,
    strategy::Strategy,
};

/// Returns fleets, each identified by a number.
///
/// ```
/// use rollout_core::testing::fleet::fleets;
/// let sizes = (0..50).filter_map(|number| fleets().draw(number)).map(|fleet| fleet.members.len());
/// assert!(sizes.clone().all(|size| (2..=4).contains(&size)) && sizes.max() == Some(4));
/// ```
#[must_use]
pub fn fleets() -> Numbered<Fleet> {
    Numbered::new(fleet())
}

fn fleet() -> impl Strategy<Value = Fleet> {
    (2..=4_usize).prop_flat_map(|size| {
        let members = several((any::<u64>().no_shrink(), generate::surroundings(), local(), lag()), size);
        let released = several((generate::gap(), from_git()), 1..4);
        let links = several((generate::gap(), link(size)), 0..6);
        let delay = select(vec![0_u64, 50, 300, 4_000]).prop_map(Duration::from_millis);
        let often = || prop_oneof![4 => Just(true), 1 => Just(false)];
        (generate::recipe(), policy(size), members, released, (links, delay), (often(), often())).prop_map(
            |(mut recipe, policy, members, released, (links, delay), (deployed, finished_by_a_person))| {
                // Clusters release in step with the same strategy, and fences between Rollouts are tested elsewhere.
                recipe.objects = 1;
                let members = members.into_iter().map(|(seed, surroundings, local, lag)| History {
                    seed,
                    recipe: recipe.clone(),
                    surroundings: Surroundings { never_ready: None, ..surroundings },
                    deployed,
                    happenings: merged(&released, lag, &local),
                    finished_by_a_person,
                });
                Fleet { members: members.collect(), policy, delay, links }
            },
        )
    })
}

/// What GitOps applies in every cluster.
fn from_git() -> impl Strategy<Value = Happening> {
    prop_oneof![
        8 => (2..=3_u8).prop_map(Happening::Update),
        1 => Just(Happening::Update(1)),
        1 => several(generate::step(), 0..4).prop_map(Happening::EditSteps),
    ]
}

/// How much later than the first a cluster gets what is in Git.
fn lag() -> impl Strategy<Value = Duration> {
    select(vec![0_u64, 0, 200, 5_000, 60_000]).prop_map(Duration::from_millis)
}

/// What happens in one cluster only. What the user wants is the same in all of them.
fn local() -> impl Strategy<Value = Vec<(Duration, Happening)>> {
    let happening = generate::happening().prop_map(|happening| match happening {
        Happening::Update(_) => Happening::Say(CommandKind::Promote),
        Happening::EditSteps(_) => Happening::Crash,
        Happening::Say(CommandKind::Undo) => Happening::Say(CommandKind::Retry),
        Happening::SayLate(CommandKind::Undo, back) => Happening::SayLate(CommandKind::Abort, back),
        Happening::Replicas(0) => Happening::Replicas(1),
        other => other,
    });
    several((generate::gap(), happening), 0..8)
}

/// Merges what comes from Git, later by `lag`, with what happens in one cluster.
fn merged(
    released: &[(Duration, Happening)],
    lag: Duration,
    local: &[(Duration, Happening)],
) -> Vec<(Duration, Happening)> {
    let absolute = |events: &[(Duration, Happening)], offset: Duration| {
        let mut at = offset;
        let events = events.iter().map(|(gap, what)| {
            at += *gap;
            (at, what.clone())
        });
        events.collect::<Vec<_>>()
    };
    let mut all = absolute(released, lag);
    all.extend(absolute(local, Duration::ZERO));
    all.sort_by_key(|(at, _)| *at);
    let mut before = Duration::ZERO;
    let gaps =
        all.into_iter().map(|(at, what)| (at.saturating_sub(core::mem::replace(&mut before, at)), what));
    gaps.collect()
}

fn policy(size: usize) -> impl Strategy<Value = Policy> {
    let pace = (
        prop_oneof![3 => Just(Inside::LockStep), 1 => Just(Inside::Free)],
        select(vec![0_u64, 0, 30, 600]).prop_map(Duration::from_secs),
        select(vec![0_u32, 0, 0, 1]),
    );
    let unreachable = prop_oneof![
        3 => Just(Unreachable::Hold),
        1 => Just(Unreachable::CountAsFailed { after: Duration::from_secs(60) }),
    ];
    let decisions = (
        prop_oneof![3 => Just(Abort::Everywhere), 1 => Just(Abort::Here)],
        prop_oneof![3 => Just(true), 1 => Just(false)],
    );
    let first = prop_oneof![3 => Just(size), 2 => 1..size];
    (first, pace, unreachable, decisions).prop_map(
        move |(first, (inside, soak, max_failures), unreachable, (abort, follow))| {
            let mut earlier: Vec<ClusterName> = names(size);
            let later = earlier.split_off(first.min(size));
            let waves = if later.is_empty() { vec![earlier] } else { vec![earlier, later] };
            let mut policy = Policy::new(waves);
            (policy.inside, policy.soak, policy.max_failures) = (inside, soak, max_failures);
            (policy.unreachable, policy.abort, policy.follow) = (unreachable, abort, follow);
            policy
        },
    )
}

/// The names of the first clusters.
pub(super) fn names(size: usize) -> Vec<ClusterName> {
    ["a", "b", "c", "d"].into_iter().take(size).filter_map(|name| ClusterName::new(name).ok()).collect()
}

fn link(size: usize) -> impl Strategy<Value = LinkHappening> {
    let most = u8::try_from(size).unwrap_or(u8::MAX);
    let pair = move || (0..most, 1..most).prop_map(move |(one, further)| (one, (one + further) % most));
    prop_oneof![
        3 => pair().prop_map(|(one, other)| LinkHappening::Cut(one, other)),
        2 => pair().prop_map(|(one, other)| LinkHappening::Mend(one, other)),
        2 => (0..most).prop_map(LinkHappening::Isolate),
        1 => Just(LinkHappening::MendAll),
        3 => pair().prop_map(|(from, to)| LinkHappening::Lose(from, to)),
        3 => pair().prop_map(|(from, to)| LinkHappening::GoBack(from, to)),
        1 => (pair(), select(vec![0_u32, 900, 20_000]))
            .prop_map(|((from, to), delay)| LinkHappening::Delay(from, to, delay)),
    ]
}
