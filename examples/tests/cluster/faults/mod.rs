//! What went wrong on a real mesh once, and must not again.
//!
//! Each is a fault that the engine's own worlds could not show: a cache that is overtaken, an istiod that was away,
//! an Envoy that lives and hears nothing, two Rollouts in one object, pods that are orphans.

mod away;
mod cut_off;
mod late;
mod orphans;
mod shared;
mod slow;
mod stable;
mod tenants;
mod unrouted;
pub(crate) mod web;
