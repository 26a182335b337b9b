//! Reads and edits Istio VirtualServices and DestinationRules for [`rollout_core`], touching only what it
//! owns, and understands what istiod says. Objects and answers come and go as values: it never talks to a
//! cluster itself.
//!
//! - [`IstioConfig`]: which objects split the traffic of one rollout, from a Rollout or by hand.
//! - [`IstioEditor`]: the editor for [`ObjectBackend`](rollout_core::backend::ObjectBackend); weights, managed routes,
//!   subset labels.
//! - [`Istiod`]: whether every proxy has what was written, from istiod's own answers.
//! - [`conformance`]: the edits as functions of objects or bytes, for test vectors and benchmarks.

mod abandoned;
mod bytes;
mod claims;
mod config;
pub mod conformance;
mod consent;
mod editor;
mod elsewhere;
mod hosts;
mod istiod;
mod managed;
mod name;
mod order;
mod problem;
mod resolve;
mod rules;
mod share;
mod split;
mod steps;
mod subsets;
mod traits;
mod virtual_service;
mod weighed;
mod words;

pub use abandoned::{SUBSETS_ANNOTATION, release_abandoned};
pub use config::{DestinationRuleRef, Foreign, IstioConfig, TcpRoute, TlsRoute, VirtualServiceRef};
pub use consent::ALLOW_FROM_ANNOTATION;
pub use editor::IstioEditor;
pub use hosts::hosts_named;
pub use istiod::Istiod;
pub use resolve::{resolve, service_of};
pub use virtual_service::{MANAGED_ANNOTATION, WEIGHT_ANNOTATION, WRITTEN_FOR_ANNOTATION};
