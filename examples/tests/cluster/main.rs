//! The controller on a real cluster and a real mesh: each test is a story with the real kubectl and the real plugin.
//!
//! They need the test bed (`rollout-kube/testbed/README.md`); `cargo xtask test --cluster` builds it and runs them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, also in what several tests share"
)]
#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "a method of a view is not general enough in its lifetime: the closure is needed"
)]

mod analysis;
mod bad;
mod bed;
mod clusters;
mod conform;
mod conform_mesh;
mod crash;
mod dynamic_stable;
mod events;
mod faults;
mod gitops;
mod header;
mod istiod;
mod mesh;
mod metadata;
mod others;
mod outage;
mod own_crd;
#[expect(dead_code, reason = "the histories use more of it")]
#[path = "../played_mesh/mod.rs"]
mod played_mesh;
#[path = "../recorded/mod.rs"]
mod recorded;
mod rest;
mod restart;
mod scale;
mod setups;
mod sticky;
mod story;
mod weight;
mod workload_ref;
