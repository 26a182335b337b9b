use super::{Decision, Findings, Law};
use crate::{sim::Moment, testing::reading::Asked, traffic::Destination};
use alloc::format;

/// The canary gets more than its step asks for only if stable has been unavailable for ten seconds, and the canary
/// already has weight and pods and was neither aborted nor superseded.
#[derive(Debug, Default)]
pub(super) struct FailoverOnlyWhenUnavailable;

impl Law for FailoverOnlyWhenUnavailable {
    fn name(&self) -> &'static str {
        "failover_only_when_unavailable"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let Some(decision) = Decision::of(moment) else { return };
        let status = &decision.plan.status;
        let Some(weight) = decision.raise() else { return };
        if status.stable == status.canary {
            return;
        }
        let asked = Asked::routed(decision.spec, status).weight;
        if weight <= asked {
            return;
        }
        findings.premise();
        let led = decision.leads_to(Destination::Canary);
        let has_weight = decision.traffic().is_some_and(|seen| seen.weight().hi() > 0);
        let pods = led.is_some_and(|revision| decision.ready(revision).lo() > 0);
        let its_own = led.is_some() && led == status.canary.as_ref() && status.aborted.is_none();
        let unavailable = decision.stable_unavailable();
        if !(unavailable && has_weight && pods && its_own) {
            findings.broken(|| {
                format!(
                    "the canary is raised to {weight} where its step asks for {asked}: \
                     stable unavailable for ten seconds: {unavailable}, has weight: {has_weight}, has pods: {pods}, \
                     is the revision under way: {its_own}"
                )
            });
        }
    }
}
