use super::{ignored, strategy, unsupported};
use crate::{Finding, Revision, Spec, argo::wire::Rollout};
use alloc::vec::Vec;
use core::time::Duration;

/// What became of a Rollout.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Conversion {
    /// What the engine can drive, leaving out what is unsupported; `None` when the Rollout is not valid, or
    /// when a step cannot be left out without moving the others.
    pub spec: Option<Spec>,
    /// What the language allows and the engine does not drive. Unless this is empty, the Rollout asks for
    /// more than `spec` says: it should be refused.
    pub unsupported: Vec<Finding>,
    /// What is not driven and takes nothing away from a release: it is only to be told.
    pub ignored: Vec<Finding>,
}

/// Makes what the engine drives of a Rollout that was [checked](crate::argo::check).
///
/// `target` is the revision of the template as it stands: on a cluster that of the workload whose template
/// is the same, elsewhere [`template_hash`](crate::argo::template_hash).
///
/// ```
/// use rollout_core::{Step, argo::{check, convert}};
/// use serde_json::json;
/// let report = check(&json!({
///     "spec": {
///         "replicas": 4,
///         "selector": {"matchLabels": {"app": "demo"}},
///         "strategy": {"canary": {
///             "steps": [{"setWeight": 25}, {"pause": {"duration": "10m"}}],
///             "antiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}},
///         }},
///         "template": {
///             "metadata": {"labels": {"app": "demo"}},
///             "spec": {"containers": [{"name": "c", "image": "demo:v1"}]}
///         }
///     }
/// }));
/// assert!(report.is_valid());
/// let made = convert(&report.rollout, "v1".into());
/// let spec = made.spec.unwrap();
/// assert_eq!((spec.replicas, spec.strategy.steps()[0].clone()), (4, Step::SetWeight(25)));
/// assert_eq!(made.unsupported[0].path, "spec.strategy.canary.antiAffinity");
/// ```
#[must_use]
pub fn convert(rollout: &Rollout, target: Revision) -> Conversion {
    let mut unsupported = Vec::new();
    unsupported::find(rollout, &mut unsupported);
    let spec = spec(rollout, target, &mut unsupported);
    Conversion { spec, unsupported, ignored: ignored::find(rollout) }
}

fn spec(rollout: &Rollout, target: Revision, unsupported: &mut Vec<Finding>) -> Option<Spec> {
    let wire = rollout.spec.as_ref()?;
    let kinds = wire.strategy.as_ref()?;
    let strategy = strategy::of(kinds.canary.as_ref()?, unsupported)?;
    let mut spec = Spec::new(strategy, target);
    if let Some(replicas) = wire.replicas {
        spec.replicas = u32::try_from(replicas).ok()?;
    }
    if let Some(seconds) = wire.progress_deadline_seconds {
        spec.progress_deadline = Duration::from_secs(u64::try_from(seconds).ok()?);
    }
    if let Some(limit) = wire.revision_history_limit {
        spec.revision_history_limit = u32::try_from(limit).ok()?;
    }
    spec.paused = wire.paused.unwrap_or(false);
    spec.progress_deadline_abort = wire.progress_deadline_abort.unwrap_or(false);
    Some(spec)
}
