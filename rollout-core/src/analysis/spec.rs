//! What a run measures: the spec of an AnalysisRun, read from its wire form.

use super::{
    check,
    condition::{Condition, ConditionError, pattern::Pattern},
    evidence::block_of,
};
use crate::argo::duration::nanoseconds;
use alloc::{format, string::String, sync::Arc, vec::Vec};
use core::time::Duration;
use serde_json::Value as Json;

/// How many measurements of a metric are kept unless the spec says otherwise.
const KEPT: usize = 10;

/// The spec of an AnalysisRun: metrics, and what ends the run.
///
/// Reading never fails: what is wrong is [`invalid`](Self::invalid), and a run of it ends with an error at once.
///
/// ```
/// use rollout_core::analysis::RunSpec;
/// use serde_json::json;
/// let metric = json!({
///     "name": "success-rate", "interval": "1m", "count": 10, "failureLimit": 2,
///     "successCondition": "result[0] >= 0.95",
///     "provider": {"prometheus": {"address": "http://prometheus:9090", "query": "…"}},
/// });
/// let spec = RunSpec::read(&json!({"metrics": [metric]}));
/// assert_eq!(spec.invalid(), None);
/// assert_eq!(spec.metrics()[0].interval().unwrap().as_secs(), 60);
///
/// let spec = RunSpec::read(&json!({"metrics": [{"name": "a", "count": 2, "provider": {"job": {}}}]}));
/// assert_eq!(spec.invalid(), Some("metrics[0]: interval must be specified when count > 1"));
/// ```
#[derive(Debug, Clone)]
pub struct RunSpec {
    pub(super) metrics: Vec<Metric>,
    pub(super) terminate: bool,
    pub(super) invalid: Option<Arc<str>>,
}

/// One metric of a run.
///
/// ```
/// use rollout_core::analysis::RunSpec;
/// use serde_json::json;
/// let run = json!({
///     "metrics": [{"name": "errors", "provider": {"web": {"url": "http://web/errors"}}}],
///     "dryRun": [{"metricName": "err.*"}],
/// });
/// let spec = RunSpec::read(&run);
/// let metric = &spec.metrics()[0];
/// assert_eq!((metric.name(), metric.is_dry_run(), metric.count()), ("errors", true, Some(1)));
/// assert_eq!(metric.provider()["web"]["url"], "http://web/errors");
/// ```
#[derive(Debug, Clone)]
pub struct Metric {
    pub(super) name: Arc<str>,
    pub(super) interval: Option<Duration>,
    pub(super) initial_delay: Option<Duration>,
    pub(super) count: i64,
    pub(super) failure_limit: i64,
    pub(super) inconclusive_limit: i64,
    pub(super) error_limit: i64,
    pub(super) success_limit: i64,
    pub(super) success: Option<Judge>,
    pub(super) failure: Option<Judge>,
    pub(super) provider: Arc<Json>,
    pub(super) dry_run: bool,
    pub(super) kept: usize,
}

/// A condition, or why it is none.
pub(super) type Judge = Result<Condition, (Arc<str>, ConditionError)>;

impl RunSpec {
    /// Reads the `spec` of an AnalysisRun.
    ///
    /// See [`RunSpec`] for an example.
    #[must_use]
    pub fn read(spec: &Json) -> Self {
        let invalid = check::invalid(spec).map(Arc::from);
        let rules = |field: &str| -> Vec<(Option<Pattern>, i64)> {
            let rules = spec.get(field).and_then(Json::as_array);
            rules
                .into_iter()
                .flatten()
                .map(|rule| {
                    (Pattern::new(text(rule, "metricName")).ok(), number(rule.get("limit")).unwrap_or(0))
                })
                .collect()
        };
        let (dry, retention) = (rules("dryRun"), rules("measurementRetention"));
        let metrics = spec.get("metrics").and_then(Json::as_array).into_iter().flatten();
        Self {
            metrics: metrics.map(|metric| Metric::read(metric, &dry, &retention)).collect(),
            terminate: spec.get("terminate").and_then(Json::as_bool).unwrap_or(false),
            invalid,
        }
    }

    /// Returns the metrics.
    ///
    /// See [`RunSpec`] for an example.
    #[must_use]
    pub fn metrics(&self) -> &[Metric] {
        &self.metrics
    }

    /// Returns the metric with this name.
    ///
    /// ```
    /// let spec = rollout_core::analysis::RunSpec::read(&serde_json::json!({"metrics": [{"name": "a"}]}));
    /// assert!(spec.metric("a").is_some() && spec.metric("b").is_none());
    /// ```
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| &*metric.name == name)
    }

    /// Returns why the spec cannot be run: the message of Argo Rollouts.
    ///
    /// See [`RunSpec`] for an example.
    #[must_use]
    pub fn invalid(&self) -> Option<&str> {
        self.invalid.as_deref()
    }
}

impl Metric {
    fn read(metric: &Json, dry: &[(Option<Pattern>, i64)], retention: &[(Option<Pattern>, i64)]) -> Self {
        let name = text(metric, "name");
        let finds = |pattern: &Option<Pattern>| pattern.as_ref().is_some_and(|pattern| pattern.finds(name));
        let kept = retention.iter().rev().find(|(pattern, _)| finds(pattern)).map(|(_, limit)| *limit);
        let limit = |field: &str| number(metric.get(field));
        let judge = |field: &str| {
            let condition = Some(text(metric, field)).filter(|condition| !condition.is_empty())?;
            Some(Condition::parse(condition).map_err(|error| (Arc::from(condition), error)))
        };
        Self {
            name: name.into(),
            interval: duration(text(metric, "interval")),
            initial_delay: duration(text(metric, "initialDelay")),
            count: limit("count").unwrap_or(0),
            failure_limit: limit("failureLimit").unwrap_or(0),
            inconclusive_limit: limit("inconclusiveLimit").unwrap_or(0),
            error_limit: limit("consecutiveErrorLimit").unwrap_or(4),
            success_limit: limit("consecutiveSuccessLimit").unwrap_or(0),
            success: judge("successCondition"),
            failure: judge("failureCondition"),
            provider: Arc::new(metric.get("provider").cloned().unwrap_or_default()),
            dry_run: dry.iter().any(|(pattern, _)| finds(pattern)),
            kept: kept
                .and_then(|limit| usize::try_from(limit).ok())
                .filter(|limit| *limit > 0)
                .unwrap_or(KEPT),
        }
    }

    /// Returns the name.
    ///
    /// See [`Metric`] for an example.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns how long after a measurement the next one is due; `None` if the metric is measured once.
    ///
    /// See [`RunSpec`] for an example.
    #[must_use]
    pub fn interval(&self) -> Option<Duration> {
        self.interval
    }

    /// Returns how many measurements end the metric; `None` if only a limit or the end of the run does.
    ///
    /// See [`Metric`] for an example.
    #[must_use]
    pub fn count(&self) -> Option<u64> {
        match (u64::try_from(self.count), self.interval) {
            (Ok(count), _) if count > 0 => Some(count),
            (_, None) => Some(1),
            (_, Some(_)) => None,
        }
    }

    /// Returns whether its measurements have no consequences.
    ///
    /// See [`Metric`] for an example.
    #[must_use]
    pub fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// Returns the provider, as it is written.
    ///
    /// See [`Metric`] for an example.
    #[must_use]
    pub fn provider(&self) -> &Json {
        &self.provider
    }

    /// What its value must be, for messages.
    pub(super) fn conditions(&self) -> String {
        let written = |judge: &Option<Judge>| match judge {
            Some(Ok(condition)) => Some(String::from(condition.text())),
            Some(Err((text, _))) => Some(String::from(&**text)),
            None => None,
        };
        if block_of(self).is_some() {
            return "a canary that is not worse than stable".into();
        }
        match (written(&self.success), written(&self.failure)) {
            (Some(success), None) => success,
            (None, Some(failure)) => format!("not ({failure})"),
            (Some(success), Some(failure)) => format!("{success}, and not ({failure})"),
            (None, None) => "any answer".into(),
        }
    }
}

pub(super) fn text<'j>(object: &'j Json, field: &str) -> &'j str {
    object.get(field).and_then(Json::as_str).unwrap_or_default()
}

/// Reads a number, or a text of digits. Other text counts as 0, as in Argo Rollouts.
pub(super) fn number(value: Option<&Json>) -> Option<i64> {
    match value? {
        Json::Null => None,
        #[expect(clippy::cast_possible_truncation, reason = "a whole number that is written as 5.0")]
        Json::Number(number) => {
            Some(number.as_i64().unwrap_or_else(|| number.as_f64().unwrap_or(0.0) as i64))
        }
        Json::String(text) => Some(text.parse().unwrap_or(0)),
        Json::Bool(_) | Json::Array(_) | Json::Object(_) => Some(0),
    }
}

/// Reads a duration as an AnalysisRun has it (`90s`, `1h30m`); what is below 0 is 0.
///
/// ```
/// use rollout_core::analysis::duration;
/// assert_eq!(duration("1m30s").map(|duration| duration.as_secs()), Some(90));
/// assert_eq!(duration("soon"), None);
/// ```
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    let nanoseconds = nanoseconds(text)?;
    Some(Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(0)))
}
