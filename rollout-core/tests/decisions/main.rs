//! What is decided in situations that are made by hand.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod goals;
mod order;
mod proxies;
mod situation;
mod stages;
mod turn;
mod waiting;
