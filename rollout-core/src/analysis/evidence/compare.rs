//! One measurement of a comparison: a window, and what it means.

use super::{Compare, Counters, Evidence, state::State};
use crate::analysis::{Answer, Metric, MetricResult, Phase};
use alloc::{format, string::String, vec::Vec};

/// What all evidence means now.
struct Judged {
    phase: Phase,
    is_last: bool,
    why: String,
}

impl Compare {
    /// Makes one measurement: what was counted since the measurement before is a window. `result` is what was measured
    /// of the metric so far; the answer keeps the evidence in its metadata.
    ///
    /// The first measurement only says where counting begins. If an earlier one had no answer, this window is longer. A
    /// metric with a `count` ends as soon as the canary is certainly good enough; without, it watches on.
    ///
    /// See [`Compare`] for an example.
    #[must_use]
    pub fn measure(&self, metric: &Metric, result: Option<&MetricResult>, counters: &Counters) -> Answer {
        let mut said = Vec::new();
        let state = match State::of(result) {
            Ok(Some(State { mut evidence, counters: before })) => {
                evidence.add(self.comparison(), &counters.since(&before));
                State { evidence, counters: counters.clone().remembering(&before) }
            }
            beginning => {
                said.push(match beginning {
                    Err(_) => "somebody has changed the metadata, so the evidence begins anew".into(),
                    Ok(_) => "the counters are read for the first time: counting begins now".into(),
                });
                State { evidence: Evidence::new(), counters: counters.clone() }
            }
        };
        let measured =
            result.and_then(|result| u64::try_from(result.count).ok()).unwrap_or(0).saturating_add(1);
        let is_over = metric.count().is_some_and(|count| measured >= count);
        let Judged { phase, is_last, why } = self.judged(&state.evidence, metric.count().is_some(), is_over);
        said.extend((!why.is_empty()).then_some(why));
        let share = state.evidence.share(self.comparison());
        let value = format!("{}, evidence {share:.2} of 1", state.evidence.totals.describe());
        Answer::Verdict { phase, value, message: said.join("; "), metadata: state.metadata(), is_last }
    }

    fn judged(&self, evidence: &Evidence, may_end: bool, is_over: bool) -> Judged {
        let comparison = self.comparison();
        let times = comparison.pass_at;
        match evidence.verdict(comparison) {
            Some(Phase::Failed) => {
                let why = format!("the canary is more than {} times as bad as stable", comparison.tolerance);
                Judged { phase: Phase::Failed, is_last: false, why }
            }
            Some(_) if may_end => {
                let why =
                    format!("the canary is less than {times} times as bad as stable, so measuring ends");
                Judged { phase: Phase::Successful, is_last: true, why }
            }
            _ => match evidence.lacks(comparison).filter(|_| is_over) {
                Some(lacks) => {
                    let what = format!("too little was counted to see a canary that is {times} times as bad");
                    let why = format!("{what}: {lacks}; raise `count`, or the canary's weight");
                    Judged { phase: Phase::Inconclusive, is_last: false, why }
                }
                None => Judged { phase: Phase::Successful, is_last: false, why: String::new() },
            },
        }
    }
}
