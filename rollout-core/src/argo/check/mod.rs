//! Checks that report all errors of a manifest at once, and likely mistakes. Each file holds one group of rules.

mod affinity;
mod annotations;
mod delays;
mod experiment;
mod header;
mod kinds;
mod labels;
mod lint;
mod lint_steps;
mod metadata;
mod mirror;
mod names;
mod notes;
pub(super) mod pace;
mod ping_pong;
mod refused;
mod report;
mod routing;
mod selector;
mod services;
mod spec;
mod steps;
mod strings;
mod suggest;
mod template;

pub use annotations::{STICKY_ANNOTATION, ignored_by_argo_rollouts};
pub use refused::refused_by_argo_rollouts;
pub use report::{Report, check};
