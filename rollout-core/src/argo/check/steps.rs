//! Each step on its own, and what steps require.

use super::{experiment, header, mirror, notes::Notes, suggest};
use crate::argo::{
    duration::{InvalidDuration, pause_seconds},
    wire::{Canary, CanaryStep},
};
use alloc::format;
use serde_json::Value;

pub(super) fn check(canary: &Canary, written: &[Value], notes: &mut Notes) {
    let names = header::names(canary);
    for (index, step) in canary.steps.iter().flatten().enumerate() {
        let path = format!("spec.strategy.canary.steps[{index}]");
        kind(&path, step, written.get(index), notes);
        weight(&path, step, canary, notes);
        pause(&path, step, notes);
        if step.set_canary_scale.is_some() && canary.traffic_routing.is_none() {
            notes.warning(
                format!("{path}.setCanaryScale"),
                "needs `trafficRouting` in Argo Rollouts, which refuses this Rollout",
                "leave the step out, or add `trafficRouting`, if Argo Rollouts is to run it, too",
            );
        }
        header::check(&path, step, canary, names.as_ref(), notes);
        mirror::check(&path, step, canary, names.as_ref(), notes);
        experiment::check(&path, step, canary, notes);
    }
}

/// Counts a step's kinds: those that Argo Rollouts counts, and the others.
pub(super) fn kinds(step: &CanaryStep) -> (usize, usize) {
    let counted =
        [step.set_weight.is_some(), step.pause.is_some(), step.experiment.is_some(), step.analysis.is_some()];
    let others = [
        step.set_canary_scale.is_some(),
        step.set_header_route.is_some(),
        step.set_mirror_route.is_some(),
        step.plugin.is_some(),
    ];
    let count = |kinds: [bool; 4]| kinds.into_iter().filter(|there| *there).count();
    (count(counted), count(others))
}

fn kind(path: &str, step: &CanaryStep, written: Option<&Value>, notes: &mut Notes) {
    let (counted, others) = kinds(step);
    if counted > 1 || counted + others == 0 {
        notes.error(
            path,
            "Step must have one of the following set: experiment, setWeight, setCanaryScale, plugin or pause",
            if counted > 1 { suggest::one_each(written) } else { suggest::kind(written) },
        );
    }
}

fn weight(path: &str, step: &CanaryStep, canary: &Canary, notes: &mut Notes) {
    let Some(weight) = step.set_weight else { return };
    let max = canary.traffic_routing.as_ref().and_then(|routing| routing.max_traffic_weight).unwrap_or(100);
    if weight < 0 || weight > max {
        let message = format!("SetWeight needs to be between 0 and {max}");
        notes.error(
            format!("{path}.setWeight"),
            message,
            format!("write a number from 0 to {max}, the canary's share"),
        );
    }
}

fn pause(path: &str, step: &CanaryStep, notes: &mut Notes) {
    let Some(duration) = step.pause.as_ref().and_then(|pause| pause.duration.as_ref()) else { return };
    let Err(error) = pause_seconds(duration) else { return };
    let (message, instead) = match &error {
        InvalidDuration::TooLong(_) => {
            let instead = "write less, or leave `duration` out to wait for a person";
            (format!("Duration {error}"), format!("{error}; {instead}"))
        }
        InvalidDuration::Unreadable(text) => {
            let instead = suggest::duration(text).unwrap_or_else(|| {
                format!("{error}; write seconds, or numbers with the units h, m, s, without spaces")
            });
            ("Duration needs to be greater than 0".into(), instead)
        }
        InvalidDuration::Negative(_) => {
            let instead = "write more, or leave `duration` out to wait for a person";
            ("Duration needs to be greater than 0".into(), format!("{error}; {instead}"))
        }
    };
    notes.error(format!("{path}.pause.duration"), message, instead);
}
