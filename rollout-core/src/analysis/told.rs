//! What a rollout sees of a run.

use super::{
    Phase,
    due::next_of,
    seen::{MetricSeen, RunSeen},
    spec::{Metric, RunSpec},
    status::{MetricResult, RunStatus},
};
use alloc::{format, string::String};

impl RunSeen {
    /// Takes in what a run has measured.
    ///
    /// ```
    /// use rollout_core::analysis::{RunId, RunRole, RunSeen, RunSpec, RunStatus};
    /// use serde_json::json;
    /// let spec = RunSpec::read(&json!({"metrics": [{
    ///     "name": "errors", "interval": "1m", "failureLimit": 2, "successCondition": "result[0] < 0.05",
    ///     "provider": {"prometheus": {}},
    /// }]}));
    /// let status = RunStatus::read(&json!({
    ///     "phase": "Running", "startedAt": "2026-01-01T00:00:00Z", "metricResults": [{
    ///         "name": "errors", "phase": "Running", "count": 1, "failed": 1,
    ///         "measurements": [{"phase": "Failed", "value": "[0.1]", "finishedAt": "2026-01-01T00:00:00Z"}],
    ///     }],
    /// }));
    /// let id = RunId::new("v2".into(), "6c5f".into(), RunRole::Background, 0);
    /// let run = RunSeen::new("web-v2-2", id).measured(&spec, &status);
    /// assert_eq!(
    ///     run.metric.unwrap().to_string(),
    ///     "errors: measured [0.1], required: result[0] < 0.05, 1 more failure allowed, next measurement at 2026-01-01T00:01:00Z"
    /// );
    /// ```
    #[must_use]
    pub fn measured(mut self, spec: &RunSpec, status: &RunStatus) -> Self {
        self.phase = status.phase;
        self.message = cut(&status.message, MESSAGE).into();
        let counted = || spec.metrics.iter().filter(|metric| !metric.dry_run);
        let result = |metric: &Metric| status.metric(&metric.name);
        let newest = |metric: &Metric| result(metric).and_then(MetricResult::newest);
        let last = |metric: &Metric| {
            let all = result(metric)?.measurements.iter();
            all.rev().find(|measurement| measurement.finished_at.is_some())
        };
        // One metric without an answer is a gap in the evidence, whatever the others say.
        let is_unanswered = counted().filter_map(last).any(|last| last.phase == Phase::Error);
        let latest = counted().filter_map(last).max_by_key(|last| last.finished_at);
        self.newest = if is_unanswered { Some(Phase::Error) } else { latest.map(|last| last.phase) };
        let is_bad = |metric: &&Metric| {
            let phase = result(metric).map(|result| result.phase);
            matches!(phase, Some(Phase::Failed | Phase::Error | Phase::Inconclusive))
        };
        let unanswered = |metric: &&Metric| newest(metric).is_some_and(|newest| newest.phase == Phase::Error);
        // Before a run has begun, nobody knows when.
        let is_known = |metric: &Metric| status.started_at.is_some() || newest(metric).is_some();
        let next = |metric: &&Metric| {
            next_of(metric, result(metric), status.started_at).filter(|_| is_known(metric))
        };
        let chosen = counted().find(is_bad).or_else(|| counted().find(unanswered));
        let chosen = chosen.or_else(|| counted().filter(|metric| next(metric).is_some()).min_by_key(next));
        self.metric = chosen.or_else(|| counted().next()).map(|metric| {
            let newest = newest(metric);
            let is_error = newest.is_some_and(|newest| newest.phase == Phase::Error);
            let value = newest.map_or("", |newest| if is_error { &*newest.message } else { &*newest.value });
            let (name, value) = (cut(&metric.name, TEXT), cut(value, TEXT));
            let conditions = metric.conditions();
            let seen = MetricSeen::new(name, value, cut(&conditions, TEXT), &left(metric, result(metric)));
            let next = next(&metric).filter(|_| !status.phase.is_done());
            let is_due = status.started_at.is_none() && newest.is_none() && metric.initial_delay.is_none();
            let is_due = is_due && !status.phase.is_done();
            MetricSeen { is_error, next, is_due, ..seen }
        });
        self
    }
}

/// The most bytes of a message: others may write a status, too, and it is stored in that of the Rollout.
const MESSAGE: usize = 1 << 10;
/// The most bytes of another text.
const TEXT: usize = 256;

fn cut(text: &str, most: usize) -> &str {
    let end =
        text.char_indices().map(|(at, letter)| at + letter.len_utf8()).take_while(|end| *end <= most).last();
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

/// What is left of the limits of a metric.
fn left(metric: &Metric, result: Option<&MetricResult>) -> String {
    let none = MetricResult::default();
    let result = result.unwrap_or(&none);
    if result.consecutive_error > 0 {
        return more(metric.error_limit.saturating_sub(result.consecutive_error), "error");
    }
    if metric.failure_limit < 0 {
        return format!("{} consecutive successes needed", metric.success_limit);
    }
    more(metric.failure_limit.saturating_sub(result.failed), "failure")
}

fn more(left: i64, what: &str) -> String {
    match left {
        ..0 => format!("{what} limit exceeded"),
        0 => format!("no further {what}s allowed"),
        1 => format!("1 more {what} allowed"),
        left => format!("{left} more {what}s allowed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{RunId, RunRole};
    use alloc::{string::ToString as _, vec::Vec};
    use serde_json::{Value as Json, json};

    fn told(metrics: &[&str], results: &Json, message: &str) -> RunSeen {
        let metrics: Vec<Json> = metrics
            .iter()
            .map(|name| json!({"name": name, "interval": "1m", "provider": {"job": {}}}))
            .collect();
        let status = json!({"phase": "Running", "message": message, "metricResults": results});
        let id = RunId::new("v2".into(), "6c5f".into(), RunRole::Background, 0);
        RunSeen::new("run", id)
            .measured(&RunSpec::read(&json!({"metrics": metrics})), &RunStatus::read(&status))
    }

    #[test]
    fn a_metric_without_an_answer_is_not_hidden_by_a_later_answer_of_another() {
        let measured = |name: &str, phase: &str, second: u32| {
            let finished = format!("2026-01-01T00:00:0{second}Z");
            json!({"name": name, "phase": "Running", "measurements": [{"phase": phase, "finishedAt": finished}]})
        };
        let results = json!([measured("silent", "Error", 1), measured("good", "Successful", 9)]);
        assert_eq!(told(&["silent", "good"], &results, "").newest, Some(Phase::Error));
        let results = json!([measured("silent", "Successful", 1), measured("good", "Successful", 9)]);
        assert_eq!(told(&["silent", "good"], &results, "").newest, Some(Phase::Successful));
    }

    #[test]
    fn a_measurement_that_ended_in_an_error_has_no_value() {
        let told = |message: &str| {
            let measurement = json!({"phase": "Error", "value": "", "message": message, "finishedAt": "2026-01-01T00:00:00Z"});
            let results = json!([{"name": "m", "phase": "Running", "measurements": [measurement]}]);
            told(&["m"], &results, "").metric.unwrap().to_string()
        };
        assert!(
            told("client error: 503").starts_with("m: could not be measured: client error: 503, required: ")
        );
        assert!(told("").starts_with("m: could not be measured, required: "));
    }

    #[test]
    fn before_a_run_has_begun_no_time_is_told() {
        let told = |metric: Json, status: &Json| {
            let id = RunId::new("v2".into(), "6c5f".into(), RunRole::Background, 0);
            let spec = RunSpec::read(&json!({"metrics": [metric]}));
            let run = RunSeen::new("run", id).measured(&spec, &RunStatus::read(status));
            run.metric.unwrap().to_string()
        };
        let at_once = json!({"name": "m", "interval": "1m", "provider": {"job": {}}});
        let later = json!({"name": "m", "initialDelay": "90s", "provider": {"job": {}}});
        let begun = json!({"phase": "Running", "startedAt": "2026-01-01T00:00:00Z"});
        assert!(told(at_once.clone(), &json!({})).ends_with("allowed, to be measured at once"));
        assert!(told(later.clone(), &json!({})).ends_with("allowed"));
        assert!(told(at_once, &begun).ends_with(", next measurement at 2026-01-01T00:00:00Z"));
        assert!(told(later, &begun).ends_with(", next measurement at 2026-01-01T00:01:30Z"));
    }

    #[test]
    fn a_message_that_somebody_else_wrote_is_cut_at_a_letter() {
        let long = "é".repeat(100_000);
        assert_eq!(told(&[], &json!([]), &long).message.len(), MESSAGE);
        assert_eq!(cut("aé", 2), "a");
    }
}
