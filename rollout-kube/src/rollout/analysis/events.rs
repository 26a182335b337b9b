//! What happens to the runs of a Rollout, in Argo Rollouts' words.

use crate::rollout::publish::KubeEvent;
use serde_json::Value;

/// Returns the events of a changed status of a Rollout.
pub(in super::super) fn events(before: &Value, now: &Value) -> Vec<KubeEvent> {
    let each =
        [("Step", "currentStepAnalysisRunStatus"), ("Background", "currentBackgroundAnalysisRunStatus")];
    each.into_iter().filter_map(|(role, field)| event(role, run(before, field), run(now, field)?)).collect()
}

fn run<'v>(status: &'v Value, field: &str) -> Option<(&'v str, &'v str)> {
    let run = status.get("canary")?.get(field)?;
    Some((run.get("name")?.as_str()?, run.get("status")?.as_str()?))
}

fn event(role: &str, before: Option<(&str, &str)>, (name, phase): (&str, &str)) -> Option<KubeEvent> {
    let before = before.filter(|(earlier, _)| *earlier == name).map(|(_, phase)| phase);
    if before == Some(phase) {
        return None;
    }
    let reason = match phase {
        "Running" => "AnalysisRunRunning",
        "Successful" => "AnalysisRunSuccessful",
        "Failed" => "AnalysisRunFailed",
        "Error" => "AnalysisRunError",
        "Inconclusive" => "AnalysisRunInconclusive",
        // Nobody has looked at it yet.
        _ => return None,
    };
    let before = before.filter(|phase| *phase != "Pending").unwrap_or("NoPreviousStatus");
    let note = format!("{role} Analysis Run '{name}' Status New: '{phase}' Previous: '{before}'");
    let is_bad = matches!(phase, "Failed" | "Error");
    Some(if is_bad { KubeEvent::warning(reason, note) } else { KubeEvent::normal(reason, note) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_change_of_a_phase_is_told_once() {
        let of = |name: &str, phase: &str| json!({"canary": {"currentStepAnalysisRunStatus": {"name": name, "status": phase}}});
        let notes = |before: &Value, now: &Value| -> Vec<String> {
            events(before, now).into_iter().map(|event| event.note).collect()
        };
        assert_eq!(
            notes(&json!({}), &of("a", "Running")),
            ["Step Analysis Run 'a' Status New: 'Running' Previous: 'NoPreviousStatus'"]
        );
        assert!(notes(&json!({}), &of("a", "Pending")).is_empty());
        assert_eq!(notes(&of("a", "Pending"), &of("a", "Running")), notes(&json!({}), &of("a", "Running")));
        assert_eq!(
            notes(&of("a", "Running"), &of("a", "Failed")),
            ["Step Analysis Run 'a' Status New: 'Failed' Previous: 'Running'"]
        );
        assert_eq!(
            notes(&of("a", "Failed"), &of("b", "Running")),
            ["Step Analysis Run 'b' Status New: 'Running' Previous: 'NoPreviousStatus'"]
        );
        assert!(notes(&of("a", "Running"), &of("a", "Running")).is_empty());
        assert!(notes(&of("a", "Running"), &json!({})).is_empty(), "it is not the current one any more");
        assert!(notes(&json!({}), &of("a", "odd\nphase")).is_empty());
    }
}
