//! The runs of a Rollout, as they were read.

use super::identity;
use crate::{
    cache::{Entry, View},
    guard::{Guard, off},
    replica_set::labels,
    runs::Definition,
};
use rollout_core::{
    analysis::{RunSeen, RunSpec, RunStatus},
    backend::StoreError,
};
use serde_json::Value;

/// The runs of a Rollout, the oldest first.
#[derive(Debug, Default)]
pub(in super::super) struct RunsRead(pub(super) Vec<Entry>);

/// Reads the AnalysisRuns of a Rollout with an analysis: from the cache or, with `live`, from the server.
///
/// # Errors
/// They cannot be read.
pub(in super::super) async fn read(view: &View, rollout: &Entry, live: bool) -> Result<RunsRead, StoreError> {
    let selector = rollout.value.pointer("/spec/selector").unwrap_or(&Value::Null);
    let labels = live.then(|| labels(selector));
    Ok(RunsRead::new(view.runs(rollout.uid(), labels.as_deref()).await?))
}

/// Reads what is left of the runs of a Rollout that has no analysis any more. It never waits for them.
pub(in super::super) fn left(view: &View, rollout: &Entry) -> RunsRead {
    RunsRead::new(view.known_runs(rollout.uid()))
}

fn age(run: &Entry) -> (&str, &str) {
    (run.text("/metadata/creationTimestamp").unwrap_or_default(), run.name())
}

impl RunsRead {
    pub(super) fn new(mut runs: Vec<Entry>) -> Self {
        runs.sort_by(|a, b| age(a).cmp(&age(b)));
        Self(runs)
    }

    /// Returns them as the decision sees them. Those that somebody else made for the Rollout are left out.
    pub(in super::super) fn seen(&self) -> Vec<RunSeen> {
        self.0.iter().filter_map(seen).collect()
    }

    /// Returns a run.
    pub(super) fn get(&self, name: &str) -> Option<&Entry> {
        self.0.iter().find(|run| run.name() == name)
    }

    /// Records a run as it was written.
    pub(super) fn put(&mut self, written: Entry) {
        match self.0.iter_mut().find(|run| run.uid() == written.uid()) {
            Some(run) => *run = written,
            None => self.0.push(written),
        }
    }

    /// Records that a run is gone.
    pub(super) fn remove(&mut self, name: &str) {
        self.0.retain(|run| run.name() != name);
    }
}

fn seen(run: &Entry) -> Option<RunSeen> {
    let id = identity::id(run)?;
    let none = Value::Null;
    let spec = run.value.get("spec").unwrap_or(&none);
    let status = RunStatus::read(run.value.get("status").unwrap_or(&none));
    // What is wrong with a spec, the run's own status says.
    let resolved = Definition::read(spec).and_then(|definition| definition.resolved(|_, _| None));
    let measured = resolved.unwrap_or_else(|_| RunSpec::read(&Value::Null));
    let mut seen = RunSeen::new(run.name(), id).measured(&measured, &status);
    let stopping = spec.get("terminate").and_then(Value::as_bool).unwrap_or(false);
    seen.stopping = stopping && !off(Guard::EndedRunIsSeen);
    Some(seen)
}
