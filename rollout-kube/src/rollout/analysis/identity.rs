//! The name of a run, and what it is for.

use crate::{
    cache::Entry,
    guard::{Guard, off},
};
use rollout_core::analysis::{RunId, RunRole};
use serde_json::Value;

/// The annotation of a run that says what it is for: a [`RunId`], as JSON. A user may overwrite the labels.
pub(super) const RUN: &str = "rollout-core/run";

/// Returns what a run is for. Runs that Argo Rollouts made have only labels: their verdicts count for no position, and
/// those that still run are told to end.
pub(super) fn id(run: &Entry) -> Option<RunId> {
    if let Some(text) = run.annotation(RUN).filter(|_| !off(Guard::RunIsKnown)) {
        return serde_json::from_str(text).ok();
    }
    let revision = run.label("rollouts-pod-template-hash")?;
    let role = match run.label("rollout-type")? {
        "Step" => RunRole::Step(run.label("step-index")?.parse().ok()?),
        "Background" => RunRole::Background,
        _ => return None,
    };
    Some(RunId::new(revision.into(), "".into(), role, 0))
}

/// Returns the name of a run, as Argo Rollouts names it: `<rollout>-<hash>-<revision>`, for a step with
/// `-<index>`; if the name is taken, with `.1`, `.2`, ….
pub(super) fn name(rollout: &str, number: u64, id: &RunId, more: u32) -> String {
    let step = if let RunRole::Step(index) = id.role { format!("-{index}") } else { String::new() };
    let more = if more == 0 { String::new() } else { format!(".{more}") };
    format!("{rollout}-{}-{number}{step}{more}", id.revision)
}

/// Returns the labels that say what a run is for.
pub(super) fn labels(id: &RunId) -> Vec<(&'static str, Value)> {
    let mut labels = vec![("rollouts-pod-template-hash", Value::from(id.revision.as_str()))];
    match id.role {
        RunRole::Step(index) => {
            labels.push(("rollout-type", "Step".into()));
            labels.push(("step-index", index.to_string().into()));
        }
        RunRole::Background => labels.push(("rollout-type", "Background".into())),
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_those_of_argo_rollouts() {
        let of = |role, attempt| RunId::new("6f8d".into(), "steps".into(), role, attempt);
        assert_eq!(name("web", 3, &of(RunRole::Step(1), 0), 0), "web-6f8d-3-1");
        assert_eq!(name("web", 3, &of(RunRole::Background, 0), 0), "web-6f8d-3");
        assert_eq!(name("web", 3, &of(RunRole::Background, 2), 2), "web-6f8d-3.2");
    }

    #[test]
    fn a_run_of_argo_rollouts_is_known_but_counts_for_no_position() {
        let labels = json!({"rollouts-pod-template-hash": "6f8d", "rollout-type": "Step", "step-index": "1"});
        let mut run = json!({"metadata": {"labels": labels}});
        let ours = RunId::new("6f8d".into(), "steps".into(), RunRole::Step(1), 0);
        assert_eq!(id(&Entry::new(run.clone())), Some(RunId { step_hash: "".into(), ..ours.clone() }));
        run["metadata"]["annotations"] = json!({RUN: serde_json::to_string(&ours).unwrap()});
        assert_eq!(id(&Entry::new(run.clone())), Some(ours));
        run["metadata"]["annotations"] = json!({RUN: "{"});
        assert_eq!(id(&Entry::new(run)), None, "somebody has spoiled it");
        assert_eq!(id(&Entry::new(json!({"metadata": {"name": "by-hand"}}))), None);
    }
}
