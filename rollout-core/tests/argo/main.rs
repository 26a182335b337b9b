//! Argo Rollouts' answers, and what we do better on purpose.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod alone;
mod any_input;
mod conversion;
mod language;
#[cfg(feature = "yaml")]
mod source;
mod status;
mod vectors;
