//! Whether a metric is measured in time, and of the time that it is about.

use super::{Notes, answers::Answers, around::Around, promql::Query, words::span};
use crate::analysis::{Metric, RunRole};
use alloc::format;
use core::time::Duration;

pub(super) fn note(notes: &mut Notes<'_>, answers: &Answers, around: &Around) {
    let metric = notes.metric;
    let delay = metric.initial_delay.unwrap_or_default();
    let beside = around.time().filter(|time| around.role == RunRole::Background && !time.is_zero());
    if let Some(time) = beside {
        let last = needed(metric);
        if delay > time {
            let what = format!("it is never measured: the steps are over after {}", span(time));
            notes.odd("initialDelay", what, "write a shorter delay, or longer pauses");
        } else if let Some(last) = last.filter(|last| *last > time) {
            let what = format!(
                "the run outlasts the steps: its last measurement is due after {}, and they are over after {}",
                span(last),
                span(time)
            );
            let instead =
                "write a smaller `count` or longer pauses, or no `count`: it is then measured to the end";
            notes.odd("count", what, instead);
        }
    }
    if let Some(range) = answers.query().and_then(Query::shortest_range) {
        window(notes, range, around);
    }
}

/// How long the canary has requests when the metric is measured for the last time. If that is shorter than what the
/// query looks back, then every answer is also about the time before.
fn window(notes: &mut Notes<'_>, range: Duration, around: &Around) {
    let measured = match around.role {
        RunRole::Step(_) => last(notes.metric),
        RunRole::Background => around.time().filter(|time| !time.is_zero()),
    };
    let (Some(before), Some(measured)) = (around.before, measured) else { return };
    let age = before.saturating_add(measured);
    if age >= range {
        return;
    }
    let has = if age.is_zero() {
        "it is measured as soon as the canary gets requests".into()
    } else {
        format!("the canary has had requests for {} when it is last measured", span(age))
    };
    let what =
        format!("the query looks back {}, but {has}: each answer is also about the time before", span(range));
    let more = span(range.saturating_sub(age));
    let instead = match around.role {
        RunRole::Step(_) => format!("write a shorter range, or a pause of {more} before the step"),
        RunRole::Background => format!("write a shorter range, or pauses that are {more} longer"),
    };
    notes.odd("provider.prometheus.query", what, instead);
}

/// When the metric is measured for the last time, after its run has begun.
fn last(metric: &Metric) -> Option<Duration> {
    after(metric, metric.count()?)
}

/// When it has measured what it must measure at least, if all is well.
fn needed(metric: &Metric) -> Option<Duration> {
    let limit = u64::try_from(metric.success_limit).ok().filter(|limit| *limit > 0);
    after(metric, limit.or_else(|| metric.count())?)
}

fn after(metric: &Metric, count: u64) -> Option<Duration> {
    let times = u32::try_from(count.saturating_sub(1)).ok()?;
    let measuring = metric.interval.unwrap_or_default().checked_mul(times)?;
    measuring.checked_add(metric.initial_delay.unwrap_or_default())
}
