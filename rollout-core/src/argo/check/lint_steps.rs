//! Lints for steps: accepted by Argo Rollouts, almost certainly a mistake.

use super::{notes::Notes, steps::kinds, strings};
use crate::argo::{
    duration::pause_seconds,
    wire::{Canary, CanaryStep, IntOrText, SetCanaryScale, SetMirrorRoute},
};
use alloc::format;

pub(super) fn check(canary: &Canary, notes: &mut Notes) {
    let mut weight = 0;
    for (index, step) in canary.steps.iter().flatten().enumerate() {
        let path = format!("spec.strategy.canary.steps[{index}]");
        let (counted, others) = kinds(step);
        if counted <= 1 && counted + others > 1 {
            notes.warning(&*path, "is several kinds of step at once", "write each as its own step");
        }
        pause(&path, step, notes);
        if let Some(scale) = &step.set_canary_scale {
            canary_scale(&format!("{path}.setCanaryScale"), scale, notes);
        }
        if let Some(route) = &step.set_mirror_route {
            mirror(&format!("{path}.setMirrorRoute"), route, notes);
        }
        weight = step.set_weight.unwrap_or(weight);
        experiment(&path, weight, canary, step, notes);
    }
}

fn pause(path: &str, step: &CanaryStep, notes: &mut Notes) {
    let Some(duration) = step.pause.as_ref().and_then(|pause| pause.duration.as_ref()) else { return };
    if pause_seconds(duration) == Ok(0) {
        let message = match duration {
            IntOrText::Text(text) if text.contains(|c| matches!(c, '1'..='9')) => {
                "is less than a second: it is rounded down to 0, so there is no pause"
            }
            IntOrText::Text(_) | IntOrText::Int(_) => "is 0: there is no pause",
        };
        notes.warning(format!("{path}.pause.duration"), message, "leave `duration` out to wait for a person");
    }
}

fn canary_scale(path: &str, scale: &SetCanaryScale, notes: &mut Notes) {
    let given = [scale.weight.is_some(), scale.replicas.is_some(), scale.match_traffic_weight == Some(true)];
    let given = given.into_iter().filter(|there| *there).count();
    if given > 1 {
        let message = "sets several fields: matchTrafficWeight takes precedence, then replicas, then weight";
        notes.warning(path, message, "keep one of them");
    }
    if given == 0 {
        notes.warning(
            path,
            "sets nothing: the pods follow the weight",
            "write `weight`, `replicas`, or `matchTrafficWeight: true`",
        );
    }
    if scale.weight.is_some_and(|weight| !(0..=100).contains(&weight)) {
        notes.warning(format!("{path}.weight"), "is not between 0 and 100", "write a share such as 25");
    }
    if scale.replicas.is_some_and(|replicas| replicas < 0) {
        notes.warning(format!("{path}.replicas"), "is below 0", "write a number of pods");
    }
}

fn mirror(path: &str, route: &SetMirrorRoute, notes: &mut Notes) {
    if route.percentage.is_some_and(|share| !(0..=100).contains(&share)) {
        notes.warning(format!("{path}.percentage"), "is not between 0 and 100", "write a share such as 50");
    }
    for (index, request) in route.matches.iter().flatten().enumerate() {
        for (name, value) in request.headers.iter().flatten() {
            if strings::ways(value) != 1 {
                let message = "must have exactly one of exact, regex, prefix: the mesh will refuse it";
                notes.warning(
                    format!("{path}.match[{index}].headers.{name}"),
                    message,
                    "write one of `exact: …`, `prefix: …`, `regex: …`",
                );
            }
        }
    }
}

fn experiment(path: &str, weight: i32, canary: &Canary, step: &CanaryStep, notes: &mut Notes) {
    let Some(experiment) = &step.experiment else { return };
    let duration = experiment.duration.clone().filter(|text| !text.is_empty()).map(IntOrText::Text);
    if duration.is_some_and(|duration| pause_seconds(&duration).is_err()) {
        let path = format!("{path}.experiment.duration");
        notes.warning(path, "is not a duration", "write it as `90s`, `10m` or `1h30m`");
    }
    let weights = experiment.templates.iter().flatten().filter_map(|template| template.weight);
    let sum = weights.map(i64::from).sum::<i64>() + i64::from(weight);
    let max = canary.traffic_routing.as_ref().and_then(|routing| routing.max_traffic_weight).unwrap_or(100);
    if sum > i64::from(max) {
        let message =
            format!("leaves nothing for stable: the weights of canary and experiment are {sum} of {max}");
        notes.warning(format!("{path}.experiment"), message, "reduce their weights");
    }
}
