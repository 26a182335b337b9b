//! The AnalysisRuns of a Rollout: which templates they are made of, how they are named, and what they say.

mod change;
mod events;
mod identity;
mod lint;
mod seen;
mod templates;

pub(super) use change::change;
pub(super) use events::events;
pub(super) use lint::check;
pub(super) use seen::{RunsRead, left, read};
