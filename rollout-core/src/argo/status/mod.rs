//! The engine's status as the reference's fields, and back.

mod condition;
mod read;
mod write;

pub use read::{WireStatus, read_status};
pub use write::write_status;
