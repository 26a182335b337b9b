//! What a Rollout's manifest means.

use super::context::Context;
use crate::cache::Entry;
use rollout_core::{
    Revision, Spec,
    argo::{Report, check, convert},
    fleet::{FLEET_ANNOTATION, Policy, Traffic},
};

/// The result of interpreting a Rollout.
pub(super) struct Interpreted {
    pub(super) report: Report,
    pub(super) spec: Option<Spec>,
    /// Everything that is invalid or not supported yet.
    pub(super) complaints: Vec<String>,
    /// The fields that the engine ignores.
    pub(super) notes: Vec<String>,
}

/// Interprets a Rollout; `missing` says why the object of its `workloadRef` was not found, and `context` what this controller
/// can do.
pub(super) fn interpret(
    rollout: &Entry,
    target: &Revision,
    missing: Option<String>,
    context: &Context,
) -> Interpreted {
    let report = check(&rollout.value);
    let mut complaints: Vec<String> = report.errors().map(ToString::to_string).collect();
    let made = convert(&report.rollout, target.clone());
    let made = if context.runs_analyses { made.with_analyses() } else { made };
    complaints.extend(made.unsupported.iter().map(|finding| {
        if finding.path.ends_with(".analysis") {
            format!("{}: this controller runs no analyses; start it with `--analysis`", finding.path)
        } else {
            finding.to_string()
        }
    }));
    complaints.extend(made.spec.as_ref().and_then(|spec| clusters_missing(spec.fleet.as_deref()?, context)));
    if complaints.iter().all(|complaint| !complaint.starts_with("spec.workloadRef")) {
        complaints.extend(missing);
    }
    if complaints.is_empty() && made.spec.is_none() {
        complaints.push("spec.strategy: there is no canary strategy to follow".to_owned());
    }
    let notes = made.ignored.iter().map(ToString::to_string).collect();
    Interpreted { report, spec: made.spec, complaints, notes }
}

/// Returns why a Rollout cannot be released together with those of other clusters, if it cannot.
fn clusters_missing(policy: &Policy, context: &Context) -> Option<String> {
    let why = if context.clusters.is_none() {
        "this controller does not know which cluster it is in, so the release would wait for the others for ever; start it \
         with `--cluster NAME`, or remove the annotation to release each cluster by itself"
    } else if policy.traffic != Traffic::Own {
        "one route for all clusters is not driven yet; give each cluster its own routes: `\"traffic\": \"own\"`"
    } else {
        return None;
    };
    Some(format!("metadata.annotations[{FLEET_ANNOTATION}]: {why}"))
}
