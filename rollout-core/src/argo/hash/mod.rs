//! The step hash, byte for byte Argo Rollouts', and a template hash of our own.

mod fnv;
mod step;
mod template;
mod text;

pub use step::step_hash;
pub use template::template_hash;
pub(crate) use text::{ObjectText, Text};
