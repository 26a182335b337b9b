//! The controller: which rollout has its turn when.

mod builder;
mod charge;
mod error;
mod queue;
mod run;

pub use builder::{Controller, ControllerBuilder};
pub use error::RunError;
