//! The reference's answers, and what we do better on purpose.
#![cfg(feature = "argo")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod vectors;
