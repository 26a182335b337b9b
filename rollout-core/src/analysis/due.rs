//! Which metrics are to be measured now, and when to look again.

use super::{
    Phase,
    assess::Ask,
    spec::{Metric, RunSpec},
    status::{MetricResult, RunStatus},
};
use crate::Time;
use alloc::vec::Vec;
use core::time::Duration;

/// The wait after an error, and between measurements without an interval.
const AFTER_ERROR: Duration = Duration::from_secs(10);
/// The shortest wait for the same metric: what is asked again at once would be asked for ever.
pub(super) const SHORTEST: Duration = Duration::from_secs(1);

/// Returns whether the run is ending: somebody asked for it, or a metric has ended badly.
pub(super) fn is_terminating(spec: &RunSpec, status: &RunStatus) -> bool {
    spec.terminate
        || spec.metrics.iter().filter(|metric| !metric.dry_run).any(|metric| {
            let phase = status.metric(&metric.name).map(|result| result.phase);
            matches!(phase, Some(Phase::Failed | Phase::Error | Phase::Inconclusive))
        })
}

/// Returns what to ask now. `first` is the look that starts the run.
pub(crate) fn due(spec: &RunSpec, status: &RunStatus, first: bool, now: Time) -> Vec<Ask> {
    let terminating = is_terminating(spec, status);
    let asks = spec.metrics.iter().filter_map(|metric| {
        let name = metric.name.clone();
        let result = status.metric(&name);
        if result.is_some_and(|result| result.phase.is_done()) {
            return None;
        }
        let newest = result.and_then(MetricResult::newest);
        if let Some(running) = newest.filter(|newest| newest.finished_at.is_none()) {
            let waits = running.resume_at.is_some_and(|at| at > now);
            return match (terminating, waits) {
                (true, _) => Some(Ask::Terminate { metric: name }),
                (false, true) => None,
                (false, false) => Some(Ask::Resume { metric: name }),
            };
        }
        if terminating {
            return None;
        }
        let is_due = match (newest, metric.initial_delay) {
            (None, Some(_)) if first => false,
            _ => next(metric, result, status.started_at).is_some_and(|at| at <= now),
        };
        is_due.then_some(Ask::Measure { metric: name })
    });
    asks.collect()
}

/// Makes a measurement that ended more than an interval in the future, by a wrong clock, one that ended long enough ago.
pub(super) fn without_skew(spec: &RunSpec, status: &RunStatus, now: Time) -> Option<RunStatus> {
    let is_skewed = |metric: &Metric| {
        let newest = status.metric(&metric.name).and_then(MetricResult::newest);
        newest.is_some_and(|newest| {
            newest.finished_at.is_some_and(|end| end > now + wait(metric, newest.phase))
        })
    };
    let mut skewed = spec.metrics.iter().filter(|metric| is_skewed(metric)).peekable();
    skewed.peek()?;
    let mut believed = status.clone();
    for metric in skewed {
        let result = believed.metric_mut(&metric.name);
        if let Some(newest) = result.and_then(|result| result.measurements.last_mut()) {
            newest.finished_at = Some(Time::from_millis(i64::MIN));
        }
    }
    Some(believed)
}

/// Returns when to look at the run again; `None` if nothing more will happen by itself.
pub(crate) fn wake(spec: &RunSpec, status: &RunStatus) -> Option<Time> {
    let times = spec
        .metrics
        .iter()
        .filter_map(|metric| next_of(metric, status.metric(&metric.name), status.started_at));
    times.min()
}

/// Returns when to look at a metric again, if it is not over.
pub(super) fn next_of(metric: &Metric, result: Option<&MetricResult>, started: Option<Time>) -> Option<Time> {
    if result.is_some_and(|result| result.phase.is_done()) {
        return None;
    }
    match result.and_then(MetricResult::newest) {
        Some(newest) if newest.finished_at.is_none() => newest.resume_at,
        _ => next(metric, result, started),
    }
}

/// Returns when a metric that is not being measured is to be measured; `None` if it is counted out.
fn next(metric: &Metric, result: Option<&MetricResult>, started: Option<Time>) -> Option<Time> {
    let Some((result, newest)) = result.and_then(|result| Some((result, result.newest()?))) else {
        let started = started.unwrap_or(Time::from_millis(i64::MIN));
        return Some(metric.initial_delay.map_or(started, |delay| started + delay));
    };
    let counted_out = metric.count().is_some_and(|count| u64::try_from(result.count).unwrap_or(0) >= count);
    if counted_out {
        return None;
    }
    newest.finished_at.map(|finished| finished + wait(metric, newest.phase))
}

/// Returns the wait after a measurement that ended like this.
fn wait(metric: &Metric, phase: Phase) -> Duration {
    match metric.interval {
        Some(interval) if phase != Phase::Error => interval.max(SHORTEST),
        _ => AFTER_ERROR,
    }
}
