use super::{Decision, Findings, Law};
use crate::sim::Moment;
use alloc::string::ToString;

/// A failed read may hold the rollout back, but never advances it.
#[derive(Debug, Default)]
pub(super) struct UnknownHolds;

impl Law for UnknownHolds {
    fn name(&self) -> &'static str {
        "unknown_holds"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let Some(decision) = Decision::of(moment) else { return };
        // Without traffic routing, no decision depends on traffic.
        let traffic = decision.traffic().is_some() || !decision.routed();
        if traffic && decision.observed.revisions.is_some() {
            return;
        }
        findings.premise();
        if decision.plan.actions.iter().any(crate::Action::is_traffic) {
            findings.broken(|| "traffic is written, and not everything could be read".to_string());
        }
        if decision.spec.replicas > 0 && decision.shrinks().next().is_some() {
            findings.broken(|| "pods are removed, and not everything could be read".to_string());
        }
        let (stored, next) = (decision.stored, &decision.plan.status);
        let same = stored.canary == next.canary && stored.step_hash == next.step_hash;
        let waits = stored.paused_at.is_some();
        if same && next.step > stored.step && !waits {
            findings.broken(|| "a step is passed, and not everything could be read".to_string());
        }
    }
}
