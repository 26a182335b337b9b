//! Conversion between the engine's status and Argo Rollouts' fields.

mod condition;
mod conditions;
mod facts;
mod next;
mod progressing;
mod read;
mod runs;
mod waits;
mod write;

pub use facts::{Facts, WorkloadFacts};
pub use next::next_status;
pub use read::{WireStatus, read_status};
pub use write::write_status;
