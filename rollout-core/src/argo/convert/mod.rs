//! From what was read to what the engine drives.

mod conversion;
mod routes;
mod steps;
mod strategy;
mod unsupported;

pub use conversion::{Conversion, Unsupported, convert};
