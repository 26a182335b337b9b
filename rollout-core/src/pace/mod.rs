//! When a release may move, and how fast an abort goes: settings beyond Argo Rollouts'.
//!
//! On a cluster, they are annotations of the Rollout, because its definition would prune unknown fields. Argo Rollouts
//! ignores them.
//!
//! ```
//! use rollout_core::{Spec, Strategy, pace::{GradualAbort, Windows}};
//! let mut spec = Spec::new(Strategy::builder().build()?, "v1".into());
//! spec.windows = "Mon-Thu 09:00-16:00".parse()?;
//! spec.gradual_abort = Some("20% every 30s".parse()?);
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod gradual_abort;
mod windows;

pub use gradual_abort::{GradualAbort, InvalidGradualAbort};
pub use windows::{InvalidWindows, Opening, Windows};

/// The annotation of a Rollout with its [`Windows`].
pub const WINDOWS_ANNOTATION: &str = "rollout-core/step-windows";

/// The annotation of a Rollout with its [`GradualAbort`].
pub const GRADUAL_ABORT_ANNOTATION: &str = "rollout-core/gradual-abort";
