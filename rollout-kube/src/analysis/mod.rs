//! Runs AnalysisRuns: asks metric providers, and stores what they answer.
//!
//! ```text
//! watch ─► runner ─► turn ─► rollout_core::analysis::RunTurn ─► store ─► API server
//!          (queue)     │       what to ask, what it is worth     (compare-and-swap)
//!                      └─► provider: prometheus, web, job, datadog, compare
//! ```
//!
//! The runs have a queue and workers of their own: a provider that is slow never delays the decision of a Rollout.

mod compare;
mod datadog;
mod events;
mod http;
mod job;
mod jsonpath;
mod mask;
mod prometheus;
mod provider;
mod runner;
mod secrets;
mod store;
#[cfg(test)]
mod tests;
mod time_to_live;
mod turn;
mod web;

pub(crate) use provider::Provider;
#[cfg(any(test, feature = "testing"))]
pub(crate) use provider::{Question, Told};
pub(crate) use runner::{RunContext, Runner};

use crate::store::Requests;
use http::Http;
use provider::Providers;
use std::sync::Arc;

/// How a controller runs AnalysisRuns; see [`ControllerBuilder::analysis`](crate::ControllerBuilder::analysis).
///
/// ```
/// use rollout_kube::Analysis;
/// let analysis = Analysis::new().workers(10);
/// assert_ne!(analysis, Analysis::new().local_addresses(true));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Analysis {
    workers: usize,
    local_addresses: bool,
}

impl Analysis {
    /// Starts with the defaults.
    ///
    /// See [`Analysis`] for an example.
    #[must_use]
    pub const fn new() -> Self {
        Self { workers: 30, local_addresses: false }
    }

    /// Sets how many runs may be measured at the same time, with four questions each. Default 30.
    ///
    /// See [`Analysis`] for an example.
    #[must_use]
    pub fn workers(self, max: usize) -> Self {
        Self { workers: max.max(1), ..self }
    }

    /// Sets whether metrics may be asked at addresses that mean something only on this machine: loopback, link-local, and
    /// those at which clouds serve the credentials of a machine. Default: no. Tenants choose the addresses.
    ///
    /// See [`Analysis`] for an example.
    #[must_use]
    pub const fn local_addresses(self, may: bool) -> Self {
        Self { local_addresses: may, ..self }
    }

    pub(crate) const fn worker_count(self) -> usize {
        self.workers
    }

    /// Builds the providers, over a client of the API server.
    pub(crate) fn providers(self, requests: Requests) -> Arc<dyn Provider> {
        Arc::new(Providers::new(Http::new(self.local_addresses), requests))
    }
}

impl Default for Analysis {
    fn default() -> Self {
        Self::new()
    }
}
