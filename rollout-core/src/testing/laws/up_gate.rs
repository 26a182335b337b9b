use super::{Decision, Findings, Law};
use crate::{
    Range,
    sim::Moment,
    testing::reading::{Asked, carrying},
    traffic::Destination,
};
use alloc::{format, string::ToString};

/// Before a weight rises or a managed route is added, there are enough pods behind that destination, and selectors and
/// endpoints are settled; weight returns to stable only when stable can carry it. All relative to the plan's
/// observation.
#[derive(Debug, Default)]
pub(super) struct UpGate;

impl Law for UpGate {
    fn name(&self) -> &'static str {
        "up_gate"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let Some(decision) = Decision::of(moment) else { return };
        let (raise, adds) = (decision.raise(), decision.adds_managed());
        if raise.is_some() || adds {
            findings.premise();
            canary_gains(&decision, raise, findings);
        }
        if decision.fall().is_some() {
            findings.premise();
            stable_gains(&decision, findings);
        }
    }
}

fn canary_gains(decision: &Decision<'_>, raise: Option<u32>, findings: &mut Findings) {
    let Some(revision) = decision.leads_to(Destination::Canary) else {
        return findings
            .broken(|| "the canary gains although its destination leads to no one revision".to_string());
    };
    let asked = Asked::routed(decision.spec, &decision.plan.status);
    let emergency = decision.stable_unavailable() && raise == Some(decision.total());
    let enough = if emergency { 1 } else { raise.map_or(1, |weight| asked.enough(decision.spec, weight)) };
    let ready = decision.ready(revision);
    if ready.lo() < enough {
        findings.broken(|| {
            format!("the canary gains with {ready} ready pods of {revision}; {enough} are enough")
        });
    }
    let available = decision.observed.revision(revision).map_or(Range::exact(0), |seen| seen.available);
    if available.lo() < enough && !emergency {
        findings.broken(|| {
            format!("the canary gains with {available} available pods of {revision}; {enough} are enough")
        });
    }
    if !decision.selectors_settled() {
        findings.broken(|| "the canary gains while selectors are not settled".to_string());
    }
    if !decision.endpoints_settled(revision) {
        findings.broken(|| format!("the canary gains while the endpoints of {revision} are not settled"));
    }
}

fn stable_gains(decision: &Decision<'_>, findings: &mut Findings) {
    let stable = decision.ready_behind(Destination::Stable);
    let canary = decision.ready_behind(Destination::Canary);
    let of_stable = decision
        .leads_to(Destination::Canary)
        .is_some_and(|of| decision.plan.status.stable.as_ref() == Some(of));
    if of_stable && canary.hi() > 0 && !decision.is_overridden() {
        if decision.leads_to(Destination::Stable) != decision.plan.status.stable.as_ref() {
            findings.broken(|| {
                "weight returns to stable, which does not lead to the stable revision yet".to_string()
            });
        }
        if !decision.selectors_settled() {
            findings.broken(|| "weight returns to stable while its selector is not settled".to_string());
        }
    }
    if of_stable && decision.leads_to(Destination::Stable) == decision.leads_to(Destination::Canary) {
        // Both lead to the same pods.
        return;
    }
    if decision.spec.strategy.stable_follows_weight() && stable.lo() > 0 {
        // How much it may get is a law of its own.
        return;
    }
    let need = carrying(decision.spec);
    let carries = stable.lo() >= need || (stable.lo() > 0 && stable.lo() >= canary.lo());
    if !carries && !decision.is_overridden() {
        findings.broken(|| {
            format!("weight returns to stable, which has {stable} ready pods; {need}, or the canary's {canary}, would carry it")
        });
    }
}
