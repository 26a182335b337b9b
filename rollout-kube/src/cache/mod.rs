//! The objects of the cluster as this process knows them: what the watches showed, and what it read or wrote itself.

mod groups;
mod index;
mod interests;
mod news;
mod objects;
mod shelf;
mod shelves;
mod view;
mod watching;

pub(crate) use crate::entry::{Entry, reference};
pub(crate) use index::Index;
pub(crate) use interests::Interest;
pub(crate) use news::Changed;
#[cfg(test)]
pub(crate) use objects::Touched;
pub(crate) use shelves::Shelves;
pub(crate) use view::View;
