//! A read-your-writes cache of the cluster's objects: what the watches showed, and what this process read or wrote.

mod caches;
mod groups;
mod index;
mod interests;
mod kind_cache;
mod notifier;
mod objects;
mod view;
mod watching;

pub(crate) use crate::entry::{Entry, controller, reference};
pub(crate) use caches::Caches;
pub(crate) use index::Index;
pub(crate) use interests::Interest;
pub(crate) use notifier::{Changed, LastHeard};
#[cfg(test)]
pub(crate) use objects::Touched;
pub(crate) use view::View;
