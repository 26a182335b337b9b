//! A canary strategy that stands alone, outside a Rollout.

use super::{Finding, Severity, check, convert};
use crate::Strategy;
use alloc::{string::String, vec::Vec};
use serde_json::{Value, json};

/// Where it stands in a Rollout.
const PLACE: &str = "spec.strategy.canary";

/// A canary strategy that can be driven.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct StrategyAlone {
    /// What the engine drives.
    pub strategy: Strategy,
    /// What is most likely a mistake, or is not done and takes nothing away from a release.
    pub warnings: Vec<Finding>,
}

/// Reads what stands in a Rollout at `spec.strategy.canary`, alone: for a custom resource of your own that holds a
/// canary strategy, or a strategy in a file.
///
/// The findings are those of a whole Rollout ([`check`] and [`convert`]) that are about its strategy; the paths begin
/// where the strategy does.
///
/// ```
/// use rollout_core::{Step, argo};
/// use serde_json::json;
/// let read = argo::strategy(&json!({"steps": [{"setWeight": 20}, {"pause": {}}], "maxSurge": -1})).unwrap();
/// assert_eq!(read.strategy.steps(), [Step::SetWeight(20), Step::Pause(None)]);
/// assert_eq!(read.warnings[0].path, "maxSurge");
///
/// let findings = argo::strategy(&json!({"steps": [{"setWeight": 101}]})).unwrap_err();
/// assert_eq!(findings[0].path, "steps[0].setWeight");
/// ```
///
/// With the feature `yaml`, of a text, and with the place of each finding in it:
///
/// ```
/// # #[cfg(feature = "yaml")] {
/// use rollout_core::argo;
/// let reading = argo::read("steps:\n- setWeight: 101\n", "strategy.yaml");
/// let findings = argo::strategy(reading.documents[0].value()).unwrap_err();
/// assert_eq!(reading.documents[0].locate(&findings[0]).located.unwrap().place.line, 2);
/// # }
/// ```
///
/// # Errors
/// All findings, if one of them is an error, or something that the engine does not drive yet: a release without it would
/// be another one than is asked for.
pub fn strategy(canary: &Value) -> Result<StrategyAlone, Vec<Finding>> {
    let report = check(&json!({"spec": {"strategy": {"canary": canary}}}));
    let made = convert(&report.rollout, "".into());
    // Errors of the parts of a Rollout that are not here, such as its pods, are nobody's.
    let is_ours = |finding: &Finding| {
        let place = finding.stands_at();
        place.starts_with(PLACE) || PLACE.starts_with(place)
    };
    let findings = report.findings.into_iter().filter(is_ours);
    let findings = findings.chain(made.unsupported);
    let findings: Vec<_> = findings.chain(made.ignored).map(below).collect();
    let is_refused = findings.iter().any(|finding| finding.severity != Severity::Warning);
    match made.spec {
        Some(spec) if !is_refused => Ok(StrategyAlone { strategy: spec.strategy, warnings: findings }),
        Some(_) | None => Err(findings),
    }
}

/// The same finding, with its path from the strategy on.
fn below(finding: Finding) -> Finding {
    let cut = |path: &str| {
        let path = path.strip_prefix(PLACE).unwrap_or_default();
        String::from(path.strip_prefix('.').unwrap_or(path))
    };
    let stands_at = finding.stands_at.as_deref().map(|path| cut(path).into_boxed_str());
    Finding { path: cut(&finding.path), stands_at, ..finding }
}
