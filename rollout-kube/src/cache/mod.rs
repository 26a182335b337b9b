//! What the watches have shown, and what was read or written since.

mod entry;
mod shelf;
mod shelves;
mod view;
mod watching;

pub(crate) use entry::{Entry, reference};
pub(crate) use shelves::{Changed, Shelves};
pub(crate) use view::View;
