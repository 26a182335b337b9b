//! Istio support for [`rollout_core`]: reads and edits VirtualServices and DestinationRules, touching only what it
//! owns, and interprets istiod's answers. Objects and answers are passed as values: this crate never talks to a cluster
//! itself.
//!
//! - [`IstioConfig`]: the objects that split the traffic of one rollout, from a Rollout or by hand.
//! - [`IstioEditor`]: the editor for [`ObjectBackend`](rollout_core::backend::ObjectBackend); weights, managed routes,
//!   subset labels.
//! - [`Istiod`]: finds out from istiod's own answers whether every proxy has what was written.
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
mod sticky;
mod subsets;
mod traits;
mod virtual_service;
mod weighed;
mod words;

pub use abandoned::{SUBSETS_ANNOTATION, release_abandoned};
pub use config::{DestinationRuleRef, Foreign, IstioConfig, TcpRouteRef, TlsRouteRef, VirtualServiceRef};
pub use consent::ALLOW_FROM_ANNOTATION;
pub use editor::IstioEditor;
pub use hosts::hosts_named;
pub use istiod::Istiod;
pub use resolve::{resolve, service_of};
pub use sticky::Sticky;
pub use virtual_service::{MANAGED_ANNOTATION, WEIGHT_ANNOTATION, WRITTEN_FOR_ANNOTATION};
