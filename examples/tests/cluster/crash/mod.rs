//! `kill -9` after each API write of an update; what is left must come to rest, and obey every law.
//!
//! A proxy counts the controller's writes and ends it at one of them; a recorder writes down every version of
//! every object; the history is brought before the laws of `rollout_core::testing`.

mod foreign;
mod planted;
mod proxy;
mod purpose;
mod recorder;
mod rest;
mod run;
mod table;

use crate::bed::Bed;
use proxy::Variant;
use run::{Case, Story, run};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use table::Table;

/// So many controllers at the same time, each in a namespace of its own.
const LANES: usize = 4;
/// Nothing takes so many writes.
const MOST: usize = 60;

/// Every index, each with a write that arrives late, and with one of the other three in turn.
#[test]
fn an_update_survives_a_crash_at_every_write() {
    let table = all(&Bed::shared(), Story::Update, |index| vec![Variant::ALL[index % 3], Variant::Late]);
    println!("{table}");
    table.assert_good();
}

/// Every index of every story, each with every variant: `cargo xtask crash`.
#[test]
fn table_of_crashes() {
    let bed = Bed::own("crash", &["--mesh"]);
    let stories = [Story::Update, Story::Abort, Story::FirstDeploy];
    let tables = stories.map(|story| all(&bed, story, |_| Variant::ALL.to_vec()));
    for table in &tables {
        println!("{table}");
    }
    tables.iter().for_each(Table::assert_good);
}

/// A history in which something was changed afterwards fails, each by the law that it is about.
#[test]
fn the_laws_see_what_is_planted_in_a_recorded_history() {
    let case = Case { story: Story::Update, at: 3, variant: Variant::AnswerLost, load: false };
    let ran = run(&Bed::shared(), case).unwrap_or_else(|why| panic!("{why}"));
    planted::all_are_found(&ran.history);
}

/// Runs every index, up to one that no run reaches.
fn all(bed: &Arc<Bed>, story: Story, variants: impl Fn(usize) -> Vec<Variant> + Sync) -> Table {
    let table = Mutex::new(Table::new(story));
    let cases = Mutex::new((1_usize, Vec::new()));
    let next = || {
        let mut cases = cases.lock().unwrap_or_else(PoisonError::into_inner);
        let (index, left) = &mut *cases;
        if left.is_empty() {
            left.extend(variants(*index).into_iter().map(|variant| (*index, variant)));
            *index += 1;
        }
        left.remove(0)
    };
    std::thread::scope(|scope| {
        for _ in 0..LANES {
            scope.spawn(|| {
                loop {
                    let (at, variant) = next();
                    let beyond = |index| lock(&table).through(index) == variants(index).len();
                    if at > MOST || (1..at).any(beyond) {
                        return;
                    }
                    // A handful with requests through the Envoys.
                    let load = story != Story::FirstDeploy && at % 6 == 0;
                    let ran = run(bed, Case { story, at, variant, load });
                    lock(&table).add(at, variant, ran);
                }
            });
        }
    });
    table.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}
