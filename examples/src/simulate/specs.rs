//! The spec of a manifest in the simulated world.

use super::{
    args::{Args, MOST_PODS},
    model::understand,
};
use rollout_core::{CanaryScale, Spec, Step, argo::Severity};
use serde_json::Value;

/// The spec of a manifest in this world; the first thing that is wrong otherwise.
pub(crate) fn spec(manifest: &Value, args: &Args) -> Result<Spec, String> {
    let (spec, findings) = understand(manifest);
    let wrong = || {
        let wrong = findings.iter().find(|finding| finding.severity != Severity::Warning);
        wrong.map(ToString::to_string).unwrap_or_default()
    };
    let mut spec = spec.ok_or_else(wrong)?;
    if let Some(replicas) = args.world.replicas {
        spec.replicas = replicas;
    }
    if spec.fleet.is_none() {
        spec.fleet = args.clusters.policy();
    }
    too_many(&spec).map_or(Ok(spec), |(path, what, instead)| Err(format!("{path}: {what}; {instead}")))
}

/// More pods than the world holds: where, what, and what to do instead.
pub(crate) fn too_many(spec: &Spec) -> Option<(String, String, String)> {
    let scales = spec.strategy.steps().iter().enumerate().filter_map(|(index, step)| match step {
        Step::SetCanaryScale(CanaryScale::Replicas(pods)) => {
            Some((format!("spec.strategy.canary.steps[{index}].setCanaryScale.replicas"), *pods))
        }
        _ => None,
    });
    let mut all = std::iter::once(("spec.replicas".to_owned(), spec.replicas)).chain(scales);
    let (path, pods) = all.find(|(_, pods)| *pods > MOST_PODS)?;
    let what = format!("{pods} pods are more than the {MOST_PODS} that this world holds");
    Some((path, what, format!("ask for fewer, or say --replicas {MOST_PODS}")))
}
