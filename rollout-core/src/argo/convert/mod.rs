//! Conversion from the wire form to what the engine drives.

mod analysis;
mod conversion;
mod count;
mod ignored;
mod routes;
mod steps;
mod strategy;
mod unsupported;
mod way_back;

pub use conversion::{Conversion, convert};
pub use routes::managed_route;
pub(super) use routes::text;
pub use way_back::way_back;
