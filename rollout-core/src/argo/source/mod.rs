//! What a person wrote: YAML or JSON, read as kubectl reads it, with the place of everything in it.

mod broken;
mod compose;
mod document;
mod expand;
mod flaw;
mod lines;
mod node;
mod place;
mod read;
mod scalar;

pub use document::Document;
pub use read::{MAX_BYTES, Reading, read, read_part};
