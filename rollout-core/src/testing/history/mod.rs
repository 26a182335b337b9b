//! Random histories: what the user wants, how the world behaves, what happens when. They are values, so
//! that one that breaks a law shrinks to the few things that matter, and plays again the same way.

mod generate;
mod group;
mod happening;
mod play;
mod player;
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

/// One history, before it is played.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "whoever writes a regression test by hand gives all of it")]
pub struct History {
    /// For what looks random inside the world.
    pub seed: u64,
    /// What the user wants.
    pub recipe: Recipe,
    /// How the world behaves.
    pub surroundings: Surroundings,
    /// Whether the first deploy is done before anything happens.
    pub deployed: bool,
    /// What happens, each so long after the one before.
    pub happenings: Vec<(Duration, Happening)>,
    /// Whether, once the faults have ended, a person ends every pause and takes every stop back until the
    /// update is done.
    pub finished_by_a_person: bool,
}
