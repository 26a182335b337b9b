//! All laws over random histories: `cargo test --release -p rollout-core --features testing --test laws`.
//!
//! `HISTORIES=1000000` plays more, `FROM=7` begins at another number, `ONLY=123` plays one and prints what
//! happened, `WITHOUT=law,law` leaves laws out, `PRINTED=0` makes no failure smaller; `PRINTED=1` also prints in how many
//! histories with each feature the premise of each law held.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use rollout_core::testing::{
    Premises,
    history::{Group, groups, play_together},
    laws::{Laws, Violation, all as all_laws},
};
use std::{
    collections::BTreeMap,
    env,
    num::NonZero,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Instant,
};

/// How many are played.
const HISTORIES: u64 = 100_000;
/// How often a group that breaks a law is made smaller.
const SHRINKS: u32 = 4_000;
/// How many laws' failures are made smaller and printed.
const PRINTED: u64 = 8;

#[derive(Default)]
struct Found {
    rollouts: usize,
    premises: BTreeMap<&'static str, (u64, u64)>,
    by_feature: Premises,
    broken: BTreeMap<(&'static str, String), Vec<(u64, usize)>>,
}

#[test]
fn every_law_holds_in_every_history() {
    if let Some(number) = number("ONLY") {
        return one(number);
    }
    let (from, histories) = (number("FROM").unwrap_or(0), number("HISTORIES").unwrap_or(HISTORIES));
    let began = Instant::now();
    let found = all(from, histories);
    let took = began.elapsed();
    let a_second = u128::from(histories) * 1_000 / took.as_millis().max(1);
    println!(
        "{histories} histories of {} Rollouts from number {from} in {took:.1?}: {a_second} a second",
        found.rollouts
    );
    println!("how often each law had something to say:");
    for (law, (premises, most)) in &found.premises {
        let most = if *most > 0 { format!(" (most: {most})") } else { String::new() };
        println!("  {law:<28} {premises:>10}{most}");
    }
    if number("PRINTED").is_some_and(|printed| printed > 0) {
        println!("by feature:\n{}", found.by_feature);
    }
    for ((law, shape), numbers) in &found.broken {
        println!(
            "BROKEN {law}: {} histories, the shortest: number {} ({shape})",
            numbers.len(),
            shortest(numbers)
        );
    }
    let printed = number("PRINTED").unwrap_or(PRINTED);
    for (numbers, _) in found.broken.values().zip(0..printed) {
        smaller(shortest(numbers));
    }
    assert!(found.broken.is_empty(), "laws are broken: {:?}", found.broken.keys());
    let idle: Vec<_> = found.premises.iter().filter(|(_, (premises, _))| *premises == 0).collect();
    assert!(idle.is_empty(), "laws that never had anything to say: {idle:?}");
    let silent: Vec<_> =
        found.by_feature.idle().filter(|(feature, law)| !is_elsewhere(feature, law)).collect();
    // A few histories need not have everything.
    let is_whole = histories >= HISTORIES;
    assert!(
        !is_whole || silent.is_empty(),
        "laws that never had anything to say about a feature: {silent:?}"
    );
}

/// Laws about what only a traffic manager has.
const ROUTED: [&str; 11] = [
    "abort_at_its_pace",
    "deadline_excludes_traffic",
    "down_gate",
    "failover_only_when_unavailable",
    "few_old_pods",
    "header_stays_right",
    "live_pods_stay",
    "no_unserved_weight_kept",
    "stable_follows_weight",
    "up_gate",
    "weights_sum",
];

/// Whether a law is about something that a feature excludes. Histories with `pingPong` have no managed routes.
fn is_elsewhere(feature: &str, law: &str) -> bool {
    match feature {
        "basic canary" | "setCanaryScale without routing" => ROUTED.contains(&law),
        "pingPong" => law == "header_stays_right",
        "setHeaderRoute" | "setMirrorRoute" => law == "live_pods_stay",
        _ => false,
    }
}

fn all(from: u64, histories: u64) -> Found {
    let next = AtomicU64::new(from);
    let threads = thread::available_parallelism().map_or(2, NonZero::get);
    let mut found = Found::default();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| some(&next, from + histories))).collect();
        for worker in workers {
            let part = worker.join().expect("a history panicked; its number is printed above");
            found.rollouts += part.rollouts;
            found.by_feature.join(&part.by_feature);
            for (law, (premises, most)) in part.premises {
                let sum = found.premises.entry(law).or_default();
                *sum = (sum.0 + premises, sum.1.max(most));
            }
            for (law, numbers) in part.broken {
                found.broken.entry(law).or_default().extend(numbers);
            }
        }
    });
    found
}

/// Says which history it was when one panics.
struct Playing(u64);

impl Drop for Playing {
    fn drop(&mut self) {
        if thread::panicking() {
            println!("history number {} panicked", self.0);
        }
    }
}

fn some(next: &AtomicU64, until: u64) -> Found {
    let groups = groups();
    let mut found = Found::default();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= until {
            return found;
        }
        let _playing = Playing(number);
        let group = groups.draw(number).expect("every number has a group");
        let happenings = group.histories.iter().map(|history| history.happenings.len()).sum();
        found.rollouts += group.histories.len();
        for (laws, history) in play(&group).iter().zip(&group.histories) {
            let premises = laws.findings().map(|(law, findings)| (law, findings.premises()));
            let premises: Vec<_> = premises.collect();
            found.by_feature.add(&history.recipe.features(), &premises);
            for (law, findings) in laws.findings() {
                let sum = found.premises.entry(law).or_default();
                *sum = (sum.0 + findings.premises(), sum.1.max(findings.most()));
            }
            if let Some(Violation { law, how, .. }) = laws.violation() {
                found.broken.entry((law, shape(how))).or_default().push((number, happenings));
            }
        }
    }
}

/// All laws, but those that `WITHOUT=law,law` leaves out.
fn under() -> Laws {
    let without = env::var("WITHOUT").unwrap_or_default();
    Laws::new(all_laws()).without(&without.split(',').collect::<Vec<_>>())
}

fn play(group: &Group) -> Vec<Laws> {
    play_together(group, under)
}

/// What was broken first, if anything was.
fn broken(laws: &[Laws]) -> Option<(&'static str, String)> {
    laws.iter().find_map(Laws::violation).map(|broken| (broken.law, shape(&broken.how)))
}

/// What was broken, without the numbers: the same mistake looks the same.
fn shape(how: &str) -> String {
    how.chars().filter(|letter| !letter.is_ascii_digit()).take(120).collect()
}

fn shortest(numbers: &[(u64, usize)]) -> u64 {
    numbers.iter().min_by_key(|(number, len)| (*len, *number)).map_or(0, |(number, _)| *number)
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// The smallest history from a failing one on, as a value and as it happened.
fn smaller(number: u64) {
    let groups = groups();
    let first = broken(&play(&groups.draw(number).expect("it was drawn before")));
    let group =
        groups.shrink(number, SHRINKS, |group| broken(&play(group)) == first).expect("it was drawn before");
    println!("\n===== history number {number}, made smaller =====\n{group:?}");
    for laws in play_together(&group, || under().recording()) {
        if let Some(timeline) = laws.timeline() {
            println!("{timeline}");
        }
        if let Some(broken) = laws.violation() {
            println!(
                "===== {broken}\n===== again: ONLY={number} cargo test --release -p rollout-core --features testing --test laws -- --nocapture"
            );
        }
    }
}

fn one(number: u64) {
    let group = groups().draw(number).expect("every number has a group");
    assert!(broken(&play(&group)).is_none(), "{}", {
        smaller(number);
        "see above"
    });
    println!("history number {number} breaks no law:\n{group:#?}");
}
