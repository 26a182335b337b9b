//! Each guard of the decision, taken out, is caught by a law:
//! `cargo test --release -p rollout-core --all-features --test mutants -- --nocapture`.

use rollout_core::{
    guard::{Guard, switch_off},
    testing::history::{Histories, play},
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

#[test]
fn every_guard_is_missed() {
    let mut unnoticed = Vec::new();
    println!("guard taken out → the law that notices · histories needed");
    for guard in Guard::ALL {
        let mut from = 0;
        let noticed = loop {
            switch_off(Some(guard));
            let found = first_violation(from);
            switch_off(None);
            match found {
                // A history that breaks a law with all guards in place says nothing about this one.
                Some((number, _)) if breaks(&Histories::new(), number).is_some() => from = number + 1,
                found => break found,
            }
        };
        match noticed {
            Some((number, law)) => println!("{:<16} → {law} · {}", format!("{guard:?}"), number + 1),
            None => {
                println!("{guard:?} → nobody · {ENOUGH}");
                unnoticed.push(guard);
            }
        }
    }
    assert!(unnoticed.is_empty(), "no law notices that these are taken out: {unnoticed:?}");
}

/// The law that the history of this number breaks.
fn breaks(histories: &Histories, number: u64) -> Option<&'static str> {
    let laws = play(&histories.draw(number).expect("every number has a history"));
    laws.violation().map(|broken| broken.law)
}

/// The first history from a number on that breaks a law, and the law.
fn first_violation(from: u64) -> Option<(u64, &'static str)> {
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
                    if let Some(law) = breaks(&histories, number) {
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
