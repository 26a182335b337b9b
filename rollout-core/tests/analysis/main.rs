//! Analysis: Argo Rollouts' answers to random questions, and what we do better on purpose.
//!
//! The `.jsonl` files hold the questions and the answers that Argo Rollouts 1.10 gave to them.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod any_condition;
mod compare;
mod conditions;
mod counters;
mod evidence;
mod lint;
mod random;
mod runs;
mod vectors;
