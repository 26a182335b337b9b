//! Which provider is asked, and for how long.

use super::{compare, datadog, http::Http, job, prometheus, web};
use crate::{
    runs::{provider_of, wrong_provider},
    store::Requests,
};
use async_trait::async_trait;
use rollout_core::{
    Time,
    analysis::{Answer, Ask, Compare, Metric, MetricResult, RunSpec},
};
use serde_json::Value;
use std::{collections::BTreeMap, fmt, time::Duration};

/// What is asked, about one metric of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'q> {
    pub(crate) ask: &'q Ask,
    /// All metrics of the run.
    pub(super) spec: &'q RunSpec,
    pub(crate) metric: &'q Metric,
    /// What was measured of the metric so far.
    pub(super) result: Option<&'q MetricResult>,
    /// The AnalysisRun.
    pub(crate) run: &'q Value,
    pub(super) now: Time,
}

/// What a provider said.
#[derive(Debug)]
pub(crate) struct Told {
    /// The answer; `None` if the question must be asked again, because nobody knows what came of it.
    pub(super) answer: Option<Answer>,
    /// What people may read beside the measurement.
    pub(super) metadata: BTreeMap<String, String>,
    /// More texts that must not be seen, such as a token that the provider has got.
    pub(super) secrets: Vec<String>,
}

impl From<Option<Answer>> for Told {
    fn from(answer: Option<Answer>) -> Self {
        Self { answer, metadata: BTreeMap::new(), secrets: Vec::new() }
    }
}

impl Told {
    pub(super) fn answer(answer: Answer) -> Self {
        Some(answer).into()
    }

    /// There is no answer, for this reason.
    pub(crate) fn nothing(why: impl fmt::Display) -> Self {
        Self::answer(Answer::Unanswered { why: why.to_string(), after: None })
    }

    /// Hides these texts, too.
    pub(super) fn hiding(mut self, secrets: impl IntoIterator<Item = String>) -> Self {
        self.secrets.extend(secrets);
        self
    }
}

/// Answers the questions of runs.
#[async_trait]
pub(crate) trait Provider: fmt::Debug + Send + Sync {
    /// Asks once. It ends by itself, in a bounded time.
    async fn ask(&self, question: Question<'_>) -> Told;
}

/// The providers that are supported.
#[derive(Debug)]
pub(super) struct Providers {
    http: Http,
    requests: Requests,
}

impl Providers {
    pub(super) fn new(http: Http, requests: Requests) -> Self {
        Self { http, requests }
    }
}

#[async_trait]
impl Provider for Providers {
    async fn ask(&self, question: Question<'_>) -> Told {
        let written = provider_of(question.metric.provider());
        let Some((name, provider)) = written else { return Told::nothing("no provider specified") };
        // Only a Job goes on by itself.
        if matches!(question.ask, Ask::Terminate { .. }) && name != "job" {
            return Told::nothing("Metric Terminated");
        }
        if let Some(compare) = Compare::read(question.spec, question.metric) {
            return match compare {
                Ok(compare) => compare::ask(&self.http, &compare, question).await,
                Err(wrong) => Told::nothing(wrong),
            };
        }
        match name {
            "prometheus" => prometheus::ask(&self.http, provider, question.now).await,
            "web" => web::ask(&self.http, provider).await,
            "datadog" => datadog::ask(&self.http, &self.requests, provider, question).await,
            "job" => job::ask(&self.requests, provider, question).await,
            _ => Told::nothing(wrong_provider(question.spec, question.metric).unwrap_or_default()),
        }
    }
}

/// The longest time for one question, whatever a metric says.
const LONGEST: Duration = Duration::from_secs(300);

/// Returns for how long to ask, as a metric says it in seconds.
pub(super) fn within(seconds: Option<i64>, default: u64) -> Duration {
    let seconds = seconds.and_then(|seconds| u64::try_from(seconds).ok()).filter(|seconds| *seconds > 0);
    Duration::from_secs(seconds.unwrap_or(default)).min(LONGEST)
}

/// Waits for an answer, but not for ever.
///
/// # Errors
/// It failed, or the time is over.
pub(super) async fn deadline<T>(
    within: Duration,
    answer: impl Future<Output = Result<T, String>>,
) -> Result<T, String> {
    match tokio::time::timeout(within, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("no answer within {} s", within.as_secs())),
    }
}

/// Reads a text of a provider's configuration.
pub(super) fn text<'v>(object: &'v Value, pointer: &str) -> &'v str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
