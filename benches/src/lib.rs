//! What the engine costs: one decision, one edit, one whole rollout.
//!
//! ```text
//! cargo bench -p benches                     everything
//! cargo bench -p benches --bench decision    one of them
//! ```

mod scene;

pub use scene::Scene;
