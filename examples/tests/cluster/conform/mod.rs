//! The API server that is played for other tests (`rollout_kube::testing::SimulatedApiServer`) answers as the real one does.
//!
//! A [`Sequence`] of random requests, such as the adapter sends and such as go wrong, is asked of both. After each
//! request the answers are compared: status code, `reason`, and the object or the list, but for what [`Known::told`]
//! leaves out; at the end also what every watch has shown. The cluster's controllers stand still meanwhile, so that
//! nobody else writes.
//!
//! `cargo xtask conform [N]` compares many; the numbers of those that differ are printed with the shortest sequence
//! that was found. `FROM=7` begins at another number.

mod compare;
mod kinds;
mod known;
mod on_purpose;
mod request;
mod sequence;
mod server;
mod table;
mod watched;

use crate::bed::Bed;
use compare::Real;
use std::env;
use table::compare_all;

/// How many are compared beside the other tests: in some seconds.
const FEW: u64 = 200;
/// How many `cargo xtask conform` compares unless it is told.
const MANY: u64 = 5_000;

/// And what differs on purpose does so still.
#[test]
fn the_played_server_answers_as_the_real_one() {
    let real = Real::of(Bed::own("conform", &[]));
    on_purpose::assert_all(&real);
    compare_all(&real, 0, FEW);
}

/// `cargo xtask conform`.
#[test]
fn table_of_conformity() {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let (from, many) = (number("FROM").unwrap_or(0), number("CONFORM").unwrap_or(MANY));
    compare_all(&Real::of(Bed::own("conform", &[])), from, many);
}
