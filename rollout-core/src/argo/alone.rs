//! A canary strategy on its own, outside a Rollout.

use super::{Finding, Severity, check, convert};
use crate::Strategy;
use alloc::{string::String, vec::Vec};
use serde_json::{Value, json};

/// The path of the strategy in a Rollout.
const PLACE: &str = "spec.strategy.canary";

/// A canary strategy that the engine can drive.
///
/// See [`strategy`] for an example.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct StrategyAlone {
    /// The strategy.
    pub strategy: Strategy,
    /// Likely mistakes, and unsupported settings that a release does not need.
    pub warnings: Vec<Finding>,
}

/// Reads the content of `spec.strategy.canary` on its own: for your own custom resource that contains a canary
/// strategy, or a strategy in a file.
///
/// The findings are those that a whole Rollout would have about its strategy ([`check`] and [`convert`]); paths start
/// at the strategy.
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
/// With the feature `yaml`, from text, with the place of each finding:
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
/// Returns all findings if one of them is an error, or a setting that the engine does not support yet: a release
/// without it would not be the one asked for.
pub fn strategy(canary: &Value) -> Result<StrategyAlone, Vec<Finding>> {
    let report = check(&json!({"spec": {"strategy": {"canary": canary}}}));
    let made = convert(&report.rollout, "".into());
    // Errors about missing parts of a Rollout, such as its pods, are dropped.
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

/// Returns the finding with its path relative to the strategy.
fn below(finding: Finding) -> Finding {
    let cut = |path: &str| {
        let path = path.strip_prefix(PLACE).unwrap_or_default();
        String::from(path.strip_prefix('.').unwrap_or(path))
    };
    let stands_at = finding.stands_at.as_deref().map(|path| cut(path).into_boxed_str());
    Finding { path: cut(&finding.path), stands_at, ..finding }
}
