//! One look at a run: what to ask now, and what the answers mean.

use super::{
    Phase,
    condition::{Value, verdict},
    due::{SHORTEST, due, wake, without_skew},
    evidence::carry_over,
    judge,
    spec::{Metric, RunSpec},
    status::{Measurement, MetricResult, RunStatus},
};
use crate::Time;
use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};
use core::time::Duration;

/// The result of [`assess`]: what to ask now, and when to look again.
///
/// See [`assess`] for an example.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[must_use = "a plan does nothing until it is carried out"]
pub struct RunPlan {
    /// The status to store before anything is asked.
    pub status: RunStatus,
    /// What to ask now.
    pub ask: Vec<Ask>,
    /// When to look again if nothing changes earlier. Looking earlier is harmless.
    pub wake: Option<Time>,
}

/// One question to a provider.
///
/// ```
/// use rollout_core::analysis::Ask;
/// assert_eq!(Ask::Measure { metric: "errors".into() }.metric(), "errors");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a driver that cannot ask something must not compile")]
pub enum Ask {
    /// Measure anew.
    Measure {
        /// The metric.
        metric: Arc<str>,
    },
    /// Look at a measurement that runs.
    Resume {
        /// The metric.
        metric: Arc<str>,
    },
    /// End a measurement that runs.
    Terminate {
        /// The metric.
        metric: Arc<str>,
    },
}

impl Ask {
    /// Returns the name of the metric.
    ///
    /// See [`Ask`] for an example.
    #[must_use]
    pub fn metric(&self) -> &str {
        match self {
            Self::Measure { metric } | Self::Resume { metric } | Self::Terminate { metric } => metric,
        }
    }
}

/// What a provider answered.
///
/// See [`record`] for an example.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a provider answers one of these")]
pub enum Answer {
    /// A value, for the metric's conditions.
    Value(Value),
    /// A verdict: the provider judges by itself.
    Verdict {
        /// How the measurement ended.
        phase: Phase,
        /// What was measured; may be empty.
        value: String,
        /// Why; may be empty.
        message: String,
        /// What the provider keeps with the measurement.
        metadata: BTreeMap<String, String>,
        /// Whether the metric ends here, if this is successful: more measurements could not change that.
        is_last: bool,
    },
    /// The measurement runs on.
    Running {
        /// After what time to look again.
        resume: Option<Duration>,
        /// What the provider needs to find it again.
        metadata: BTreeMap<String, String>,
    },
    /// There was no answer.
    Unanswered {
        /// Why, for people.
        why: String,
        /// After what time the provider wants to be asked again. Within the interval, this is no error.
        after: Option<Duration>,
    },
}

/// Decides what to ask now, and what the run is worth. Never fails, never panics, reads no clock, asks nobody.
///
/// Ask everything at once, [`record`] each answer, and assess again. A run that is done is never asked or changed.
///
/// ```
/// use rollout_core::{Time, analysis::{Answer, Ask, Phase, RunSpec, RunStatus, Value, assess, record}};
/// use serde_json::json;
/// let spec = RunSpec::read(&json!({"metrics": [{
///     "name": "errors", "interval": "1m", "failureCondition": "result[0] > 0.05", "provider": {"prometheus": {}},
/// }]}));
/// let plan = assess(&spec, &RunStatus::default(), Time::from_secs(0));
/// assert_eq!(plan.ask, [Ask::Measure { metric: "errors".into() }]);
///
/// let answer = (plan.ask[0].clone(), Answer::Value(Value::Numbers(vec![0.01])));
/// let status = record(&spec, &plan.status, &[answer], Time::from_secs(0));
/// let plan = assess(&spec, &status, Time::from_secs(0));
/// assert_eq!((plan.status.phase, plan.wake), (Phase::Running, Some(Time::from_secs(60))));
/// ```
pub fn assess(spec: &RunSpec, status: &RunStatus, now: Time) -> RunPlan {
    let mut status = status.clone();
    if status.phase.is_done() {
        return RunPlan { status, ask: Vec::new(), wake: None };
    }
    if let Some(invalid) = &spec.invalid {
        status.phase = Phase::Error;
        status.message = format!("Analysis spec invalid: {invalid}");
        return RunPlan { status, ask: Vec::new(), wake: None };
    }
    let first = status.started_at.is_none();
    let started = *status.started_at.get_or_insert(Time::from_secs(now.as_secs()));
    if started > now {
        // The clock went back: what was to be measured after a delay is measured after it all the same.
        status.started_at = Some(Time::from_secs(now.as_secs()));
    }
    let believed = without_skew(spec, &status, now);
    let ask = due(spec, believed.as_ref().unwrap_or(&status), first, now);
    if ask.is_empty() {
        judge::judge(spec, &mut status, now);
    }
    let wake = if status.phase.is_done() { None } else { wake(spec, &status) };
    RunPlan { status, ask, wake }
}

/// Puts answers in, and judges the run by them. Pure, too.
///
/// ```
/// use rollout_core::{Time, analysis::{Answer, Ask, Phase, RunSpec, RunStatus, Value, record}};
/// use serde_json::json;
/// let spec = RunSpec::read(&json!({"metrics": [{
///     "name": "errors", "successCondition": "result[0] < 0.05", "provider": {"prometheus": {}},
/// }]}));
/// let ask = Ask::Measure { metric: "errors".into() };
/// let answer = Answer::Value(Value::Numbers(vec![0.1]));
/// let status = record(&spec, &RunStatus::default(), &[(ask, answer)], Time::from_secs(0));
/// assert_eq!(status.phase, Phase::Failed);
/// assert_eq!(status.message, r#"Metric "errors" assessed Failed due to failed (1) > failureLimit (0)"#);
/// ```
#[must_use]
pub fn record(spec: &RunSpec, status: &RunStatus, answers: &[(Ask, Answer)], now: Time) -> RunStatus {
    let mut status = status.clone();
    if status.phase.is_done() {
        return status;
    }
    let now_stored = Time::from_secs(now.as_secs());
    for (ask, answer) in answers {
        let Some(metric) = spec.metric(ask.metric()) else { continue };
        let result = status.result_of(spec, metric);
        if !result.phase.is_done() {
            put_in(metric, result, ask, answer, now_stored);
        }
    }
    judge::judge(spec, &mut status, now);
    status
}

fn put_in(metric: &Metric, result: &mut MetricResult, ask: &Ask, answer: &Answer, now: Time) {
    result.dry_run = metric.dry_run;
    let running = result.newest().is_some_and(|newest| newest.finished_at.is_none());
    let begun = match (ask, running) {
        (Ask::Measure { .. }, false) => Measurement { started_at: Some(now), ..Measurement::default() },
        (Ask::Resume { .. } | Ask::Terminate { .. }, true) => result.measurements.pop().unwrap_or_default(),
        // The answer to an older question: that measurement has ended, or another one has begun.
        (Ask::Measure { .. }, true) | (Ask::Resume { .. } | Ask::Terminate { .. }, false) => return,
    };
    let mut measurement = begun;
    measurement.resume_at = None;
    if matches!(ask, Ask::Terminate { .. }) {
        measurement.phase = Phase::Inconclusive;
        measurement.message = "Metric Terminated".into();
    } else {
        answered(metric, &mut measurement, answer, now);
    }
    if measurement.phase.is_done() {
        measurement.finished_at = Some(now);
        count(result, measurement.phase);
    }
    if measurement.phase == Phase::Successful && matches!(answer, Answer::Verdict { is_last: true, .. }) {
        result.phase = Phase::Successful;
        result.message.clone_from(&measurement.message);
    }
    carry_over(result, &mut measurement);
    result.measurements.push(measurement);
    let surplus = result.measurements.len().saturating_sub(metric.kept);
    result.measurements.drain(..surplus);
}

fn answered(metric: &Metric, measurement: &mut Measurement, answer: &Answer, now: Time) {
    match answer {
        Answer::Value(value) => {
            measurement.value = value.to_string();
            let judged = condition(metric.success.as_ref()).and_then(|success| {
                let failure = condition(metric.failure.as_ref())?;
                verdict(success, failure, value).map_err(|error| error.to_string())
            });
            match judged {
                Ok(phase) => measurement.phase = phase,
                Err(why) => (measurement.phase, measurement.message) = (Phase::Error, why),
            }
        }
        Answer::Verdict { phase, value, message, metadata, is_last: _ } => {
            measurement.phase = *phase;
            measurement.value.clone_from(value);
            measurement.message.clone_from(message);
            measurement.metadata.extend(metadata.clone());
        }
        Answer::Running { resume, metadata } => {
            measurement.phase = Phase::Running;
            measurement.metadata.clone_from(metadata);
            measurement.resume_at = resume.map(|resume| now + resume.max(SHORTEST));
        }
        Answer::Unanswered { why, after } => {
            let again = after.map(|after| now + after);
            let until = measurement.started_at.unwrap_or(now) + metric.interval.unwrap_or_default();
            measurement.message.clone_from(why);
            measurement.resume_at = again.filter(|again| *again <= until);
            measurement.phase = if measurement.resume_at.is_some() { Phase::Running } else { Phase::Error };
        }
    }
}

fn condition(judge: Option<&super::spec::Judge>) -> Result<Option<&super::Condition>, String> {
    match judge {
        None => Ok(None),
        Some(Ok(condition)) => Ok(Some(condition)),
        Some(Err((text, error))) => Err(format!("could not read the condition {text:?}: {error}")),
    }
}

fn count(result: &mut MetricResult, phase: Phase) {
    let counter = match phase {
        Phase::Successful => &mut result.successful,
        Phase::Failed => &mut result.failed,
        Phase::Inconclusive => &mut result.inconclusive,
        Phase::Error | Phase::Pending | Phase::Running => &mut result.error,
    };
    *counter = counter.saturating_add(1);
    if phase != Phase::Error {
        result.count = result.count.saturating_add(1);
    }
    let row = |before: i64, goes_on: bool| if goes_on { before.saturating_add(1) } else { 0 };
    result.consecutive_error = row(result.consecutive_error, phase == Phase::Error);
    result.consecutive_success = row(result.consecutive_success, phase == Phase::Successful);
}
