//! The canary strategy as Argo Rollouts users write it.
//!
//! Three stages, kept apart: the **wire form** ([`wire`]: everything that the language may say, and the
//! [step hash](step_hash)), the **check** (all errors of the language at once), and the **conversion** to
//! what the engine drives.

mod at_rest;
mod check;
mod convert;
mod duration;
mod finding;
mod hash;
mod phase;
mod pods;
mod reader;
#[cfg(feature = "yaml")]
mod source;
mod status;
pub mod wire;

pub use at_rest::at_rest;
pub use check::{Report, check};
pub use convert::{Conversion, Unsupported, convert};
pub use duration::{InvalidDuration, pause_seconds};
pub(crate) use finding::Findings;
pub use finding::{Finding, Severity};
pub use hash::{step_hash, template_hash};
pub use phase::{Phase, phase, phase_for_clients};
pub use pods::{fenceposts, int_or_percent};
#[cfg(feature = "yaml")]
pub use source::{Diagnostic, Document, MAX_BYTES, Place, Reading, read};
pub use status::{WireStatus, read_status, write_status};
