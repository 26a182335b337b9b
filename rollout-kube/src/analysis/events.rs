//! The Kubernetes events of a run, with Argo Rollouts' reasons and texts.

use crate::rollout::KubeEvent;
use rollout_core::analysis::{Phase, RunStatus};

/// Returns the events about what has ended between two statuses.
pub(super) fn events(before: &RunStatus, after: &RunStatus) -> Vec<KubeEvent> {
    let mut events = Vec::new();
    for result in &after.metrics {
        let earlier = before.metric(&result.name).map(|result| result.phase).unwrap_or_default();
        if result.phase.is_done() && !earlier.is_done() {
            let note = format!("Metric '{}' Completed. Result: {}", result.name, result.phase);
            events.push(event(METRIC, result.phase, note));
        }
    }
    if after.phase.is_done() && !before.phase.is_done() {
        events.push(event(RUN, after.phase, format!("Analysis Completed. Result: {}", after.phase)));
    }
    events
}

/// The reasons of good, bad, unclear and impossible ends.
type Reasons = [&'static str; 4];
const METRIC: Reasons = ["MetricSuccessful", "MetricFailed", "MetricInconclusive", "MetricError"];
const RUN: Reasons =
    ["AnalysisRunSuccessful", "AnalysisRunFailed", "AnalysisRunInconclusive", "AnalysisRunError"];

fn event([good, bad, unclear, error]: Reasons, phase: Phase, note: String) -> KubeEvent {
    match phase {
        Phase::Failed => KubeEvent::warning(bad, note),
        Phase::Error => KubeEvent::warning(error, note),
        Phase::Inconclusive => KubeEvent::normal(unclear, note),
        Phase::Successful | Phase::Pending | Phase::Running => KubeEvent::normal(good, note),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_has_ended_is_told_once() {
        let status = |run: &str, metric: &str| {
            RunStatus::read(&json!({"phase": run, "metricResults": [{"name": "errors", "phase": metric}]}))
        };
        assert_eq!(events(&RunStatus::default(), &status("Running", "Running")), []);
        let ended = events(&status("Running", "Running"), &status("Failed", "Failed"));
        assert_eq!(
            ended,
            [
                KubeEvent::warning("MetricFailed", "Metric 'errors' Completed. Result: Failed"),
                KubeEvent::warning("AnalysisRunFailed", "Analysis Completed. Result: Failed"),
            ]
        );
        let ended = events(&status("Running", "Inconclusive"), &status("Inconclusive", "Inconclusive"));
        assert_eq!(
            ended,
            [KubeEvent::normal("AnalysisRunInconclusive", "Analysis Completed. Result: Inconclusive")]
        );
    }
}
