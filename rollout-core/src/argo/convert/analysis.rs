//! Analyses, as the engine has them.

use crate::{
    argo::wire::{
        AnalysisArgument, AnalysisTemplateRef, BackgroundAnalysis, DryRun, MeasurementRetention, Metadata,
        StepAnalysis,
    },
    strategy::{Analysis, AnalysisArg, ArgSource, Background},
};
use alloc::vec::Vec;

pub(super) fn of_step(step: &StepAnalysis) -> Analysis {
    let rules = (step.dry_run.as_deref(), step.measurement_retention.as_deref());
    of(step.templates.as_deref(), step.args.as_deref(), rules, step.analysis_run_metadata.as_ref())
}

pub(super) fn beside(beside: &BackgroundAnalysis) -> Background {
    let rules = (beside.dry_run.as_deref(), beside.measurement_retention.as_deref());
    let metadata = beside.analysis_run_metadata.as_ref();
    let analysis = of(beside.templates.as_deref(), beside.args.as_deref(), rules, metadata);
    Background {
        analysis: analysis.into(),
        starting_step: super::count::count(beside.starting_step.unwrap_or(0)),
    }
}

fn of(
    templates: Option<&[AnalysisTemplateRef]>,
    args: Option<&[AnalysisArgument]>,
    (dry_run, retention): (Option<&[DryRun]>, Option<&[MeasurementRetention]>),
    metadata: Option<&Metadata>,
) -> Analysis {
    let name = |name: &Option<alloc::string::String>| name.as_deref().unwrap_or_default().into();
    let templates = templates.unwrap_or_default().iter();
    let (dry_run, retention) = (dry_run.unwrap_or_default().iter(), retention.unwrap_or_default().iter());
    Analysis {
        templates: templates.map(|of| (name(&of.template_name), of.cluster_scope.unwrap_or(false))).collect(),
        args: args.unwrap_or_default().iter().filter_map(argument).collect(),
        dry_run: dry_run.map(|rule| name(&rule.metric_name)).collect(),
        measurement_retention: retention
            .map(|rule| (name(&rule.metric_name), rule.limit.unwrap_or(0)))
            .collect::<Vec<_>>(),
        labels: metadata.and_then(|metadata| metadata.labels.clone()).unwrap_or_default(),
        annotations: metadata.and_then(|metadata| metadata.annotations.clone()).unwrap_or_default(),
    }
}

/// Converts an argument; one without a value leaves that of the template.
fn argument(argument: &AnalysisArgument) -> Option<AnalysisArg> {
    let from = argument.value_from.as_ref();
    let hash = from.and_then(|from| from.pod_template_hash_value.as_deref());
    let field = from.and_then(|from| from.field_ref.as_ref()?.field_path.as_deref());
    let value = match (argument.value.as_deref(), hash, field) {
        (Some(value), ..) => ArgSource::Value(value.into()),
        (None, Some("Stable"), _) => ArgSource::StableHash,
        (None, Some(_), _) => ArgSource::LatestHash,
        (None, None, Some(path)) => ArgSource::Field(path.into()),
        (None, None, None) => return None,
    };
    Some(AnalysisArg { name: argument.name.as_deref().unwrap_or_default().into(), value })
}
