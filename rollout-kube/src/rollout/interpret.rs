//! What a Rollout's manifest means.

use crate::cache::Entry;
use rollout_core::{
    Revision, Spec,
    argo::{Report, check, convert},
    fleet::FLEET_ANNOTATION,
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

/// Interprets a Rollout; `missing` says why the object of its `workloadRef` was not found, and `runs_analyses` whether this
/// controller runs AnalysisRuns.
pub(super) fn interpret(
    rollout: &Entry,
    target: &Revision,
    missing: Option<String>,
    runs_analyses: bool,
) -> Interpreted {
    let report = check(&rollout.value);
    let mut complaints: Vec<String> = report.errors().map(ToString::to_string).collect();
    let made = convert(&report.rollout, target.clone());
    let made = if runs_analyses { made.with_analyses() } else { made };
    complaints.extend(made.unsupported.iter().map(|finding| {
        if finding.path.ends_with(".analysis") {
            format!("{}: this controller runs no analyses; start it with `--analysis`", finding.path)
        } else {
            finding.to_string()
        }
    }));
    let annotations = rollout.value.pointer("/metadata/annotations");
    if annotations.is_some_and(|annotations| annotations.get(FLEET_ANNOTATION).is_some()) {
        complaints.push(format!(
            "metadata.annotations[{FLEET_ANNOTATION}]: this controller does not read other clusters yet, so the release \
             would wait for them for ever; remove the annotation to release each cluster by itself"
        ));
    }
    if complaints.iter().all(|complaint| !complaint.starts_with("spec.workloadRef")) {
        complaints.extend(missing);
    }
    if complaints.is_empty() && made.spec.is_none() {
        complaints.push("spec.strategy: there is no canary strategy to follow".to_owned());
    }
    let notes = made.ignored.iter().map(ToString::to_string).collect();
    let mut spec = made.spec;
    if let Some(spec) = &mut spec {
        // An abort must not wait for other clusters either.
        spec.fleet = None;
    }
    Interpreted { report, spec, complaints, notes }
}
