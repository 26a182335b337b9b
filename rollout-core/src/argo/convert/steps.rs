use super::{count::count, routes};
use crate::{
    CanaryScale, Finding, Step,
    argo::{
        duration::pause_seconds,
        header_conditions::HeaderConditions,
        wire::{Canary, CanaryStep, Pause, SetCanaryScale},
    },
};
use alloc::{format, vec::Vec};
use core::time::Duration;

/// Converts every step; `None` if one of them is unsupported, because leaving it out would renumber the others.
pub(super) fn all(
    canary: &Canary,
    conditions: &HeaderConditions,
    unsupported: &mut Vec<Finding>,
) -> Option<Vec<Step>> {
    let steps = canary.steps.as_deref().unwrap_or_default();
    let each = steps.iter().enumerate().map(|(index, step)| {
        let path = format!("spec.strategy.canary.steps[{index}]");
        one(&path, step, conditions, unsupported)
    });
    // All steps are converted, so that everything unsupported is reported.
    let each: Vec<Option<Step>> = each.collect();
    each.into_iter().collect()
}

fn one(
    path: &str,
    step: &CanaryStep,
    conditions: &HeaderConditions,
    unsupported: &mut Vec<Finding>,
) -> Option<Step> {
    let mut kinds: Vec<Option<Step>> = Vec::new();
    if let Some(weight) = step.set_weight {
        kinds.push(u32::try_from(weight).ok().map(Step::SetWeight));
    }
    if let Some(pause) = &step.pause {
        kinds.push(wait(pause));
    }
    if let Some(scale) = &step.set_canary_scale {
        kinds.push(Some(Step::SetCanaryScale(canary_scale(scale))));
    }
    if let Some(route) = &step.set_header_route {
        let conditions = route.name.as_ref().and_then(|name| conditions.get(name));
        kinds.push(
            routes::header(route, conditions).map(|(name, route)| Step::SetHeaderRoute { name, route }),
        );
    }
    if let Some(route) = &step.set_mirror_route {
        let route = routes::mirror(&format!("{path}.setMirrorRoute"), route, unsupported);
        kinds.push(route.map(|(name, route)| Step::SetMirrorRoute { name, route }));
    }
    if let Some(analysis) = &step.analysis {
        unsupported.push(Finding::not_driven(format!("{path}.analysis"), "the step `analysis`"));
        kinds.push(Some(Step::Analysis(super::analysis::of_step(analysis).into())));
    }
    let others = [("experiment", step.experiment.is_some()), ("plugin", step.plugin.is_some())];
    for (kind, _) in others.into_iter().filter(|(_, there)| *there) {
        unsupported.push(Finding::not_driven(format!("{path}.{kind}"), &format!("the step `{kind}`")));
        kinds.push(None);
    }
    if kinds.len() > 1 && kinds.iter().all(Option::is_some) {
        unsupported.push(Finding::not_driven(path, "a step of several kinds"));
        return None;
    }
    kinds.pop().flatten()
}

fn wait(pause: &Pause) -> Option<Step> {
    let Some(duration) = &pause.duration else { return Some(Step::Pause(None)) };
    let seconds = pause_seconds(duration).ok()?;
    Some(Step::Pause(Some(Duration::from_secs(seconds.into()))))
}

fn canary_scale(scale: &SetCanaryScale) -> CanaryScale {
    match scale {
        SetCanaryScale { match_traffic_weight: Some(true), .. } => CanaryScale::MatchTrafficWeight,
        SetCanaryScale { replicas: Some(replicas), .. } => CanaryScale::Replicas(count(*replicas)),
        SetCanaryScale { weight: Some(weight), .. } => CanaryScale::Weight(count(*weight)),
        SetCanaryScale { .. } => CanaryScale::MatchTrafficWeight,
    }
}
