//! One rollout's turn: reads, decides and acts.

mod abandoned;
mod act;
mod adopt;
mod analysis;
pub(crate) mod bounds;
mod claims;
mod command;
mod context;
mod grace;
mod interpret;
mod kube_events;
mod log;
mod memory;
mod observe;
mod publish;
mod rate;
mod restart;
mod rivals;
mod runner;
mod store;
mod target;
#[cfg(test)]
mod tests;
mod traffic;
mod turn;
mod waits;
mod workload_ref;

pub(crate) use abandoned::{Release, index as abandoned_index, rollout_of};
pub(crate) use claims::index as claims_index;
#[cfg(feature = "analysis")]
pub(crate) use context::INSTANCE;
pub(crate) use context::{Clock, Context, wall_clock};
pub(crate) use memory::{Key, RolloutMemory};
pub use publish::{KubeEvent, Publisher};
pub(crate) use traffic::Factory;
pub(crate) use turn::{After, turn};
