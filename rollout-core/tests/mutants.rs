//! Each guard of the decision, taken out, is caught by the law that is about it:
//! `cargo test --release -p rollout-core --all-features --test mutants -- --nocapture`.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

use rollout_core::{
    guard::{Guard, switch_off},
    testing::{
        history::{Histories, play, play_under},
        laws::{Laws, all},
    },
};
use std::{
    num::NonZero,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

/// After so many histories a guard counts as missed by nobody.
const ENOUGH: u64 = 400_000;

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

#[test]
fn every_guard_is_missed() {
    assert_eq!(EXPECTED.map(|(guard, _)| guard), Guard::ALL);
    let mut unnoticed = Vec::new();
    println!("guard taken out → the law that notices · histories needed");
    for (guard, laws) in EXPECTED {
        let mut from = 0;
        let noticed = loop {
            switch_off(Some(guard));
            let found = first_violation(from, laws);
            switch_off(None);
            match found {
                // A history that breaks a law with all guards in place says nothing about this one.
                Some((number, _)) if !is_clean(number) => from = number + 1,
                found => break found,
            }
        };
        let name = format!("{guard:?}");
        if let Some((number, law)) = noticed {
            println!("{name:<16} → {law} · {}", number + 1);
        } else {
            println!("{name:<16} → nobody · {ENOUGH}");
            unnoticed.push(guard);
        }
    }
    assert!(unnoticed.is_empty(), "no law notices that these are taken out: {unnoticed:?}");
}

/// Whether the history of this number breaks no law at all.
fn is_clean(number: u64) -> bool {
    play(&Histories::new().draw(number).expect("every number has a history")).violation().is_none()
}

/// The first history from a number on that breaks one of these laws, and the law.
fn first_violation(from: u64, names: &[&str]) -> Option<(u64, &'static str)> {
    let next = AtomicU64::new(from);
    let found: Mutex<Option<(u64, &'static str)>> = Mutex::new(None);
    let threads = thread::available_parallelism().map_or(2, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let histories = Histories::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let over = found.lock().unwrap().is_some_and(|(first, _)| first < number);
                    if over || number >= ENOUGH {
                        return;
                    }
                    let history = histories.draw(number).expect("every number has a history");
                    let laws = Laws::new(all().into_iter().filter(|law| names.contains(&law.name())));
                    let laws = play_under(&history, laws);
                    let broken = laws.violation().filter(|broken| names.contains(&broken.law));
                    if let Some(law) = broken.map(|broken| broken.law) {
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
