//! The templates of a Rollout's analyses.

use super::{RunsRead, lint::Said};
use crate::{
    cache::{Entry, View},
    rollout::context::Context,
    runs::wrong_provider,
};
use rollout_core::{
    Revision, Spec, Status,
    analysis::{
        Analysis, ArgSource, Around, Composed, InvalidAnalysis, RunId, RunRole, RunSpec, TemplateRef,
        arguments,
    },
    backend::StoreError,
    traffic::ObjectRef,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Returns what is wrong with the analyses of a Rollout and what is only odd, each with its path: before anything is
/// released. A template that cannot be read is an error of the spec as well, rather than the end of the turn: an abort
/// must still work.
pub(super) async fn invalid(
    (context, view): (&Context, &View),
    rollout: &Entry,
    spec: Option<&Spec>,
    status: &Status,
) -> Said {
    let mut said = Said::default();
    let is_analysed = |spec: &&Spec| context.runs_analyses && spec.strategy.analyses().next().is_some();
    let Some(spec) = spec.filter(is_analysed) else { return said };
    let runs = RunsRead::new(view.known_runs(rollout.uid())).seen();
    let steps = spec.strategy.step_hash();
    let is_current = status.canary.as_ref() == Some(&spec.target);
    let same_steps = status.step_hash.as_deref() == Some(steps);
    // A release that is over, a step that is over, and a run that has begun need no template any more.
    let is_before = |role| matches!(role, RunRole::Step(step) if step < status.step);
    let is_over = |role| is_current && (status.is_done() || same_steps && is_before(role));
    let has_begun = |role| {
        let is_its = |id: &RunId| id.role == role && id.revision == spec.target && *id.step_hash == *steps;
        is_current && runs.iter().any(|run| is_its(&run.id))
    };
    for (role, analysis) in spec.strategy.analyses() {
        if is_over(role) || has_begun(role) {
            continue;
        }
        let path = role.path();
        let analysis = checked(analysis, rollout);
        let wrong = match composed(view, rollout, &analysis, (status.stable.as_ref(), &spec.target)).await {
            Ok(Ok(composed)) => {
                let Some(what) = wrong_in(&composed) else {
                    said.lint(&composed, &analysis, &Around::of(&spec.strategy, role), &path);
                    continue;
                };
                format!("{path}: {what}")
            }
            Ok(Err(error @ InvalidAnalysis::NotFound(_))) => format!("{path}.templates: {error}"),
            Ok(Err(error)) => format!("{path}: {error}"),
            Err(error) => format!("{path}.templates: {error}"),
        };
        said.wrong.push(wrong);
    }
    said
}

/// Returns an analysis with values in place of missing fields that the controller itself writes: they are there when a
/// run begins.
fn checked(analysis: &Analysis, rollout: &Entry) -> Analysis {
    let mut analysis = analysis.clone();
    for arg in &mut analysis.args {
        let is_there = |path: &str| {
            let arg = json!({"name": "", "valueFrom": {"fieldRef": {"fieldPath": path}}});
            arguments(&[arg], &rollout.value, None, "").is_ok()
        };
        let is_later = |path: &str| {
            !path.starts_with("spec.") && !path.starts_with("metadata.labels") && !is_there(path)
        };
        if matches!(&arg.value, ArgSource::Field(path) if is_later(path)) {
            arg.value = ArgSource::Value("0".into());
        }
    }
    analysis
}

/// Returns why the run of these metrics could never succeed.
fn wrong_in(composed: &Composed) -> Option<String> {
    let metrics = match composed.resolved(|_, _| None) {
        Ok(metrics) => metrics,
        Err(error) => return Some(error.to_string()),
    };
    let spec = RunSpec::read(&composed.run(&metrics));
    if let Some(invalid) = spec.invalid() {
        return Some(format!("its run would be invalid: {invalid}; change the template"));
    }
    let wrong = |metric: &rollout_core::analysis::Metric| {
        let why = wrong_provider(&spec, metric)?;
        Some(format!("metric `{}`: {why}", metric.name()))
    };
    spec.metrics().iter().find_map(wrong)
}

/// Joins the templates and arguments of an analysis; reads the templates from the cache.
///
/// # Errors
/// A template cannot be read.
pub(super) async fn composed(
    view: &View,
    rollout: &Entry,
    analysis: &Analysis,
    (stable, latest): (Option<&Revision>, &Revision),
) -> Result<Result<Composed, InvalidAnalysis>, StoreError> {
    let namespace = rollout.text("/metadata/namespace").unwrap_or_default();
    let mut known: BTreeMap<TemplateRef, Value> = BTreeMap::new();
    loop {
        let hashes = (stable.map(Revision::as_str), latest.as_str());
        let composed =
            Composed::of_analysis(analysis, &rollout.value, hashes, |template| known.get(template).cloned());
        let Err(InvalidAnalysis::NotFound(missing)) = &composed else { return Ok(composed) };
        match view.referenced(&object(missing, namespace)).await {
            Ok(read) => {
                let spec = read.value.get("spec").cloned().unwrap_or_default();
                known.insert(missing.clone(), spec);
            }
            // The name may be none: then there is no such template, either.
            Err(StoreError::NotFound(_)) => return Ok(composed),
            Err(error) => return Err(error),
        }
    }
}

fn object(template: &TemplateRef, namespace: &str) -> ObjectRef {
    let (kind, namespace) =
        if template.cluster { ("ClusterAnalysisTemplate", "") } else { ("AnalysisTemplate", namespace) };
    ObjectRef::new("argoproj.io", kind, namespace, &template.name)
}
