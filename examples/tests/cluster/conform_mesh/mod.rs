//! The istiod that is played for the histories (`examples/tests/played_mesh/`) says what the real one says.
//!
//! A [`Sequence`](sequence::Sequence) of random changes, stopped proxies and restarts happens to both meshes. After each
//! step both come to rest, and what their istiods say is compared, as far as the adapter reads it: the objects and
//! their generations, the addresses of each revision, the proxies, which types each was sent anew, whether it has
//! acknowledged them, whether the number of the push has risen, and in which order the types of a push were sent.
//!
//! `cargo xtask conform --mesh [N]` compares many; the numbers of those that differ are printed with the shortest
//! sequence that was found. `FROM=7` begins at another number.

mod compare;
mod objects;
mod on_purpose;
mod played;
mod real;
mod sequence;
mod table;
mod view;

use crate::bed::{Bed, RUNTIME};
use real::Real;
use std::env;
use table::compare_all;

/// How many are compared beside the other tests: in some seconds.
const FEW: u64 = 4;
/// How many `cargo xtask conform --mesh` compares unless it is told.
const MANY: u64 = 100;

fn real() -> Real {
    RUNTIME.block_on(Real::of(Bed::own("conform-mesh", &["--mesh"])))
}

/// And what differs on purpose does so still.
#[test]
fn the_played_istiod_says_what_the_real_one_says() {
    let mut real = real();
    RUNTIME.block_on(on_purpose::assert_all(&mut real));
    compare_all(&mut real, 0, FEW);
}

/// `cargo xtask conform --mesh`.
#[test]
fn table_of_conformity() {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    compare_all(&mut real(), number("FROM").unwrap_or(0), number("CONFORM").unwrap_or(MANY));
}
