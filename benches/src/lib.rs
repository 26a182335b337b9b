//! What the engine costs: one decision, one edit, one whole rollout.
//!
//! ```text
//! cargo bench -p benches                     everything
//! cargo bench -p benches --bench decision    one of them
//! ```

mod fleet;
mod manifest_text;
mod object;
mod scene;
mod whole;

pub use fleet::{Cost, Fleet};
pub use manifest_text::ManifestText;
pub use object::VirtualService;
pub use scene::Scene;
pub use whole::{weight_canary, weight_canary_with_istio};
