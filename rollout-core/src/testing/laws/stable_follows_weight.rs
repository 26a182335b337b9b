use super::{Decision, Findings, Law};
use crate::{sim::Moment, testing::reading::part, traffic::Destination};
use alloc::format;

/// Where stable follows the weight, its pods are enough for its share: it keeps what the routes send it, and gets no
/// greater share than its ready pods carry, relative to what the plan saw. It always keeps a pod.
#[derive(Debug, Default)]
pub(super) struct StableFollowsWeight;

impl Law for StableFollowsWeight {
    fn name(&self) -> &'static str {
        "stable_follows_weight"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let follows = |decision: &Decision<'_>| decision.spec.strategy.stable_follows_weight();
        let Some(decision) = Decision::of(moment).filter(follows) else { return };
        keeps_its_share(&decision, findings);
        gains_what_it_carries(&decision, findings);
    }
}

fn keeps_its_share(decision: &Decision<'_>, findings: &mut Findings) {
    if decision.spec.replicas == 0 || decision.plan.status.scaled_to_zero {
        return;
    }
    let stable = decision.plan.status.stable.as_ref();
    for (seen, pods) in decision.shrinks().filter(|(seen, _)| Some(&seen.revision) == stable) {
        findings.premise();
        let least = decision.routes().iter().map(|object| object.weight.lo()).min().unwrap_or(0);
        let share = decision.total().saturating_sub(least);
        let need = part(decision.spec.replicas, share, decision.total()).max(1);
        if pods < need {
            findings.broken(|| {
                format!("stable goes from {} to {pods} pods; its share needs {need}", seen.wanted)
            });
        }
    }
}

fn gains_what_it_carries(decision: &Decision<'_>, findings: &mut Findings) {
    let Some(weight) = decision.fall() else { return };
    let (stable, canary) =
        (decision.ready_behind(Destination::Stable), decision.ready_behind(Destination::Canary));
    let leads = |destination| decision.leads_to(destination);
    let same = leads(Destination::Canary).is_some_and(|of| {
        Some(of) == decision.plan.status.stable.as_ref() && leads(Destination::Stable) == Some(of)
    });
    // Nobody is better off with a canary that has no pod.
    if same || decision.is_overridden() || canary.hi() == 0 {
        return;
    }
    findings.premise();
    let share = decision.total().saturating_sub(weight);
    let need = part(decision.spec.replicas, share, decision.total());
    if stable.lo() < need {
        findings.broken(|| format!("stable gets {share} parts with {stable} ready pods; they need {need}"));
    }
}
