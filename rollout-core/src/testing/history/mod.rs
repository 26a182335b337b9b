//! Random histories: the user's spec, the behaviour of the world, and the events. They are values, so that one that
//! breaks a law can be shrunk to the essential events and replayed identically.
//!
//! See [`Histories`] and [`play`] for examples.

pub(in crate::testing) mod generate;
mod group;
mod happening;
mod metrics;
pub(in crate::testing) mod play;
pub(in crate::testing) mod player;
mod recipe;
mod timeline;

pub use generate::{Histories, groups};
pub use group::{Group, play_together};
pub use happening::{Happening, Target};
pub use play::{play, play_over, play_under};
pub use recipe::{MANAGED, Recipe, Surroundings};
pub use timeline::Timeline;

use alloc::vec::Vec;
use core::time::Duration;

/// A history before it is played.
///
/// See [`play`] for an example.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a hand-written regression test gives all of it")]
pub struct History {
    /// The seed of everything that looks random in the world.
    pub seed: u64,
    /// The user's spec.
    pub recipe: Recipe,
    /// The behaviour of the world.
    pub surroundings: Surroundings,
    /// Whether the first deploy is complete before the first event.
    pub deployed: bool,
    /// The events, each with the time since the previous one.
    pub happenings: Vec<(Duration, Happening)>,
    /// Whether, once the faults have ended, an operator ends every pause and resumes every stopped update until it is
    /// done.
    pub finished_by_a_person: bool,
}
