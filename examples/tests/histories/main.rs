//! The whole controller, as it is, over an API server in memory, in virtual time: random histories of several
//! Rollouts, people, pods, faults and restarts, each judged by what its writes leave behind.
//!
//! `HISTORIES=20000` plays more, `FROM=7` begins at another number, `ONLY=123` plays one and prints what happened.
//! `LOG=1` prints the controller's log with it. `SMALLER=0` makes none smaller that fails. `PRINTED=1` prints how often
//! each rule and law had something to say about each feature.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod analyses;
mod app;
mod apps;
#[path = "../argo_cd/lua.rs"]
#[expect(dead_code, reason = "its buttons are pressed in another test")]
mod argo_cd;
mod fetch;
mod history;
mod judge;
mod laws;
#[path = "../argo_cd/meant.rs"]
mod meant;
#[path = "../played_mesh/mod.rs"]
mod mesh;
mod mutants;
mod planted;
mod plots;
mod pods;
mod process;
mod provider;
#[path = "../recorded/mod.rs"]
mod recorded;
mod settings;
mod trouble;
mod unrelated;
mod workload;
mod world;

use history::{History, histories};
use std::{
    collections::BTreeMap,
    env,
    num::NonZero,
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

/// How many are played.
const HISTORIES: u64 = 3_000;
/// How many that fail are made smaller and printed.
const PRINTED: usize = 4;
/// How often a history that fails is made smaller.
const SHRINKS: u32 = 300;
/// None takes a second; the machine may be busy.
const ENDS_IN: Duration = Duration::from_secs(60);
/// So much of the diary is printed with each failure: the same history need not fail again.
const DIARY: usize = 25;

#[test]
fn every_rollout_comes_to_rest_whatever_goes_wrong() {
    if let Some(number) = number("ONLY") {
        return one(number);
    }
    let (from, histories) = (number("FROM").unwrap_or(0), number("HISTORIES").unwrap_or(HISTORIES));
    let _kept = laws::listeners();
    let began = Instant::now();
    let (next, threads) = (AtomicU64::new(from), thread::available_parallelism().map_or(2, NonZero::get));
    let mut broken: BTreeMap<u64, String> = BTreeMap::new();
    let mut seen = judge::Seen::default();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| some(&next, from + histories))).collect();
        for worker in workers {
            let (part, found) = worker.join().unwrap();
            broken.extend(part);
            seen.join(&found);
        }
    });
    let a_second = u128::from(histories) * 1_000 / began.elapsed().as_millis().max(1);
    println!("{histories} histories from number {from} in {:.1?}: {a_second} a second", began.elapsed());
    println!("{seen}");
    if number("PRINTED").is_some_and(|printed| printed > 0) {
        println!(
            "in how many histories with each feature there was something to say:\n{}",
            seen.by_feature()
        );
    }
    for (number, why) in &broken {
        println!("BROKEN in number {number}: {why}");
    }
    let printed = number("SMALLER").map_or(PRINTED, |most| usize::try_from(most).unwrap());
    for number in broken.keys().take(printed) {
        smaller(*number);
    }
    assert!(broken.is_empty(), "{} of {histories} histories break a rule", broken.len());
    seen.assert_all();
}

fn some(next: &AtomicU64, until: u64) -> (BTreeMap<u64, String>, judge::Seen) {
    let histories = histories();
    let (mut broken, mut seen) = (BTreeMap::new(), judge::Seen::default());
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= until {
            return (broken, seen);
        }
        let played = ending(number, || world::play(&histories.draw(number).unwrap()));
        seen.join(&played.seen);
        if let Some(why) = played.broken {
            let last = played.diary.len().saturating_sub(DIARY);
            broken.insert(number, format!("{why}\n{}", played.diary[last..].join("\n")));
        }
    }
}

/// Plays a history that has to end: a loop in which no time passes, not even virtual time, would never be judged.
fn ending<T>(number: u64, play: impl FnOnce() -> T) -> T {
    let (done, waits) = mpsc::channel::<()>();
    let watch = thread::spawn(move || {
        if waits.recv_timeout(ENDS_IN) == Err(mpsc::RecvTimeoutError::Timeout) {
            eprintln!("BROKEN: number {number} does not end: something loops while no time passes");
            std::process::exit(1);
        }
    });
    let played = play();
    drop(done);
    watch.join().unwrap();
    played
}

fn one(number: u64) {
    if env::var("LOG").is_ok() {
        tracing_subscriber::fmt().with_target(false).with_ansi(false).init();
    }
    let history = histories().draw(number).unwrap();
    println!("{history:#?}");
    let played = ending(number, || world::play(&history));
    println!("{}", played.diary.join("\n"));
    assert_eq!(played.broken, None);
}

/// The smallest history from a failing one on, and what happened in it.
fn smaller(number: u64) {
    let kind = |why: &str| why.split(':').next().unwrap_or_default().to_owned();
    let broken = |history: &History| world::play(history).broken.map(|why| kind(&why));
    let histories = histories();
    let first = broken(&histories.draw(number).unwrap());
    if first.is_none() {
        return println!("number {number} does not fail again");
    }
    let history = histories.shrink(number, SHRINKS, |history| broken(history) == first).unwrap();
    let played = world::play(&history);
    println!("\n===== number {number}, made smaller =====\n{history:?}\n{}", played.diary.join("\n"));
    println!("{}", played.broken.unwrap_or_default());
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap())
}
