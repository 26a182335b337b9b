//! Experiments, and the arguments of analyses.

use super::{labels, notes::Notes, routing::weighs_experiments};
use crate::argo::wire::{AnalysisArgument, Canary, CanaryStep};
use alloc::format;

pub(super) fn check(path: &str, step: &CanaryStep, canary: &Canary, notes: &mut Notes) {
    let experiment = step.experiment.as_ref();
    let templates = experiment.and_then(|experiment| experiment.templates.as_ref());
    let routing = canary.traffic_routing.as_ref();
    for (index, template) in templates.into_iter().flatten().enumerate() {
        if template.weight.is_none() || routing.is_some_and(weighs_experiments) {
            continue;
        }
        let message = match routing {
            None => "Experiment template weight cannot be set unless TrafficRouting is enabled",
            Some(_) => {
                "Experiment template weight is only available for TrafficRouting with SMI, ALB, and Istio at this time"
            }
        };
        notes.error(format!("{path}.experiment.templates[{index}].weight"), message, "leave the weight out");
    }
    let of_step = step.analysis.as_ref().and_then(|analysis| analysis.args.as_ref()).into_iter().flatten();
    let analyses = experiment.and_then(|experiment| experiment.analyses.as_ref()).into_iter().flatten();
    let of_experiment = analyses.filter_map(|analysis| analysis.args.as_ref()).flatten();
    if of_step.chain(of_experiment).any(|argument| !is_readable(argument)) {
        notes.error_at(
            path,
            format!("{path}.analyses"),
            "Analyses arguments must refer to valid object metadata supported by downwards API",
            "use metadata.name, .namespace, .uid, .labels['…'] or .annotations['…']",
        );
    }
}

/// Returns whether a reference to the Rollout's metadata can be resolved.
fn is_readable(argument: &AnalysisArgument) -> bool {
    let reference = argument.value_from.as_ref().and_then(|from| from.field_ref.as_ref());
    let Some(path) = reference.and_then(|reference| reference.field_path.as_deref()) else { return true };
    if !path.starts_with("metadata") {
        return true;
    }
    let subscript = path.strip_suffix("']").and_then(|path| path.split_once("['"));
    match subscript {
        Some(("metadata.labels" | "metadata.annotations", key)) => labels::is_key(&key.to_ascii_lowercase()),
        Some(_) => false,
        None => matches!(
            path,
            "metadata.annotations"
                | "metadata.labels"
                | "metadata.name"
                | "metadata.namespace"
                | "metadata.uid"
        ),
    }
}
