use super::{Decision, Findings, Law};
use crate::{sim::Moment, testing::reading::carrying, traffic::Destination};
use alloc::{format, string::String};

/// How many decisions may see a vanished canary without acting: one detects it, one may still be carrying out something
/// else.
const PATIENCE: u32 = 3;

/// The counterpart of `no_unserved_write`: no weight stays where it is seen to reach no ready pod, while stable could
/// carry it.
#[derive(Debug, Default)]
pub(super) struct NoUnservedWeightKept {
    in_a_row: u32,
}

impl Law for NoUnservedWeightKept {
    fn name(&self) -> &'static str {
        "no_unserved_weight_kept"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let Some(decision) = Decision::of(moment) else { return };
        if !vanished(&decision) {
            self.in_a_row = 0;
            return;
        }
        findings.premise();
        let goes = decision.weight() == Some(0);
        self.in_a_row = if goes { 0 } else { self.in_a_row.saturating_add(1) };
        if self.in_a_row >= PATIENCE {
            findings.broken(|| {
                let weight = decision.traffic().map_or_else(String::new, |seen| format!("{}", seen.weight()));
                format!("{PATIENCE} decisions in a row saw weight {weight} on a canary without a ready pod, and kept it")
            });
        }
    }
}

fn vanished(decision: &Decision<'_>) -> bool {
    let (spec, stored) = (decision.spec, decision.stored);
    let Some(seen) = decision.traffic() else { return false };
    let stable = decision.leads_to(Destination::Stable);
    let canary = decision.leads_to(Destination::Canary);
    let not_scaling_down = |revision| {
        decision.observed.revision(revision).is_some_and(|seen| seen.scale_down_deadline.is_none())
    };
    decision.routed()
        && spec.replicas > 0
        && !stored.scaled_to_zero
        && seen.weight().hi() > 0
        && canary.is_some_and(|revision| {
            decision.ready(revision).hi() == 0 && decision.plan.status.stable.as_ref() != Some(revision)
        })
        && stable.is_some_and(|revision| {
            decision.plan.status.stable.as_ref() == Some(revision)
                && not_scaling_down(revision)
                && decision.ready(revision).lo() >= carrying(spec)
        })
}
