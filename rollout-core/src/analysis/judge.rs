//! What the measurements of a run are worth.

use super::{
    Phase,
    due::is_terminating,
    spec::{Metric, RunSpec},
    status::{MetricResult, RunStatus, Summary},
};
use crate::Time;
use alloc::{format, string::String};

/// Judges every metric, and then the run.
pub(super) fn judge(spec: &RunSpec, status: &mut RunStatus, now: Time) {
    let terminating = is_terminating(spec, status);
    let (mut all_done, mut worst, mut message) = (true, None, String::new());
    let mut summaries = [Summary::default(), Summary::default()];
    let mut dry_run_done = false;
    for metric in &spec.metrics {
        let [run, dry] = &mut summaries;
        let summary = if metric.dry_run { dry } else { run };
        summary.count = summary.count.saturating_add(1);
        let Some(result) = status.metric_mut(&metric.name) else {
            all_done = false;
            continue;
        };
        let phase = of_metric(metric, result, terminating);
        if result.phase != phase {
            result.phase = phase;
            result.message = result.newest().map(|newest| newest.message.clone()).unwrap_or_default();
        }
        if !phase.is_done() {
            all_done = false;
            continue;
        }
        let broken = over_a_limit(metric, result);
        let ended = match broken {
            Some((Phase::Failed, _)) => &mut summary.failed,
            Some((Phase::Inconclusive, _)) => &mut summary.inconclusive,
            Some(_) => &mut summary.error,
            None => &mut summary.successful,
        };
        *ended = ended.saturating_add(1);
        if metric.dry_run {
            dry_run_done = true;
            if let Some((_, limit)) = broken {
                result.message = format!("Metric assessed {phase} due to {limit}");
            }
        } else if worst.is_none_or(|worst| badness(phase) > badness(worst)) {
            worst = Some(phase);
            if let Some((_, limit)) = broken {
                let said = result.message.as_str();
                let said =
                    if said.is_empty() { String::new() } else { format!(": \"Error Message: {said}\"") };
                message = format!("Metric \"{}\" assessed {phase} due to {limit}{said}", metric.name);
            }
        }
    }
    let [run, dry] = summaries;
    (status.run_summary, status.dry_run_summary) = (run, dry);
    let worst = worst.or(dry_run_done.then_some(Phase::Successful));
    let phase = match worst {
        _ if terminating => worst.unwrap_or(Phase::Successful),
        Some(worst) if all_done => worst,
        _ => Phase::Running,
    };
    if phase != status.phase {
        status.phase = phase;
        status.message = if phase == Phase::Running {
            String::new()
        } else if message.is_empty() && spec.terminate {
            "Run Terminated".into()
        } else {
            message
        };
    }
    if phase.is_done() && status.completed_at.is_none() {
        status.completed_at = Some(Time::from_secs(now.as_secs()));
    }
}

/// The phase of one metric: the first rule that applies.
fn of_metric(metric: &Metric, result: &MetricResult, terminating: bool) -> Phase {
    if result.phase.is_done() {
        return result.phase;
    }
    let Some(newest) = result.newest() else {
        return if terminating { Phase::Successful } else { Phase::Pending };
    };
    if newest.finished_at.is_none() {
        return Phase::Running;
    }
    if let Some((phase, _)) = over_a_limit(metric, result) {
        return phase;
    }
    let in_a_row = metric.success_limit > 0;
    if in_a_row && result.consecutive_success >= metric.success_limit {
        return Phase::Successful;
    }
    let counted_out = metric.count().is_some_and(|count| u64::try_from(result.count).unwrap_or(0) >= count);
    match (counted_out, in_a_row) {
        (true, true) if metric.failure_limit >= 0 => Phase::Inconclusive,
        (true, true) => Phase::Failed,
        (true, false) => Phase::Successful,
        (false, _) if terminating => Phase::Successful,
        (false, _) => Phase::Running,
    }
}

/// Returns which limit a metric is over, and by how much. If several, the last one counts.
fn over_a_limit(metric: &Metric, result: &MetricResult) -> Option<(Phase, String)> {
    let mut over = None;
    let mut check = |phase, name: &str, count: i64, limit_name: &str, limit: i64| {
        if count > limit {
            over = Some((phase, format!("{name} ({count}) > {limit_name} ({limit})")));
        }
    };
    if metric.failure_limit >= 0 {
        check(Phase::Failed, "failed", result.failed, "failureLimit", metric.failure_limit);
    }
    let inconclusive = (result.inconclusive, metric.inconclusive_limit);
    check(Phase::Inconclusive, "inconclusive", inconclusive.0, "inconclusiveLimit", inconclusive.1);
    let errors = (result.consecutive_error, metric.error_limit);
    check(Phase::Error, "consecutiveErrors", errors.0, "consecutiveErrorLimit", errors.1);
    over
}

fn badness(phase: Phase) -> u8 {
    match phase {
        Phase::Failed => 3,
        Phase::Error => 2,
        Phase::Inconclusive => 1,
        Phase::Successful | Phase::Pending | Phase::Running => 0,
    }
}
