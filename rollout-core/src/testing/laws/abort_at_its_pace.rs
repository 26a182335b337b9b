use super::{Decision, Findings, Law};
use crate::{Step, sim::Moment, traffic::Destination};
use alloc::format;

/// While an abort is gradual, the canary keeps at least the weight that is not due yet: in each fall, what it had at its
/// step less one share for each time that has passed since the abort, and one at once.
#[derive(Debug, Default)]
pub(super) struct AbortAtItsPace;

impl Law for AbortAtItsPace {
    fn name(&self) -> &'static str {
        "abort_at_its_pace"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let Some(decision) = Decision::of(moment) else { return };
        let status = &decision.plan.status;
        let (Some(gradual), Some(aborted), Some(canary), Some(weight)) =
            (decision.spec.gradual_abort, &status.aborted, &status.canary, decision.fall())
        else {
            return;
        };
        let serves =
            decision.leads_to(Destination::Canary) == Some(canary) && decision.ready(canary).lo() > 0;
        if !serves || decision.is_overridden() {
            return;
        }
        findings.premise();
        let steps = decision.spec.strategy.steps().iter().take(status.step as usize + 1);
        let is_past = status.step as usize >= decision.spec.strategy.steps().len();
        let set =
            steps.filter_map(|step| if let Step::SetWeight(weight) = step { Some(*weight) } else { None });
        let before = if is_past { decision.total() } else { set.fold(0, |_, weight| weight) };
        let falls = 1 + decision.now.since(aborted.at).as_secs() / gradual.every.as_secs();
        let share = u64::from(gradual.percent * decision.total()).div_ceil(100);
        let keeps = u64::from(before).saturating_sub(falls.saturating_mul(share));
        let least = decision.routes().iter().map(|object| object.weight.lo()).min().unwrap_or(0);
        if u64::from(weight) < keeps.min(least.into()) {
            findings.broken(|| format!("the canary falls to {weight}, and {keeps} is not due yet"));
        }
    }
}
