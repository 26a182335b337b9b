//! Each guard of the decision, taken out, is caught by the law that is about it:
//! `cargo test --release -p rollout-core --all-features --test mutants -- --nocapture`; one guard alone with
//! `GUARD=UpGate` before it.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

use rollout_core::{
    guard::{Guard, switch_off},
    testing::{
        Numbered,
        fleet::{Fleet, fleets, play_fleet},
        history::{Histories, play, play_under},
        laws::{Laws, all},
    },
};
use std::{
    num::NonZero,
    ops::Range,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

/// After so many histories a guard counts as missed by nobody.
const ENOUGH: u64 = 400_000;
/// The same for histories of several clusters, each of which takes much longer.
const ENOUGH_FLEETS: u64 = 40_000;

/// Which laws must notice that a guard is gone.
const EXPECTED: [(Guard, &[&str]); 38] = [
    (Guard::UpGate, &["up_gate"]),
    (Guard::DownGate, &["down_gate"]),
    (Guard::ScaleDownDeadline, &["deadline_excludes_traffic"]),
    (Guard::ReadYourWrites, &["reads_its_writes"]),
    (Guard::LateWriteFence, &["stale_writer_is_harmless"]),
    (Guard::InCharge, &["stale_writer_is_harmless"]),
    (Guard::StatusFirst, &["status_first"]),
    (Guard::OneLayer, &["one_layer"]),
    (Guard::LiveCapacity, &["live_select_needs_capacity"]),
    (Guard::LiveEndpoints, &["live_select_needs_capacity"]),
    (Guard::NotYet, &["down_gate", "up_gate"]),
    (Guard::StableReturn, &["up_gate"]),
    (Guard::AbortedRises, &["aborted_never_rises"]),
    (Guard::StableGains, &["stable_follows_weight"]),
    (Guard::StableKeeps, &["stable_follows_weight"]),
    (Guard::RolesSwap, &["live_pods_stay"]),
    (Guard::StepWindows, &["steps_in_windows"]),
    (Guard::GradualAbort, &["abort_at_its_pace"]),
    (Guard::Available, &["up_gate"]),
    (Guard::SwapAlone, &["live_pods_stay"]),
    (Guard::RollbackWindow, &["monotone_steps"]),
    (Guard::OldPodsLimit, &["few_old_pods"]),
    (Guard::DeadlineAbort, &["deadline_aborts_if_asked"]),
    (Guard::TotalWeight, &["weights_sum"]),
    (Guard::OwnScale, &["monotone_steps"]),
    (Guard::BadAborts, &["bad_aborts_at_once"]),
    (Guard::VerdictOfThis, &["verdict_is_of_this", "no_evidence_no_advance"]),
    (Guard::NoEvidence, &["no_evidence_no_advance"]),
    (Guard::OutageHolds, &["outage_holds"]),
    (Guard::RunFirst, &["run_comes_first"]),
    (Guard::UnreadableHolds, &["outage_holds"]),
    (Guard::UnsureHolds, &["outage_holds"]),
    (Guard::StartGate, &["starts_with_traffic"]),
    (Guard::OldRunsEnd, &["stopped_runs"]),
    (Guard::WantedRunsStay, &["stopped_runs"]),
    (Guard::StartingStep, &["starts_with_traffic"]),
    (Guard::RequestsFirst, &["starts_with_traffic"]),
    (Guard::RetryAnew, &["retry_measures_anew"]),
];

/// Which laws must notice that a guard between several clusters is gone.
const BETWEEN_CLUSTERS: [(Guard, &[&str]); 14] = [
    (Guard::PodsInEveryCluster, &["half_step", "pods_before_any_weight"]),
    (Guard::StepsTogether, &["half_step"]),
    (Guard::WavesInOrder, &["wave_order"]),
    (Guard::Soak, &["soak_passes"]),
    (Guard::OldPodsForOthers, &["nobody_pulls_the_rug"]),
    (Guard::EarlierPodsForOthers, &["earlier_pods_stay"]),
    (Guard::CanaryForOthers, &["canary_stays_for_others"]),
    (Guard::AbortEverywhere, &["abort_reaches_all"]),
    (Guard::LaterAttempt, &["heals", "abort_reaches_all"]),
    (Guard::FollowPauses, &["one_click"]),
    (Guard::UnknownHolds, &["cut_off_holds"]),
    (Guard::SlowestCounts, &["half_step", "pods_before_any_weight"]),
    (Guard::AttemptsApart, &["half_step"]),
    (Guard::ReleasesApart, &["half_step", "wave_order"]),
];

#[test]
fn every_guard_is_missed() {
    assert_eq!([EXPECTED.to_vec(), BETWEEN_CLUSTERS.to_vec()].concat().len(), Guard::ALL.len());
    let mut unnoticed = Vec::new();
    println!("guard taken out → the law that notices · histories needed");
    let alone = EXPECTED.map(|guard| (guard, false));
    let between = BETWEEN_CLUSTERS.map(|guard| (guard, true));
    let only = std::env::var("GUARD").ok();
    let asked = |guard: Guard| only.as_ref().is_none_or(|name| *name == format!("{guard:?}"));
    for ((guard, laws), is_between) in
        alone.into_iter().chain(between).filter(|((guard, _), _)| asked(*guard))
    {
        let mut from = 0;
        let noticed = loop {
            switch_off(Some(guard));
            let found = if is_between {
                first_violation(from..ENOUGH_FLEETS, laws, fleet_breaks)
            } else {
                first_violation(from..ENOUGH, laws, history_breaks)
            };
            switch_off(None);
            match found {
                // A history that breaks a law with all guards in place says nothing about this one.
                Some((number, _)) if !is_clean(number, is_between) => from = number + 1,
                found => break found,
            }
        };
        let name = format!("{guard:?}");
        if let Some((number, law)) = noticed {
            println!("{name:<16} → {law} · {}", number + 1);
        } else {
            println!("{name:<16} → nobody");
            unnoticed.push(guard);
        }
    }
    assert!(unnoticed.is_empty(), "no law notices that these are taken out: {unnoticed:?}");
}

/// Whether the history of this number breaks no law at all.
fn is_clean(number: u64, is_between: bool) -> bool {
    if is_between {
        return play_fleet(&fleets().draw(number).expect("every number has a fleet")).violation().is_none();
    }
    play(&Histories::new().draw(number).expect("every number has a history")).violation().is_none()
}

/// Returns which of these laws something with this number breaks.
type Breaks = fn(u64, &[&str]) -> Option<&'static str>;

fn history_breaks(number: u64, names: &[&str]) -> Option<&'static str> {
    thread_local!(static HISTORIES: Histories = Histories::new());
    let history = HISTORIES.with(|histories| histories.draw(number)).expect("every number has a history");
    let laws = Laws::new(all().into_iter().filter(|law| names.contains(&law.name())));
    let laws = play_under(&history, laws);
    laws.violation().filter(|broken| names.contains(&broken.law)).map(|broken| broken.law)
}

fn fleet_breaks(number: u64, names: &[&str]) -> Option<&'static str> {
    thread_local!(static FLEETS: Numbered<Fleet> = fleets());
    let fleet = FLEETS.with(|fleets| fleets.draw(number)).expect("every number has a fleet");
    let played = play_fleet(&fleet);
    played.violation().filter(|broken| names.contains(&broken.law)).map(|broken| broken.law)
}

/// The first history from a number on that breaks one of these laws, and the law.
fn first_violation(numbers: Range<u64>, names: &[&str], breaks: Breaks) -> Option<(u64, &'static str)> {
    let next = AtomicU64::new(numbers.start);
    let found: Mutex<Option<(u64, &'static str)>> = Mutex::new(None);
    let threads = thread::available_parallelism().map_or(2, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let over = found.lock().unwrap().is_some_and(|(first, _)| first < number);
                    if over || number >= numbers.end {
                        return;
                    }
                    if let Some(law) = breaks(number, names) {
                        let mut found = found.lock().unwrap();
                        if found.is_none_or(|(first, _)| number < first) {
                            *found = Some((number, law));
                        }
                    }
                }
            });
        }
    });
    found.into_inner().unwrap()
}
