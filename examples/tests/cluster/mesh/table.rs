//! All runs: `cargo xtask mesh`.

use super::{Istiod, Outcome, Run, Story};
use crate::bed::Bed;
use std::{
    collections::HashMap,
    env,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
};

/// Requests a second to each of the three Envoys.
const RATE: u32 = 100;

/// Every run, in the order of the table.
fn all(unguarded: &str) -> Vec<Run> {
    let mut all = Vec::new();
    for istiod in [Istiod::Quick, Istiod::Stopped, Istiod::Slow, Istiod::Busy] {
        all.extend(Story::USUAL.map(|story| Run::new(story, istiod)));
    }
    for istiod in [Istiod::Quick, Istiod::Stopped] {
        all.extend(Story::USUAL.map(|story| Run { retries: false, ..Run::new(story, istiod) }));
    }
    all.push(Run::new(Story::Header, Istiod::Quick));
    all.push(Run::new(Story::Header, Istiod::Stopped));
    all.push(Run::new(Story::Split, Istiod::Quick));
    all.push(Run { unguarded: Some(unguarded.into()), ..Run::new(Story::Supersede, Istiod::Stopped) });
    all
}

/// Those that are named, separated by commas; or all.
fn chosen(all: Vec<Run>, only: &str) -> Vec<Run> {
    let names: Vec<String> = all.iter().map(Run::name).collect();
    for name in only.split(',').filter(|name| !name.is_empty()) {
        assert!(
            names.iter().any(|known| known == name),
            "there is no run `{name}`; there are {}",
            names.join(", ")
        );
    }
    all.into_iter().filter(|run| only.is_empty() || only.split(',').any(|name| name == run.name())).collect()
}

/// Needs the variables that `cargo xtask mesh` sets; it takes half an hour.
#[test]
fn table_of_the_mesh() {
    let unguarded = env::var("MESH_UNGUARDED").unwrap_or_else(|_| panic!("cargo xtask mesh runs it"));
    let mut runs = chosen(all(&unguarded), &env::var("MESH_ONLY").unwrap_or_default());
    // Those that can share a cluster, one after the other.
    runs.sort_by_key(|run| run.istiod.flags());
    // Two at a time: those that stop istiod have a cluster of their own.
    let (stopping, others) = runs.into_iter().partition(|run| run.istiod == Istiod::Stopped);
    let outcomes: Vec<(Run, Outcome)> = thread::scope(|scope| {
        let lanes = [("stopping", stopping), ("others", others)];
        let lanes = lanes.map(|(name, runs): (_, Vec<Run>)| scope.spawn(move || lane(name, &runs)));
        lanes.into_iter().flat_map(|lane| lane.join().unwrap()).collect()
    });
    println!("\n{}", Outcome::HEAD);
    for (run, outcome) in &outcomes {
        println!("{}", outcome.line(&run.name()));
    }
    let guarded = outcomes.iter().filter(|(run, _)| run.unguarded.is_none());
    println!("{}", Outcome::total(guarded.map(|(_, outcome)| outcome)));
    let bad: Vec<String> =
        outcomes.iter().filter(|(run, outcome)| !is_good(run, outcome)).map(|(run, _)| run.name()).collect();
    assert!(bad.is_empty(), "not as it should be: {}", bad.join(", "));
}

/// Without a guard, requests have to fail.
fn is_good(run: &Run, outcome: &Outcome) -> bool {
    if run.unguarded.is_some() {
        outcome.failed > 0 && outcome.problems.is_empty()
    } else {
        outcome.is_good()
    }
}

/// Runs one after the other.
fn lane(name: &str, runs: &[Run]) -> Vec<(Run, Outcome)> {
    let mut beds: HashMap<&[&str], Arc<Bed>> = HashMap::new();
    let mut outcomes = Vec::new();
    for run in runs {
        let flags = run.istiod.flags();
        if !beds.contains_key(flags) {
            // Only one at a time.
            beds.clear();
            beds.insert(flags, Bed::own(&format!("mesh-{name}-{}", outcomes.len()), flags));
        }
        let bed = &beds[flags];
        let outcome = catch_unwind(AssertUnwindSafe(|| run.play(bed, RATE)));
        let outcome = outcome.unwrap_or_else(|_| Outcome {
            problems: vec!["it did not come to its end: see above".to_owned()],
            ..Outcome::default()
        });
        println!("{}", outcome.line(&run.name()));
        if !is_good(run, &outcome) {
            println!("{}\n{}", outcome.problems.join("\n"), outcome.details);
        }
        outcomes.push((run.clone(), outcome));
    }
    outcomes
}
