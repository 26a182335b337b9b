//! The runs of analyses, as clients read them in a Rollout's status.

use super::{facts::Facts, write::time};
use crate::analysis::{Phase, RunSeen};
use alloc::{string::String, vec::Vec};
use serde_json::{Map, Value, json};

/// Argo Rollouts' reason for the pause of an inconclusive analysis.
const INCONCLUSIVE: &str = "InconclusiveAnalysisRun";
/// The fields of the run that a step waits for, and of the background analysis.
const FIELDS: [&str; 2] = ["currentStepAnalysisRunStatus", "currentBackgroundAnalysisRunStatus"];

/// Returns whether the run of the current step, and the background one, are inconclusive in a stored status.
pub(super) fn inconclusive(status: &Map<String, Value>) -> [bool; 2] {
    FIELDS.map(|field| {
        let phase = status.get("canary").and_then(|canary| canary.get(field)?.get("status")?.as_str());
        phase == Some(Phase::Inconclusive.as_str())
    })
}

/// Writes what the current runs say: their state, and the pause of one that is inconclusive.
pub(super) fn say(next: &mut Value, facts: &Facts<'_>) {
    let (Some(runs), Some(map)) = (facts.runs, next.as_object_mut()) else { return };
    let mut canary = map.get("canary").and_then(Value::as_object).cloned().unwrap_or_default();
    for (field, run) in FIELDS.into_iter().zip(runs) {
        match run {
            Some(run) => canary.insert(field.into(), shown(run)),
            None => canary.remove(field),
        };
    }
    if canary.is_empty() {
        map.remove("canary");
    } else {
        map.insert("canary".into(), Value::Object(canary));
    }
    pause(map, is_unsure(facts), facts);
}

/// Returns whether a current run is inconclusive: a person decides.
pub(super) fn is_unsure(facts: &Facts<'_>) -> bool {
    facts.runs.is_some_and(|runs| runs.into_iter().flatten().any(RunSeen::is_unsure))
}

fn shown(run: &RunSeen) -> Value {
    // One that somebody terminated counts as successful elsewhere; clients must see what the pause is about.
    let phase = if run.is_unsure() { Phase::Inconclusive } else { run.phase };
    let mut shown = json!({"name": &*run.name, "status": phase.as_str()});
    if let (false, Some(fields)) = (run.message.is_empty(), shown.as_object_mut()) {
        fields.insert("message".into(), Value::String((&*run.message).into()));
    }
    shown
}

/// Sets or ends the pause. It stands first: clients show the reason of the first one.
fn pause(map: &mut Map<String, Value>, is_unsure: bool, facts: &Facts<'_>) {
    let is_ours = |one: &&Value| one.get("reason").and_then(Value::as_str) == Some(INCONCLUSIVE);
    let all = map.get("pauseConditions").and_then(Value::as_array);
    let before = all.and_then(|all| all.iter().find(is_ours)).cloned();
    let others: Vec<Value> = all.into_iter().flatten().filter(|one| !is_ours(one)).cloned().collect();
    let now = || json!({"reason": INCONCLUSIVE, "startTime": time(facts.now)});
    let ours = is_unsure.then(|| before.unwrap_or_else(now));
    let all: Vec<Value> = ours.into_iter().chain(others).collect();
    if is_unsure {
        map.insert("controllerPause".into(), true.into());
    }
    if all.is_empty() {
        map.remove("pauseConditions");
    } else {
        map.insert("pauseConditions".into(), Value::Array(all));
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        CommandKind, Status, Time,
        analysis::{Phase, RunId, RunRole, RunSeen},
        argo::{Facts, next_status, read_status},
    };
    use serde_json::{Value, json};

    fn run(role: RunRole, phase: Phase) -> RunSeen {
        RunSeen::new("web-v2-2", RunId::new("v2".into(), "steps".into(), role, 0)).phase(phase)
    }

    fn told(stored: &Value, runs: [Option<&RunSeen>; 2], now: i64) -> Value {
        let mut status = Status::default();
        (status.stable, status.canary) = (Some("v1".into()), Some("v2".into()));
        let rollout = json!({"spec": {"replicas": 1}, "status": stored});
        next_status(&Facts::new(&rollout, &status, Time::from_secs(now)).runs(Some(runs)))
    }

    #[test]
    fn a_run_is_shown_while_it_is_the_current_one() {
        let running = run(RunRole::Step(1), Phase::Running);
        let status = told(&json!({}), [Some(&running), None], 0);
        let shown = &status["canary"]["currentStepAnalysisRunStatus"];
        assert_eq!(*shown, json!({"name": "web-v2-2", "status": "Running"}));
        let status = told(&status, [None, None], 1);
        assert_eq!(status.get("canary"), None);
    }

    #[test]
    fn a_run_that_somebody_terminated_pauses_as_an_inconclusive_one() {
        let mut ended = run(RunRole::Background, Phase::Successful);
        ended.stopping = true;
        let status = told(&json!({}), [None, Some(&ended)], 5);
        assert_eq!(status["message"], "InconclusiveAnalysisRun");
        assert_eq!(status["canary"]["currentBackgroundAnalysisRunStatus"]["status"], "Inconclusive");
    }

    #[test]
    fn an_inconclusive_run_pauses_until_a_client_ends_the_pause() {
        let unsure = run(RunRole::Background, Phase::Inconclusive);
        let status = told(&json!({}), [None, Some(&unsure)], 5);
        assert_eq!(
            (&status["phase"], &status["message"]),
            (&json!("Paused"), &json!("InconclusiveAnalysisRun"))
        );
        assert_eq!(status["pauseConditions"][0]["startTime"], "1970-01-01T00:00:05Z");
        assert_eq!(told(&status, [None, Some(&unsure)], 99), status, "the same facts again change nothing");
        assert_eq!(read_status(&status).unwrap().requests, []);
        let requests = |edit: Value| {
            let mut status = status.clone();
            for (key, value) in edit.as_object().unwrap() {
                status[key] = value.clone();
            }
            read_status(&status).unwrap().requests
        };
        assert_eq!(requests(json!({"pauseConditions": null})), [CommandKind::Promote]);
        let moved_on = json!({"pauseConditions": null, "controllerPause": false, "currentStepIndex": 1});
        assert_eq!(requests(moved_on), [CommandKind::Resume], "it is measured again from the next step on");
        let over = told(&status, [None, None], 100);
        assert_eq!((over.get("pauseConditions"), over.get("controllerPause")), (None, None));
    }

    #[test]
    fn to_resume_a_step_is_to_measure_again_and_to_promote_it_is_to_go_on() {
        let unsure = run(RunRole::Step(1), Phase::Inconclusive);
        let status = told(&json!({}), [Some(&unsure), None], 5);
        let mut resumed = status.clone();
        resumed["pauseConditions"] = Value::Null;
        assert_eq!(read_status(&resumed).unwrap().requests, [CommandKind::Resume]);
        let mut promoted = resumed;
        promoted["controllerPause"] = json!(false);
        promoted["currentStepIndex"] = json!(2);
        let read = read_status(&promoted).unwrap();
        assert_eq!((read.requests, read.status.step), (alloc::vec![], 2));
    }
}
