use super::{Finding, Severity, check, convert, read_status};
use crate::{
    AbortReason, Aborted, CommandKind, Revision, Time,
    goal::{self, Goal},
};
use alloc::{vec, vec::Vec};
use serde_json::Value;

/// Returns the goal at the position of a Rollout's status: the state at rest, once every pod is there and the traffic
/// has the wanted weight.
///
/// A requested abort counts as carried out.
///
/// ```
/// use rollout_core::conformance::goal_of;
/// use serde_json::json;
/// let goal = goal_of(&json!({
///     "spec": {"replicas": 10, "strategy": {"canary": {"steps": [{"setWeight": 30}]}}},
///     "status": {"stableRS": "v1", "currentPodHash": "v2", "currentStepIndex": 0}
/// })).unwrap();
/// assert_eq!((goal.weight.parts(), goal.canary, goal.stable), (30, 3, 7));
/// ```
///
/// # Errors
/// There is no strategy, or the status cannot be read.
pub fn goal_of(rollout: &Value) -> Result<Goal, Vec<Finding>> {
    let report = check(rollout);
    let mut read = read_status(rollout.get("status").unwrap_or(&Value::Null))?;
    let target = read.status.canary.clone().unwrap_or_else(|| Revision::from(""));
    let made = convert(&report.rollout, target);
    let Some(spec) = made.spec else {
        let reasons: Vec<Finding> = report.errors().cloned().chain(made.unsupported).collect();
        let none = Finding::new(Severity::Error, "spec.strategy", "there is no canary strategy", "");
        return Err(if reasons.is_empty() { vec![none] } else { reasons });
    };
    if read.requests.contains(&CommandKind::Abort) {
        read.status.aborted = Some(Aborted::new(Time::from_secs(0), AbortReason::Command).into());
    }
    Ok(goal::at(&spec, &read.status))
}
