//! The controller: which rollout has its turn when.

mod builder;
mod busy;
mod error;
mod preflight;
mod queue;
mod run;
mod share;
mod waker;

pub use builder::{Controller, ControllerBuilder};
pub use error::RunError;
pub(crate) use waker::Waker;
