//! Laws that every rollout obeys, checked over random histories: for the engine's own tests and for those
//! of whoever embeds it.
//!
//! A checker judges what really happened ([`Moment`](crate::sim::Moment)), online, and never calls the
//! deciding code. The laws that compare the function with itself (`deterministic`, `early_is_harmless` …)
//! are the exception: they call it again with recorded inputs.

mod backend;
pub mod history;
pub mod laws;
mod numbered;
mod reading;
mod recorded;

pub use backend::{Deviation, Try, try_backend};
pub use numbered::Numbered;
pub use recorded::{Cause, Record, Recorded};
