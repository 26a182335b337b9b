//! What happens to the runs of a Rollout, in Argo Rollouts' words.

use crate::rollout::publish::KubeEvent;
use rollout_core::analysis::{Phase, RunSeen};
use serde_json::Value;

/// The roles of runs, each with the field of a status that shows its run.
const ROLES: [(&str, &str); 2] =
    [("Step", "currentStepAnalysisRunStatus"), ("Background", "currentBackgroundAnalysisRunStatus")];

/// The reason of the pause of an inconclusive run.
const INCONCLUSIVE: &str = "InconclusiveAnalysisRun";

/// Returns the events of a changed status of a Rollout. `judged` are the runs of the position before: it may end in the
/// turn that sees how its run ended, and then no status shows that.
pub(in super::super) fn events(before: &Value, now: &Value, judged: [Option<&RunSeen>; 2]) -> Vec<KubeEvent> {
    let mut events = Vec::new();
    for ((role, field), judged) in ROLES.into_iter().zip(judged) {
        let (before, now) = (run(before, field), run(now, field));
        let over = judged.filter(|run| !run.is_live()).map(|run| (&*run.name, phase(run).as_str()));
        let over = over.filter(|(name, _)| now.is_none_or(|(shown, _)| shown != *name));
        events.extend(over.into_iter().chain(now).filter_map(|run| event(role, before, run)));
    }
    events.extend(paused(before, now));
    events
}

/// Tells that an inconclusive run pauses what was not paused. The pause of a step is told with that step.
fn paused(before: &Value, now: &Value) -> Option<KubeEvent> {
    let reasons = |status: &Value| -> Vec<String> {
        let all = status.get("pauseConditions").and_then(Value::as_array).into_iter().flatten();
        all.filter_map(|one| one.get("reason")?.as_str().map(str::to_owned)).collect()
    };
    let pauses = reasons(before).is_empty() && reasons(now) == [INCONCLUSIVE];
    pauses.then(|| KubeEvent::normal("RolloutPaused", format!("Rollout is paused ({INCONCLUSIVE})")))
}

/// Returns the phase as a status shows it.
fn phase(run: &RunSeen) -> Phase {
    if run.is_unsure() { Phase::Inconclusive } else { run.phase }
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
    use rollout_core::analysis::{RunId, RunRole};
    use serde_json::json;
    use std::slice;

    #[test]
    fn each_change_of_a_phase_is_told_once() {
        let of = |name: &str, phase: &str| json!({"canary": {"currentStepAnalysisRunStatus": {"name": name, "status": phase}}});
        let notes = |before: &Value, now: &Value| -> Vec<String> {
            events(before, now, [None, None]).into_iter().map(|event| event.note).collect()
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

    #[test]
    fn the_end_of_a_run_is_told_although_its_step_ends_with_it() {
        let of = |name: &str, phase: &str| json!({"canary": {"currentStepAnalysisRunStatus": {"name": name, "status": phase}}});
        let seen = |name: &str, phase| {
            RunSeen::new(name, RunId::new("v2".into(), "steps".into(), RunRole::Step(1), 0)).phase(phase)
        };
        let notes = |before: &Value, now: &Value, run: &RunSeen| -> Vec<String> {
            events(before, now, [Some(run), None]).into_iter().map(|event| event.note).collect()
        };
        let good = seen("a", Phase::Successful);
        let told = "Step Analysis Run 'a' Status New: 'Successful' Previous: 'Running'".to_owned();
        assert_eq!(notes(&of("a", "Running"), &json!({}), &good), slice::from_ref(&told));
        let next = "Step Analysis Run 'b' Status New: 'Running' Previous: 'NoPreviousStatus'".to_owned();
        assert_eq!(notes(&of("a", "Running"), &of("b", "Running"), &good), [told, next]);
        assert!(notes(&of("a", "Successful"), &json!({}), &good).is_empty(), "it is known");
        assert_eq!(notes(&of("a", "Running"), &of("a", "Successful"), &good).len(), 1);
        assert_eq!(
            notes(&json!({}), &json!({}), &seen("a", Phase::Failed)),
            ["Step Analysis Run 'a' Status New: 'Failed' Previous: 'NoPreviousStatus'"],
            "no status has shown it"
        );
        assert!(
            notes(&of("a", "Running"), &json!({}), &seen("a", Phase::Running)).is_empty(),
            "it is dropped"
        );
        let mut ended = good;
        ended.stopping = true;
        assert!(
            notes(&of("a", "Inconclusive"), &json!({}), &ended).is_empty(),
            "a person went on without it"
        );
    }

    #[test]
    fn the_pause_of_an_inconclusive_run_is_told_once() {
        let of = |reasons: &[&str]| -> Value {
            let all: Vec<Value> = reasons.iter().map(|reason| json!({"reason": reason})).collect();
            json!({"pauseConditions": all})
        };
        let notes = |before: &Value, now: &Value| -> Vec<String> {
            events(before, now, [None, None]).into_iter().map(|event| event.note).collect()
        };
        let unsure = of(&[INCONCLUSIVE]);
        assert_eq!(notes(&json!({}), &unsure), ["Rollout is paused (InconclusiveAnalysisRun)"]);
        assert!(notes(&unsure, &unsure).is_empty());
        assert!(notes(&unsure, &json!({})).is_empty());
        let both = of(&[INCONCLUSIVE, "CanaryPauseStep"]);
        assert!(notes(&of(&["CanaryPauseStep"]), &both).is_empty(), "it was paused before");
        assert!(notes(&json!({}), &both).is_empty(), "the step tells it");
    }
}
