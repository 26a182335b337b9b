//! Analysis: what metrics say about a release.
//!
//! Pure: measuring is done elsewhere. A [`Condition`] judges what a provider answered.

mod condition;
mod phase;

pub use condition::{Condition, ConditionError, ConditionFailed, Kind, MAX_LENGTH, Value, verdict};
pub use phase::Phase;
