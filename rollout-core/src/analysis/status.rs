//! What a run has measured: the status of an AnalysisRun.

use super::{Metric, Phase, RunSpec};
use crate::Time;
use alloc::{collections::BTreeMap, string::String, sync::Arc, vec::Vec};

/// The status of a run: what was measured, and what it is worth.
///
/// ```
/// use rollout_core::analysis::{Phase, RunStatus};
/// use serde_json::json;
/// let stored = json!({"phase": "Running", "startedAt": "2026-01-01T00:00:00Z"});
/// let status = RunStatus::read(&stored);
/// assert_eq!(status.phase, Phase::Running);
/// assert_eq!(status.write(), stored);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct RunStatus {
    /// How far the run is.
    pub phase: Phase,
    /// Why it ended as it did; may be empty.
    pub message: String,
    /// When it was first looked at.
    pub started_at: Option<Time>,
    /// When it ended. A run whose spec is invalid ends without one.
    pub completed_at: Option<Time>,
    /// The metrics that were measured, in the order of the spec.
    pub metrics: Vec<MetricResult>,
    /// How many metrics there are, and how many have ended how.
    pub run_summary: Summary,
    /// The same of the metrics without consequences.
    pub dry_run_summary: Summary,
}

/// What was measured of one metric.
///
/// ```
/// use rollout_core::analysis::{MetricResult, Phase};
/// let result = MetricResult::new("success-rate");
/// assert_eq!((result.phase, result.count), (Phase::Running, 0));
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct MetricResult {
    /// The name of the metric.
    pub name: Arc<str>,
    /// How far it is.
    pub phase: Phase,
    /// The message of the measurement that ended it; may be empty.
    pub message: String,
    /// The newest measurements, the oldest first.
    pub measurements: Vec<Measurement>,
    /// How many measurements count: all but errors.
    pub count: i64,
    /// How many were successful.
    pub successful: i64,
    /// How many failed.
    pub failed: i64,
    /// How many were inconclusive.
    pub inconclusive: i64,
    /// How many could not be made.
    pub error: i64,
    /// How many in a row, up to now, could not be made.
    pub consecutive_error: i64,
    /// How many in a row, up to now, were successful.
    pub consecutive_success: i64,
    /// Whether the metric has no consequences.
    pub dry_run: bool,
    /// What the provider keeps about the metric.
    pub metadata: BTreeMap<String, String>,
}

/// One measurement.
///
/// ```
/// use rollout_core::analysis::{Measurement, Phase};
/// assert_eq!(Measurement::default().phase, Phase::Pending);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Measurement {
    /// How it ended; `Running` if it did not.
    pub phase: Phase,
    /// Why it could not be made, or what else there is to say; may be empty.
    pub message: String,
    /// When it began.
    pub started_at: Option<Time>,
    /// When it ended.
    pub finished_at: Option<Time>,
    /// What was answered; may be empty.
    pub value: String,
    /// What the provider keeps about it.
    pub metadata: BTreeMap<String, String>,
    /// When to look at it again while it runs.
    pub resume_at: Option<Time>,
}

/// How many metrics there are, and how many have ended how.
///
/// ```
/// use rollout_core::analysis::Summary;
/// assert_eq!(Summary::default().count, 0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Summary {
    /// All metrics.
    pub count: u32,
    /// Those that ended well.
    pub successful: u32,
    /// Those that failed too often.
    pub failed: u32,
    /// Those that were inconclusive too often.
    pub inconclusive: u32,
    /// Those that could not be measured too often.
    pub error: u32,
}

impl RunStatus {
    /// Returns what was measured of a metric.
    ///
    /// ```
    /// assert!(rollout_core::analysis::RunStatus::default().metric("a").is_none());
    /// ```
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<&MetricResult> {
        self.metrics.iter().find(|result| &*result.name == name)
    }

    pub(super) fn metric_mut(&mut self, name: &str) -> Option<&mut MetricResult> {
        self.metrics.iter_mut().find(|result| &*result.name == name)
    }

    /// Returns the result of a metric; a new one is put where the spec has it.
    pub(super) fn result_of(&mut self, spec: &RunSpec, metric: &Metric) -> &mut MetricResult {
        let place = |name: &str| spec.metrics.iter().position(|metric| &*metric.name == name);
        let known = self.metrics.iter().position(|result| result.name == metric.name);
        let index = known.unwrap_or_else(|| {
            let later = self.metrics.iter().position(|result| place(&result.name) > place(&metric.name));
            let index = later.unwrap_or(self.metrics.len());
            self.metrics.insert(index, MetricResult::new(&metric.name));
            index
        });
        #[expect(clippy::indexing_slicing, reason = "found or inserted above")]
        &mut self.metrics[index]
    }
}

impl MetricResult {
    /// Creates the result of a metric that nothing was measured of.
    ///
    /// See [`MetricResult`] for an example.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), phase: Phase::Running, ..Self::default() }
    }

    /// Returns the newest measurement.
    ///
    /// ```
    /// assert!(rollout_core::analysis::MetricResult::new("a").newest().is_none());
    /// ```
    #[must_use]
    pub fn newest(&self) -> Option<&Measurement> {
        self.measurements.last()
    }
}
