//! Lints outside the steps: accepted by Argo Rollouts, almost certainly a mistake.

use super::{lint_steps, notes::Notes};
use crate::argo::wire::{Canary, IntOrText, RolloutSpec};
use alloc::{collections::BTreeSet, format};

pub(super) fn check(spec: &RolloutSpec, notes: &mut Notes) {
    if spec.rollback_window.as_ref().and_then(|window| window.revisions).is_some_and(|count| count < 0) {
        notes.warning(
            "spec.rollbackWindow.revisions",
            "is below 0",
            "write how many revisions back the steps are skipped",
        );
    }
    let Some(canary) = spec.strategy.as_ref().and_then(|strategy| strategy.canary.as_ref()) else { return };
    pods(canary, notes);
    delays(canary, spec.revision_history_limit.unwrap_or(10), notes);
    threshold(canary, notes);
    let steps = canary.steps.as_deref().unwrap_or_default().len();
    let start = canary.analysis.as_ref().and_then(|analysis| analysis.starting_step);
    if start.is_some_and(|start| usize::try_from(start).map_or(true, |start| start > steps)) {
        let message = format!("names a step that does not exist: there are {steps}");
        notes.warning("spec.strategy.canary.analysis.startingStep", message, "count from 0");
    }
    let mut names = BTreeSet::new();
    let managed = canary.traffic_routing.as_ref().and_then(|routing| routing.managed_routes.as_ref());
    for (index, route) in managed.into_iter().flatten().enumerate() {
        if !names.insert(route.name.as_deref().unwrap_or_default()) {
            let path = format!("spec.strategy.canary.trafficRouting.managedRoutes[{index}].name");
            notes.warning(path, "is listed twice: only the first entry counts", "keep one of them");
        }
    }
    lint_steps::check(canary, notes);
}

fn pods(canary: &Canary, notes: &mut Notes) {
    let limits = [
        ("spec.strategy.canary.maxSurge", &canary.max_surge),
        ("spec.strategy.canary.maxUnavailable", &canary.max_unavailable),
    ];
    for (path, value) in limits {
        if canary.traffic_routing.is_some() && value.is_some() {
            let message =
                "is not used with trafficRouting: all canary pods that the weight needs are created at once";
            notes.warning(path, message, "leave it out; setCanaryScale says how many pods the canary gets");
            continue;
        }
        match value {
            Some(IntOrText::Int(pods)) if *pods < 0 => {
                notes.warning(
                    path,
                    "is below 0: it counts as 0",
                    "write a number of pods, or a share such as 25%",
                );
            }
            Some(IntOrText::Text(text)) => share(path, text, notes),
            Some(IntOrText::Int(_)) | None => {}
        }
    }
    if canary.min_pods_per_replica_set.is_some_and(|pods| pods < 1) {
        let path = "spec.strategy.canary.minPodsPerReplicaSet";
        notes.warning(path, "is below 1: it has no effect", "write 1 or more, or leave it out");
    }
}

fn share(path: &str, text: &str, notes: &mut Notes) {
    match text.strip_suffix('%').unwrap_or(text).parse::<i64>() {
        Err(_) => notes.warning(
            path,
            "is not a number: it counts as 0",
            "write a number of pods, or a share such as 25%",
        ),
        Ok(share) if !(0..=100).contains(&share) => {
            notes.warning(path, "is not between 0% and 100%", "write a share such as 25%");
        }
        Ok(_) if !text.ends_with('%') => {
            let message = format!("is in quotes, so it means {text} per cent");
            notes.warning(path, message, format!("write {text} for pods, or {text}% for a share"));
        }
        Ok(_) => {}
    }
}

fn delays(canary: &Canary, history: i32, notes: &mut Notes) {
    let delays = [
        ("spec.strategy.canary.scaleDownDelaySeconds", canary.scale_down_delay_seconds),
        ("spec.strategy.canary.abortScaleDownDelaySeconds", canary.abort_scale_down_delay_seconds),
        ("spec.strategy.canary.scaleDownDelayRevisionLimit", canary.scale_down_delay_revision_limit),
    ];
    for (path, value) in delays {
        if value.is_some_and(|value| value < 0) {
            notes.warning(path, "is below 0: there is no delay", "write 0 or more");
        }
    }
    if canary.scale_down_delay_revision_limit.is_some_and(|limit| limit > history) {
        let message = format!("is more than the {history} revisions that are kept (revisionHistoryLimit)");
        notes.warning(
            "spec.strategy.canary.scaleDownDelayRevisionLimit",
            message,
            format!("write at most {history}"),
        );
    }
}

fn threshold(canary: &Canary, notes: &mut Notes) {
    let Some(threshold) = &canary.replica_progress_threshold else { return };
    let path = "spec.strategy.canary.replicaProgressThreshold";
    let value = threshold.value.unwrap_or(0);
    match threshold.kind.as_deref().unwrap_or_default() {
        "Percent" if !(0..=100).contains(&value) => {
            notes.warning(format!("{path}.value"), "is not between 0 and 100", "write a share such as 90");
        }
        "Pods" if value < 0 => notes.warning(format!("{path}.value"), "is below 0", "write a number of pods"),
        "Percent" | "Pods" => {}
        _ => notes.warning(
            format!("{path}.type"),
            "is neither Percent nor Pods: the rollout waits for all pods",
            "write Percent or Pods",
        ),
    }
}
