//! Reads YAML or JSON like kubectl, with the place of everything in it.

mod broken;
mod compose;
mod document;
mod flaw;
mod lines;
mod node;
mod place;
mod read;
mod resolve;
mod scalar;

pub use document::Document;
pub use read::{Documents, MAX_BYTES, read, read_part};
