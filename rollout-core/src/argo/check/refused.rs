//! What Argo Rollouts refuses and the engine drives: the check only warns of it.

use super::Report;
use crate::{Finding, Severity};
use alloc::{string::String, vec::Vec};

/// The field that the warning is about, and Argo Rollouts' message and path.
const DRIVEN: [(&str, &str, &str); 2] = [
    (
        ".setCanaryScale",
        "SetCanaryScale requires TrafficRouting to be set",
        "spec.strategy.canary.trafficRouting",
    ),
    (
        "spec.strategy.canary.trafficRouting.maxTrafficWeight",
        "Canary maxTrafficWeight in traffic routing only supported in Nginx and Plugins",
        "spec.strategy.canary.trafficRouting.maxTrafficWeight",
    ),
];

/// Returns everything for which Argo Rollouts refuses a Rollout, also what the engine supports and
/// [`check`](crate::argo::check) only warns of.
///
/// ```
/// use rollout_core::{argo::check, conformance::refused_by_argo_rollouts};
/// use serde_json::json;
/// let report = check(&json!({
///     "spec": {
///         "selector": {"matchLabels": {"app": "demo"}},
///         "strategy": {"canary": {"steps": [{"setCanaryScale": {"replicas": 2}}]}},
///         "template": {
///             "metadata": {"labels": {"app": "demo"}},
///             "spec": {"containers": [{"name": "c", "image": "demo:v1"}]}
///         }
///     }
/// }));
/// assert!(report.is_valid());
/// assert_eq!(refused_by_argo_rollouts(&report)[0].what, "SetCanaryScale requires TrafficRouting to be set");
/// ```
#[must_use]
pub fn refused_by_argo_rollouts(report: &Report) -> Vec<Finding> {
    let warned = report.warnings().filter_map(|warning| {
        let (_, message, path) = DRIVEN
            .iter()
            .find(|(field, ..)| warning.path.ends_with(field) && warning.what.contains("Argo Rollouts"))?;
        Some(Finding::new(Severity::Error, *path, *message, String::new()))
    });
    report.errors().cloned().chain(warned).collect()
}
