use serde_json::Value;
use std::fmt;

/// A Rollout as clients read it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rollout<'v>(pub(crate) &'v Value);

impl<'v> Rollout<'v> {
    fn text(self, pointer: &str) -> &'v str {
        self.0.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// `Healthy`, `Paused`, …; `Progressing` as long as its newest generation has not been looked at.
    pub(crate) fn phase(self) -> &'v str {
        if self.is_observed() { self.text("/status/phase") } else { "Progressing" }
    }

    /// What is said with the phase.
    pub(crate) fn message(self) -> &'v str {
        self.text("/status/message")
    }

    /// Whether the controller has looked at its newest generation.
    pub(crate) fn is_observed(self) -> bool {
        let generation = self.0["metadata"]["generation"].as_i64().unwrap_or(0);
        self.text("/status/observedGeneration") == generation.to_string()
    }

    /// The step that is being done, counted from 0.
    pub(crate) fn step(self) -> Option<i64> {
        self.0.pointer("/status/currentStepIndex")?.as_i64()
    }

    /// Where the steps have led: the canary's share in percent.
    pub(crate) fn weight(self) -> Option<i64> {
        self.0.pointer("/status/canary/weights/canary/weight")?.as_i64()
    }

    /// The hash of the stable revision.
    pub(crate) fn stable(self) -> &'v str {
        self.text("/status/stableRS")
    }

    /// The hash of the newest revision.
    pub(crate) fn newest(self) -> &'v str {
        self.text("/status/currentPodHash")
    }

    /// Whether an update has been released in full, or there was none.
    pub(crate) fn is_healthy(self) -> bool {
        self.phase() == "Healthy"
    }

    /// Whether the update is given up.
    pub(crate) fn is_aborted(self) -> bool {
        self.0.pointer("/status/abort") == Some(&Value::Bool(true))
    }

    /// Whether it is held at a pause of this step, counted from 0.
    pub(crate) fn is_paused_at(self, step: i64) -> bool {
        self.phase() == "Paused" && self.step() == Some(step)
    }

    /// A condition: its status, reason and message.
    pub(crate) fn condition(self, kind: &str) -> Option<(&'v str, &'v str, &'v str)> {
        let conditions = self.0.pointer("/status/conditions")?.as_array()?;
        let condition = conditions.iter().find(|condition| condition["type"] == kind)?;
        let text = |field: &str| condition[field].as_str().unwrap_or_default();
        Some((text("status"), text("reason"), text("message")))
    }
}

impl fmt::Display for Rollout<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut status = self.0["status"].clone();
        if let Some(status) = status.as_object_mut() {
            status.remove("selector");
        }
        write!(f, "Rollout {}: {status}", self.text("/metadata/name"))
    }
}

/// An AnalysisRun as clients read it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run<'v>(pub(crate) &'v Value);

impl<'v> Run<'v> {
    fn text(self, pointer: &str) -> &'v str {
        self.0.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// Its name.
    pub(crate) fn name(self) -> &'v str {
        self.text("/metadata/name")
    }

    /// One of its labels.
    pub(crate) fn label(self, name: &str) -> &'v str {
        self.text(&format!("/metadata/labels/{name}"))
    }

    /// When it was made; within a second, a later attempt has the longer name.
    pub(crate) fn made(self) -> (&'v str, usize, &'v str) {
        (self.text("/metadata/creationTimestamp"), self.name().len(), self.name())
    }

    /// `Running`, `Successful`, …; empty before it is looked at.
    pub(crate) fn phase(self) -> &'v str {
        self.text("/status/phase")
    }

    /// Its health, by the rules of Argo CD.
    pub(crate) fn health(self) -> &'static str {
        match self.phase() {
            "" | "Pending" | "Running" => "Progressing",
            "Successful" => "Healthy",
            "Failed" | "Error" => "Degraded",
            "Inconclusive" => "Unknown",
            other => panic!("Argo CD has no rule for the phase {other:?}"),
        }
    }

    /// Why it ended so.
    pub(crate) fn message(self) -> &'v str {
        self.text("/status/message")
    }

    /// What was measured of its metrics.
    pub(crate) fn metrics(self) -> &'v [Value] {
        self.0.pointer("/status/metricResults").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// What was measured of this metric.
    pub(crate) fn metric(self, name: &str) -> Option<&'v Value> {
        self.metrics().iter().find(|metric| metric["name"] == *name)
    }
}

impl fmt::Display for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnalysisRun {}: {}", self.name(), self.0["status"])
    }
}

/// The weights of a VirtualService's route of this name: of the stable destination, which comes first, and of the
/// canary.
pub(crate) fn weights_of(virtual_service: &Value, route: &str) -> Option<(i64, i64)> {
    let routes = virtual_service.pointer("/spec/http")?.as_array()?;
    let route = routes.iter().find(|one| one["name"] == route)?["route"].as_array()?;
    Some((route.first()?["weight"].as_i64()?, route.get(1)?["weight"].as_i64().unwrap_or(0)))
}
