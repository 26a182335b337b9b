//! What is settled, and what only looks so, from what istiod says.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop where it stands")]

mod mesh;
mod missing;
mod moving;
mod others;
mod rest;
mod settles;
mod silence;
