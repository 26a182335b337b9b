//! What users of other engines really hit, as stories in the virtual world: given, when, then. Every story
//! is judged by all laws as well. `README.md` says what the numbers in the names are.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod gone;
mod headers;
mod liveness;
mod services;
mod stable_scale;
mod story;
mod surge;
mod weights;
mod zero;
