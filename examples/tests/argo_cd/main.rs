//! What Argo CD makes of our objects: the health that it shows, its buttons, and a sync that repairs what differs from
//! Git. Its scripts are run by a real interpreter of Lua.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod actions;
mod health;
mod lua;
mod meant;
mod rules;
mod sync;
mod world;
