//! What is said about an analysis before it runs.
//!
//! | file | answers |
//! |---|---|
//! | `answers`, `promql`, `lexed` | what a provider will answer, as far as its query says that |
//! | `around` | for how long the run may measure, at which weights |
//! | `conditions`, `overlap` | whether the conditions fit that, also without data, and exclude each other |
//! | `limits`, `times` | whether the metric can fail, ends, and measures in time |
//! | `arguments` | which arguments nothing uses, and which template a finding is in |
//! | `power`, `words` | how much traffic a comparison needs |

mod answers;
mod arguments;
mod around;
mod conditions;
mod lexed;
mod limits;
mod overlap;
mod power;
mod promql;
mod times;
mod words;

pub(super) use arguments::Source;
pub use around::{Around, Stay};
pub use power::{Traffic, power};

use super::{Metric, RunSpec};
use crate::{Finding, Severity};
use alloc::{format, string::String, vec::Vec};
use answers::Answers;

/// Returns what is wrong with a run before anything is measured: an error if it could never be successful, a warning if
/// it most likely does not do what its author wants. The paths are below `spec` of the run.
///
/// A run that is [invalid](RunSpec::invalid) has no findings: that one says it.
///
/// ```
/// use rollout_core::{Strategy, analysis::{Around, RunRole, RunSpec, lint}};
/// use serde_json::json;
/// let metric = json!({
///     "name": "success-rate", "interval": "1m", "count": 3, "failureLimit": 3,
///     "successCondition": "result >= 0.95",
///     "provider": {"prometheus": {"query": "sum(rate(ok[1m])) / sum(rate(all[1m]))"}},
/// });
/// let spec = RunSpec::read(&json!({"metrics": [metric]}));
/// let strategy = Strategy::builder().build()?;
/// let findings = lint(&spec, &Around::of(&strategy, RunRole::Background));
/// let texts: Vec<_> = findings.iter().map(ToString::to_string).collect();
/// assert_eq!(
///     texts,
///     [
///         "metrics[0].successCondition: `result >= 0.95` is an error whatever is measured, at character 8: `>=` cannot \
///          compare a list of numbers with a number; `result` is a list: write `result[0]` for its first element",
///         "metrics[0].failureLimit: the metric can never fail: 3 failures are allowed, and it is measured 3 times; write \
///          `failureLimit: 2` or less",
///     ]
/// );
/// # Ok::<(), rollout_core::InvalidStrategy>(())
/// ```
#[must_use]
pub fn lint(spec: &RunSpec, around: &Around) -> Vec<Finding> {
    let mut findings = Vec::new();
    if spec.invalid().is_some() {
        return findings;
    }
    for (index, metric) in spec.metrics().iter().enumerate() {
        let answers = Answers::of(metric.provider());
        let mut notes = Notes { metric, path: format!("metrics[{index}]"), findings: Vec::new() };
        conditions::note(&mut notes, &answers);
        overlap::note(&mut notes, &answers);
        limits::note(&mut notes, &answers, around);
        times::note(&mut notes, &answers, around);
        findings.append(&mut notes.findings);
    }
    findings.sort_by_key(|finding| finding.severity);
    findings
}

/// What is noted about one metric.
struct Notes<'m> {
    metric: &'m Metric,
    path: String,
    findings: Vec<Finding>,
}

impl Notes<'_> {
    /// The run could never be successful because of this, unless the metric has no consequences.
    fn wrong(&mut self, field: &str, what: impl Into<String>, instead: impl Into<String>) {
        let severity = if self.metric.dry_run { Severity::Warning } else { Severity::Error };
        self.add(severity, field, what, instead);
    }

    fn odd(&mut self, field: &str, what: impl Into<String>, instead: impl Into<String>) {
        self.add(Severity::Warning, field, what, instead);
    }

    fn add(&mut self, severity: Severity, field: &str, what: impl Into<String>, instead: impl Into<String>) {
        let path = format!("{}.{field}", self.path);
        self.findings.push(Finding::new(severity, path, what, instead));
    }
}
