//! Laws that every rollout obeys, checked over random histories, for the engine's own tests and for those of programs
//! that embed it.
//!
//! A checker judges what really happened ([`Moment`](crate::sim::Moment)) while it happens, and never calls the
//! deciding code. The exceptions are the laws about the function itself (`deterministic`, `early_is_harmless` …), which
//! call it again with recorded inputs.
//!
//! ```
//! use rollout_core::testing::history::{Histories, play};
//! let histories = Histories::new();
//! for number in 0..20 {
//!     let history = histories.draw(number).expect("every number gives a history");
//!     assert_eq!(play(&history).violation(), None, "history {number}");
//! }
//! ```

mod backend;
pub mod fleet;
pub mod history;
pub mod laws;
mod numbered;
mod premises;
mod reading;
mod recorded;

pub use backend::{Deviation, Try, try_backend};
pub use numbered::Numbered;
pub use premises::Premises;
pub use recorded::{Cause, Record, Recorded};
