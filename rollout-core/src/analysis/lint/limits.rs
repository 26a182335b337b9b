//! Whether a metric can fail at all, and whether it ends.

use super::{Notes, answers::Answers, around::Around};
use crate::analysis::{Kind, RunRole};
use alloc::format;

pub(super) fn note(notes: &mut Notes<'_>, answers: &Answers, around: &Around) {
    let metric = notes.metric;
    let is_number = !matches!(answers, Answers::Verdict(_) | Answers::Value(Kind::Any));
    if metric.success.is_none() && metric.failure.is_none() && is_number {
        let what = "there is no condition: every answer counts as good";
        let example = if matches!(answers, Answers::List(_)) { "result[0]" } else { "result" };
        notes.odd("name", what, format!("write a `successCondition`, such as `{example} >= 0.95`"));
    } else if !metric.dry_run {
        can_fail(notes);
    }
    let ends = metric.count().is_some() || metric.success_limit > 0;
    if matches!(around.role, RunRole::Step(_)) && !ends {
        let what = "the step never ends by itself: the metric is measured again and again, without a `count`";
        notes.odd("interval", what, "write `count: 10` or the like, or move the analysis beside the steps");
    }
}

fn can_fail(notes: &mut Notes<'_>) {
    let metric = notes.metric;
    let Some(count) = metric.count().and_then(|count| i64::try_from(count).ok()) else { return };
    let limit = metric.failure_limit;
    if limit < count {
        return;
    }
    let failures = if limit == 1 { "1 failure is".into() } else { format!("{limit} failures are") };
    let times = if count == 1 { "once".into() } else { format!("{count} times") };
    let what = format!("the metric can never fail: {failures} allowed, and it is measured {times}");
    let most = count.saturating_sub(1);
    let less = if most == 0 { "" } else { " or less" };
    notes.odd("failureLimit", what, format!("write `failureLimit: {most}`{less}"));
}
