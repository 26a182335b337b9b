//! Random histories of several clusters that release together, and the laws about them.
//!
//! Each cluster is a whole world of its own, under [its own laws](crate::testing::laws). [`FleetLaws`] judge what the
//! clusters do to each other, from the real state of all of them.
//!
//! ```
//! use rollout_core::testing::fleet::{fleets, play_fleet};
//! for number in 0..10 {
//!     let fleet = fleets().draw(number).unwrap();
//!     assert_eq!(play_fleet(&fleet).violation(), None, "fleet {number}");
//! }
//! ```

#![expect(clippy::wildcard_enum_match_arm, reason = "a law looks only at what concerns it")]

mod generate;
mod laws;
mod play;

pub use generate::fleets;
pub use laws::FleetLaws;
pub use play::{PlayedFleet, play_fleet, play_fleet_recording};

use super::history::History;
use crate::fleet::Policy;
use alloc::vec::Vec;
use core::time::Duration;

/// A history of several clusters before it is played.
///
/// See [`play_fleet`] for an example.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a hand-written regression test gives all of it")]
pub struct Fleet {
    /// The history of each cluster. What GitOps applies is in all of them, at different times.
    pub members: Vec<History>,
    /// How they release together.
    pub policy: Policy,
    /// How long news takes from one cluster to another.
    pub delay: Duration,
    /// What happens to the links between them, each with the time since the previous one.
    pub links: Vec<(Duration, LinkHappening)>,
}

/// What happens to the link between two clusters, named by their numbers.
///
/// ```
/// use rollout_core::testing::fleet::{LinkHappening, fleets};
/// let cut = |number| fleets().draw(number).is_some_and(|fleet| {
///     fleet.links.iter().any(|(_, what)| matches!(what, LinkHappening::Cut(..)))
/// });
/// assert!((0..50).any(cut));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a player that cannot make a new thing happen must not compile")]
pub enum LinkHappening {
    /// Neither can read the other.
    Cut(u8, u8),
    /// Both can read each other again.
    Mend(u8, u8),
    /// One can neither read the others nor be read.
    Isolate(u8),
    /// All links work again.
    MendAll,
    /// The next news of the first is lost on the way to the second.
    Lose(u8, u8),
    /// The second reads an earlier state of the first.
    GoBack(u8, u8),
    /// News from the first to the second takes this many milliseconds from now on.
    Delay(u8, u8, u32),
}
