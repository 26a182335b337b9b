//! One rollout: what is read, what is decided, what is done about it.

mod act;
mod adopt;
mod bounds;
mod claims;
mod command;
mod context;
mod events;
mod grace;
mod left;
mod memory;
mod observe;
mod rate;
mod rivals;
mod say;
mod store;
mod target;
mod tell;
#[cfg(test)]
mod tests;
mod traffic;
mod turn;
mod waits;
mod work;

pub(crate) use claims::index as claims_index;
pub(crate) use context::{Clock, Context, wall_clock};
pub(crate) use left::{Release, about, index as left_index};
pub(crate) use memory::{Key, Memory};
pub use tell::{Publisher, Said};
pub(crate) use traffic::Factory;
pub(crate) use turn::{After, turn};
