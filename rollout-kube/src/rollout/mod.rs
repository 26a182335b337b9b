//! One rollout: what is read, what is decided, what is done about it.

mod act;
mod ages;
mod command;
mod context;
mod dark;
mod events;
mod memory;
mod observe;
mod publish;
mod say;
mod store;
mod target;
#[cfg(test)]
mod tests;
mod traffic;
mod turn;
mod work;

pub(crate) use context::{Context, now};
pub(crate) use memory::{Key, Memory};
pub(crate) use publish::Publisher;
pub use traffic::InvalidTraffic;
pub(crate) use traffic::{DataPlanes, Factory};
pub(crate) use turn::{After, turn};
