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

/// After so many histories a guard counts as not missed by anybody.
const ENOUGH: u64 = 400_000;

#[test]
fn every_guard_is_missed() {
    let mut missed = Vec::new();
    println!("guard taken out → the law that notices · histories needed");
    for guard in Guard::ALL {
        switch_off(Some(guard));
        match first_violation() {
            Some((number, law)) => println!("{guard:?} → {law} · {}", number + 1),
            None => {
                println!("{guard:?} → nobody · {ENOUGH}");
                missed.push(guard);
            }
        }
        switch_off(None);
    }
    assert!(missed.is_empty(), "no law notices that these are taken out: {missed:?}");
}

/// The number of the first history that breaks a law, and the law.
fn first_violation() -> Option<(u64, &'static str)> {
    let next = AtomicU64::new(0);
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
                    let laws = play(&histories.draw(number).expect("every number has a history"));
                    if let Some(broken) = laws.violation() {
                        let mut found = found.lock().unwrap();
                        if found.is_none_or(|(first, _)| number < first) {
                            *found = Some((number, broken.law));
                        }
                    }
                }
            });
        }
    });
    found.into_inner().unwrap()
}
