//! Several clusters that release together: random histories under the laws of `testing::fleet`.
//!
//! `FLEETS=200000` plays more, `FROM=7` begins at another number, `ONLY=123` plays one and prints what happened.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod permits;

use rollout_core::testing::{
    fleet::{Fleet, FleetLaws, PlayedFleet, fleets, play_fleet, play_fleet_recording},
    history::History,
    laws::Laws,
};
use std::{
    collections::BTreeMap,
    env,
    num::NonZero,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

const FLEETS: u64 = 40_000;
const SHRINKS: u32 = 1_500;

#[derive(Default)]
struct Found {
    clusters: usize,
    premises: BTreeMap<&'static str, u64>,
    broken: BTreeMap<(&'static str, String), Vec<u64>>,
}

#[test]
fn every_law_holds_in_every_fleet() {
    if let Some(only) = number("ONLY") {
        return one(only);
    }
    let (from, count) = (number("FROM").unwrap_or(0), number("FLEETS").unwrap_or(FLEETS));
    let found = all(from, count);
    println!("{count} fleets of {} clusters", found.clusters);
    for law in FleetLaws::NAMES {
        println!("{law:28} {}", found.premises.get(law).unwrap_or(&0));
    }
    for ((law, how), numbers) in &found.broken {
        println!("{law}: {how}: {} fleets, first {:?}", numbers.len(), numbers.iter().min());
    }
    let printed = number("PRINTED").unwrap_or(1);
    for (numbers, _) in found.broken.values().zip(0..printed) {
        smaller(numbers.iter().min().copied().expect("there is one"));
    }
    assert!(found.broken.is_empty(), "laws are broken: {:?}", found.broken.keys());
    let idle: Vec<_> = FleetLaws::NAMES
        .iter()
        .filter(|law| found.premises.get(*law).is_none_or(|count| *count == 0))
        .collect();
    assert!(count < FLEETS || idle.is_empty(), "laws that never had anything to say: {idle:?}");
}

fn all(from: u64, count: u64) -> Found {
    let next = AtomicU64::new(from);
    let threads = thread::available_parallelism().map_or(2, NonZero::get);
    let mut found = Found::default();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| some(&next, from + count))).collect();
        for worker in workers {
            let part = worker.join().expect("a history panicked; its number is printed above");
            found.clusters += part.clusters;
            for (law, premises) in part.premises {
                *found.premises.entry(law).or_default() += premises;
            }
            for (law, numbers) in part.broken {
                found.broken.entry(law).or_default().extend(numbers);
            }
        }
    });
    found
}

/// Says which fleet it was when one panics.
struct Playing(u64);

impl Drop for Playing {
    fn drop(&mut self) {
        if thread::panicking() {
            println!("fleet number {} panicked", self.0);
        }
    }
}

fn some(next: &AtomicU64, until: u64) -> Found {
    let fleets = fleets();
    let mut found = Found::default();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= until {
            return found;
        }
        let _playing = Playing(number);
        let fleet = fleets.draw(number).expect("every number has a fleet");
        found.clusters += fleet.members.len();
        let played = play_fleet(&fleet);
        for (law, premises) in played.together.premises() {
            *found.premises.entry(law).or_default() += premises;
        }
        if let Some(broken) = broken(&played) {
            found.broken.entry(broken).or_default().push(number);
        }
    }
}

/// What was broken first, without the numbers: the same mistake looks the same.
fn broken(played: &PlayedFleet) -> Option<(&'static str, String)> {
    let violation = played.violation()?;
    let shape = violation.how.chars().filter(|letter| !letter.is_ascii_digit()).take(120).collect();
    Some((violation.law, shape))
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// The smallest fleet from a failing one on, as a value and as it happened.
fn smaller(number: u64) {
    let fleets = fleets();
    let first = broken(&play_fleet(&fleets.draw(number).expect("it was drawn before"))).map(|(law, _)| law);
    let is_same = |fleet: &Fleet| broken(&play_fleet(fleet)).map(|(law, _)| law) == first;
    let fleet = fleets.shrink(number, SHRINKS, is_same).expect("it was drawn before");
    println!("\n===== fleet number {number}, made smaller =====\n{:?}", fleet.policy);
    println!("news takes {:?}; links: {:?}", fleet.delay, fleet.links);
    for member in &fleet.members {
        let History { surroundings, happenings, deployed, finished_by_a_person, .. } = member;
        println!(
            "deployed: {deployed}, finished: {finished_by_a_person}; {surroundings:?}\n    {happenings:?}"
        );
    }
    if let Some(first) = fleet.members.first() {
        let mut recipe = first.recipe.clone();
        recipe.windows = rollout_core::pace::Windows::always();
        println!("{recipe:?}; windows: {}", recipe.windows != first.recipe.windows);
    }
    let played = play_fleet_recording(&fleet);
    for (cluster, laws) in played.members.iter().enumerate() {
        if let Some(timeline) = laws.timeline() {
            println!("===== cluster {cluster}\n{timeline}");
        }
    }
    let violation = played.together.violation().or_else(|| played.members.iter().find_map(Laws::violation));
    if let Some(violation) = violation {
        println!("===== {violation}");
    }
}

fn one(number: u64) {
    let fleet = fleets().draw(number).expect("every number has a fleet");
    assert!(broken(&play_fleet(&fleet)).is_none(), "{}", {
        smaller(number);
        "see above"
    });
    println!("fleet number {number} breaks no law:\n{:?}", fleet.policy);
}
