use super::{count::count, ignored, strategy, unsupported};
use crate::{
    Finding, Revision, Spec,
    argo::{check::pace, fleet, header_conditions, wire::Rollout},
};
use alloc::vec::Vec;
use core::time::Duration;

/// The result of converting a Rollout.
///
/// ```
/// use rollout_core::argo::{convert, wire::Rollout};
/// use serde_json::json;
/// let plugin = json!({"plugin": {"name": "org/p"}});
/// let rollout = json!({"spec": {"strategy": {"canary": {"steps": [{"setWeight": 20}, plugin]}}}});
/// let made = convert(&Rollout::from_value(&rollout), "v1".into());
/// assert_eq!(made.spec, None, "without this step, the others would have other numbers");
/// assert_eq!(made.unsupported[0].path, "spec.strategy.canary.steps[1].plugin");
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Conversion {
    /// The supported part of the Rollout; `None` if the Rollout is invalid, or if a step cannot be left out without
    /// renumbering the others.
    pub spec: Option<Spec>,
    /// Settings that are valid but not supported by the engine. Unless this is empty, the Rollout asks for more than
    /// `spec` contains and should be refused.
    pub unsupported: Vec<Finding>,
    /// Unsupported settings that a release does not need; they are only reported.
    pub ignored: Vec<Finding>,
}

impl Conversion {
    /// Drops what is said about analyses: for a loop that drives their runs. The spec has them in any case.
    ///
    /// ```
    /// use rollout_core::argo::{convert, wire::Rollout};
    /// use serde_json::json;
    /// let analysis = json!({"analysis": {"templates": [{"templateName": "success-rate"}]}});
    /// let rollout = json!({"spec": {"strategy": {"canary": {"steps": [{"setWeight": 20}, analysis]}}}});
    /// let made = convert(&Rollout::from_value(&rollout), "v1".into());
    /// assert_eq!(made.unsupported[0].path, "spec.strategy.canary.steps[1].analysis", "most loops do not drive them");
    /// assert!(made.with_analyses().unsupported.is_empty());
    /// ```
    #[must_use]
    pub fn with_analyses(mut self) -> Self {
        self.unsupported.retain(|finding| !finding.path.ends_with(".analysis"));
        self
    }
}

/// Converts a Rollout that was [checked](crate::argo::check) into what the engine drives.
///
/// `target` is the revision of the current template: on a cluster, that of the workload with the same template;
/// elsewhere, [`template_hash`](crate::argo::template_hash).
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
///             "analysis": {"templates": [{"templateName": "error-rate"}]},
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
/// assert_eq!(made.unsupported[0].path, "spec.strategy.canary.analysis");
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
    let conditions = header_conditions::read(rollout).ok()?;
    let strategy = strategy::of(kinds.canary.as_ref()?, &conditions, unsupported)?;
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
    if let Some(limits) = &wire.analysis {
        let (successful, others) = &mut spec.runs_kept;
        *successful = limits.successful_run_history_limit.map_or(*successful, count);
        *others = limits.unsuccessful_run_history_limit.map_or(*others, count);
    }
    if let Some(window) = &wire.rollback_window {
        spec.rollback_window = count(window.revisions.unwrap_or(0));
    }
    spec.windows = pace::windows(rollout).ok()?;
    spec.gradual_abort = pace::gradual_abort(rollout).ok()?;
    spec.fleet = fleet::read(rollout).ok()?;
    spec.paused = wire.paused.unwrap_or(false);
    spec.progress_deadline_abort = wire.progress_deadline_abort.unwrap_or(false);
    Some(spec)
}
