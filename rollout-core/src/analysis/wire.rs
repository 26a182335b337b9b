//! The status of an AnalysisRun as clients read and write it.

use super::{
    Phase,
    spec::{number, text},
    status::{Measurement, MetricResult, RunStatus, Summary},
};
use crate::Time;
use alloc::{collections::BTreeMap, string::String, vec::Vec};
use serde_json::{Map, Value as Json};

impl RunStatus {
    /// Reads the `status` of an AnalysisRun. What has the wrong type counts as absent.
    ///
    /// See [`RunStatus`] for an example.
    #[must_use]
    pub fn read(status: &Json) -> Self {
        Self {
            phase: phase(status),
            message: text(status, "message").into(),
            started_at: time(status, "startedAt"),
            completed_at: time(status, "completedAt"),
            metrics: list(status, "metricResults").map(MetricResult::read).collect(),
            run_summary: Summary::read(status.get("runSummary")),
            dry_run_summary: Summary::read(status.get("dryRunSummary")),
        }
    }

    /// Writes the `status` of an AnalysisRun. What is empty is left out.
    ///
    /// See [`RunStatus`] for an example.
    #[must_use]
    pub fn write(&self) -> Json {
        let mut out = Fields::default();
        out.text("phase", if self.phase == Phase::Pending { "" } else { self.phase.as_str() });
        out.text("message", &self.message);
        out.time("startedAt", self.started_at);
        out.time("completedAt", self.completed_at);
        out.list("metricResults", self.metrics.iter().map(MetricResult::write).collect());
        out.filled("runSummary", self.run_summary.write());
        out.filled("dryRunSummary", self.dry_run_summary.write());
        out.finish()
    }
}

impl MetricResult {
    fn read(result: &Json) -> Self {
        let count = |field: &str| number(result.get(field)).unwrap_or(0);
        Self {
            name: text(result, "name").into(),
            phase: phase(result),
            message: text(result, "message").into(),
            measurements: list(result, "measurements").map(Measurement::read).collect(),
            count: count("count"),
            successful: count("successful"),
            failed: count("failed"),
            inconclusive: count("inconclusive"),
            error: count("error"),
            consecutive_error: count("consecutiveError"),
            consecutive_success: count("consecutiveSuccess"),
            dry_run: result.get("dryRun").and_then(Json::as_bool).unwrap_or(false),
            metadata: texts(result, "metadata"),
        }
    }

    fn write(&self) -> Json {
        let mut out = Fields::default();
        out.text("name", &self.name);
        out.text("phase", self.phase.as_str());
        out.text("message", &self.message);
        out.list("measurements", self.measurements.iter().map(Measurement::write).collect());
        for (field, count) in [
            ("count", self.count),
            ("successful", self.successful),
            ("failed", self.failed),
            ("inconclusive", self.inconclusive),
            ("error", self.error),
            ("consecutiveError", self.consecutive_error),
            ("consecutiveSuccess", self.consecutive_success),
        ] {
            out.count(field, count);
        }
        if self.dry_run {
            out.0.insert("dryRun".into(), Json::Bool(true));
        }
        out.texts("metadata", &self.metadata);
        out.finish()
    }
}

impl Measurement {
    fn read(measurement: &Json) -> Self {
        Self {
            phase: phase(measurement),
            message: text(measurement, "message").into(),
            started_at: time(measurement, "startedAt"),
            finished_at: time(measurement, "finishedAt"),
            value: text(measurement, "value").into(),
            metadata: texts(measurement, "metadata"),
            resume_at: time(measurement, "resumeAt"),
        }
    }

    fn write(&self) -> Json {
        let mut out = Fields::default();
        out.text("phase", self.phase.as_str());
        out.text("message", &self.message);
        out.time("startedAt", self.started_at);
        out.time("finishedAt", self.finished_at);
        out.text("value", &self.value);
        out.texts("metadata", &self.metadata);
        out.time("resumeAt", self.resume_at);
        out.finish()
    }
}

impl Summary {
    fn read(summary: Option<&Json>) -> Self {
        let count = |field: &str| {
            let count = number(summary.and_then(|summary| summary.get(field)));
            count.and_then(|count| u32::try_from(count).ok()).unwrap_or(0)
        };
        Self {
            count: count("count"),
            successful: count("successful"),
            failed: count("failed"),
            inconclusive: count("inconclusive"),
            error: count("error"),
        }
    }

    fn write(self) -> Json {
        let mut out = Fields::default();
        for (field, count) in [
            ("count", self.count),
            ("successful", self.successful),
            ("failed", self.failed),
            ("inconclusive", self.inconclusive),
            ("error", self.error),
        ] {
            out.count(field, count.into());
        }
        out.finish()
    }
}

fn phase(object: &Json) -> Phase {
    Phase::read(text(object, "phase")).unwrap_or_default()
}

fn time(object: &Json, field: &str) -> Option<Time> {
    Time::parse_rfc3339(text(object, field))
}

fn list<'j>(object: &'j Json, field: &str) -> impl Iterator<Item = &'j Json> {
    object.get(field).and_then(Json::as_array).into_iter().flatten()
}

fn texts(object: &Json, field: &str) -> BTreeMap<String, String> {
    let map = object.get(field).and_then(Json::as_object).into_iter().flatten();
    map.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.into()))).collect()
}

/// The fields of an object, without those that are empty.
#[derive(Default)]
struct Fields(Map<String, Json>);

impl Fields {
    fn text(&mut self, field: &str, text: &str) {
        if !text.is_empty() {
            self.0.insert(field.into(), text.into());
        }
    }

    fn time(&mut self, field: &str, time: Option<Time>) {
        if let Some(time) = time {
            self.0.insert(field.into(), alloc::format!("{time}").into());
        }
    }

    fn count(&mut self, field: &str, count: i64) {
        if count != 0 {
            self.0.insert(field.into(), count.into());
        }
    }

    fn list(&mut self, field: &str, list: Vec<Json>) {
        if !list.is_empty() {
            self.0.insert(field.into(), list.into());
        }
    }

    fn filled(&mut self, field: &str, object: Json) {
        if object.as_object().is_some_and(|object| !object.is_empty()) {
            self.0.insert(field.into(), object);
        }
    }

    fn texts(&mut self, field: &str, texts: &BTreeMap<String, String>) {
        let texts = texts.iter().map(|(key, value)| (key.clone(), value.clone().into()));
        self.filled(field, Json::Object(texts.collect()));
    }

    fn finish(self) -> Json {
        Json::Object(self.0)
    }
}
