//! The controller: decides which rollout runs its turn, and when.

mod builder;
mod busy;
mod error;
mod preflight;
mod process;
mod queue;
mod run;
mod share;
mod waker;

pub use builder::{Controller, ControllerBuilder};
pub use error::RunError;
pub(crate) use waker::Waker;
#[cfg(feature = "analysis")]
pub(crate) use {busy::Busy, queue::Queue};
