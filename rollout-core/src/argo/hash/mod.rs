//! The step hash, byte for byte as Argo Rollouts computes it, and the engine's own template hash.

mod fnv;
mod step;
mod template;
mod text;

pub use step::step_hash;
pub use template::template_hash;
pub(crate) use text::{ObjectText, Text};
