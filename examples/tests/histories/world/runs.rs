//! What people do with AnalysisRuns.

use super::World;
use crate::{
    analyses::{self, Mood, Template},
    apps,
};
use serde_json::{Value, json};
use std::sync::Arc;

impl World<'_> {
    /// Somebody applies a run, where there are no Rollouts.
    pub(super) fn apply_run(&mut self, template: Template, mood: Mood) {
        self.applied += 1;
        let name = format!("by-hand-{}", self.applied);
        self.moods.set(&name, mood);
        let path = format!("/apis/argoproj.io/v1alpha1/namespaces/elsewhere/analysisruns/{name}");
        self.server.apply(&path, template.run(&name));
    }

    /// Somebody makes runs with the names that those of this update would have.
    pub(super) fn take_names(&self, app: usize) {
        let rollouts = self.server.all("/apis/argoproj.io/v1alpha1/rollouts");
        let sets = self.server.all("/apis/apps/v1/replicasets");
        let rollout = rollouts.iter().find(|rollout| rollout["metadata"]["name"] == apps::name(app));
        let hash =
            rollout.and_then(|rollout| rollout["status"]["currentPodHash"].as_str()).unwrap_or_default();
        let name = format!("{}-{hash}", apps::name(app));
        let Some(set) = sets.iter().find(|set| set["metadata"]["name"] == *name) else { return };
        let number =
            set["metadata"]["annotations"]["rollout.argoproj.io/revision"].as_str().unwrap_or_default();
        let there = self.server.all(analyses::RUNS);
        let steps = (0..self.history.apps[app].steps.len()).map(|step| format!("{name}-{number}-{step}"));
        for name in steps.chain([format!("{name}-{number}")]) {
            if there.iter().all(|run| run["metadata"]["name"] != *name) {
                self.server.apply(&analyses::run_path(&name), Template::Once.run(&name));
            }
        }
    }

    /// The path of the newest run of a Rollout.
    pub(super) fn newest_run(&self, app: usize, is_live: bool) -> Option<String> {
        let prefix = format!("{}-", apps::name(app));
        let runs = self.server.all(analyses::RUNS).into_iter();
        let its = runs.filter(|run| {
            let phase = run["status"]["phase"].as_str().unwrap_or_default();
            run["metadata"]["name"].as_str().is_some_and(|name| name.starts_with(&prefix))
                && (!is_live || matches!(phase, "" | "Pending" | "Running"))
        });
        let number = |run: &Arc<Value>| -> Option<u64> {
            run["metadata"]["uid"].as_str()?.strip_prefix("uid-")?.parse().ok()
        };
        let newest = its.max_by_key(number)?;
        Some(analyses::run_path(newest["metadata"]["name"].as_str()?))
    }

    /// What the plug-in for kubectl does to a Rollout that runs an analysis.
    pub(super) fn promote(&self, app: usize) {
        let rollouts = self.server.all("/apis/argoproj.io/v1alpha1/rollouts");
        let rollout = rollouts.iter().find(|rollout| rollout["metadata"]["name"] == apps::name(app));
        let Some(step) = rollout.and_then(|rollout| rollout["status"]["currentStepIndex"].as_u64()) else {
            return;
        };
        self.patch(app, &json!({"status": {"pauseConditions": null, "currentStepIndex": step + 1}}));
    }

    /// A run that belonged to a Rollout may go on for ever, and nobody asks for it.
    pub(super) fn end_orphans(&self) {
        for run in self.server.all(analyses::RUNS) {
            let name = run["metadata"]["name"].as_str().unwrap_or_default();
            if run["metadata"]["ownerReferences"].is_null() && run["metadata"]["labels"]["by"] != "hand" {
                self.server.delete(&analyses::run_path(name));
            }
        }
    }
}
