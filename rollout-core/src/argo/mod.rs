//! The canary strategy in the format of Argo Rollouts.
//!
//! Three stages, kept apart: the **wire form** ([`wire`]: everything that a manifest may contain, and the [step
//! hash](step_hash)), the **check** ([`check`](fn@check): all errors at once), and the **conversion**
//! ([`convert`](fn@convert)) to what the engine drives. In addition, the [status](read_status) in the fields that
//! clients of Argo Rollouts read and write, and, with the feature `yaml`, manifests with the place of everything in
//! them (`read`).
//!
//! An error never hides other errors, and no input can make any of it panic.
//!
//! ```
//! use rollout_core::{Step, argo};
//! use serde_json::json;
//!
//! let rollout = json!({
//!     "kind": "Rollout",
//!     "spec": {
//!         "replicas": 4,
//!         "selector": {"matchLabels": {"app": "demo"}},
//!         "strategy": {"canary": {"steps": [{"setWeight": 25}, {"pause": {"duration": "10m"}}]}},
//!         "template": {
//!             "metadata": {"labels": {"app": "demo"}},
//!             "spec": {"containers": [{"name": "c", "image": "demo:v2"}]}
//!         }
//!     }
//! });
//! let report = argo::check(&rollout);
//! assert!(report.is_valid(), "{:?}", report.findings);
//! let target = argo::template_hash(&rollout["spec"]["template"]);
//! let made = argo::convert(&report.rollout, target);
//! assert!(made.unsupported.is_empty());
//! assert_eq!(made.spec.unwrap().strategy.steps()[0], Step::SetWeight(25));
//! ```

mod alone;
pub(crate) mod check;
mod convert;
pub(crate) mod duration;
mod finding;
mod fleet;
pub(crate) mod goal_of;
mod hash;
mod header_conditions;
mod json_annotation;
mod path;
pub(crate) mod phase;
pub(crate) mod pods;
mod reader;
#[cfg(feature = "yaml")]
mod source;
mod status;
pub mod wire;
mod workload_ref;

#[doc(no_inline)]
pub use crate::{Finding, Located, Place, Severity};
pub use alone::{StrategyAlone, strategy};
pub use check::{Report, STICKY_ANNOTATION, check, ignored_by_argo_rollouts};
pub use convert::{Conversion, convert, managed_route, way_back};
pub(crate) use finding::Findings;
pub use hash::{step_hash, template_hash};
pub use header_conditions::HEADER_CONDITIONS_ANNOTATION;
#[cfg(feature = "yaml")]
pub use source::{Document, Documents, MAX_BYTES, read, read_part};
pub use status::{Facts, WireStatus, WorkloadFacts, next_status, read_status, write_status};
pub use workload_ref::{with_template, workload_ref};
