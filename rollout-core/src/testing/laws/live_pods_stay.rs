use super::{Decision, Findings, Law};
use crate::{
    Revision,
    sim::Moment,
    traffic::{Destination, Selection},
};
use alloc::{format, string::ToString};

/// With `pingPong`, an update ends with a swap of the roles, in a decision of its own; and a destination that has a
/// weight never leaves ready pods for those of another revision, as long as stable serves.
#[derive(Debug, Default)]
pub(super) struct LivePodsStay;

impl Law for LivePodsStay {
    fn name(&self) -> &'static str {
        "live_pods_stay"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let Some(decision) = Decision::of(moment).filter(|decision| decision.spec.strategy.ping_pong())
        else {
            return;
        };
        swaps(&decision, findings);
        let (Some(to), Some(seen)) = (decision.select(), decision.traffic()) else { return };
        // What a process decides on an old status is never carried out.
        if decision.stable_unavailable() || *decision.stored != moment.truth.status {
            return;
        }
        for destination in [Destination::Stable, Destination::Canary] {
            let Some(Selection::Revision(new)) = &to[destination] else { continue };
            let old = seen.behind[destination].iter().filter_map(Selection::revision).find(|old| *old != new);
            let serves = |old: &&Revision| {
                // A release at 0 replicas swaps nothing: stable's destination then leads to what was stable before.
                let is_stable =
                    destination == Destination::Canary || decision.stored.stable.as_ref() == Some(old);
                // Where there are no pods, there is nothing to keep.
                is_stable && has_weight(&decision, destination) && decision.ready(old).hi() > 0
            };
            let Some(old) = old.filter(serves) else { continue };
            findings.broken(|| format!("{destination} has a weight and changes from {old} to {new}"));
        }
    }
}

/// Checks the end of an update: the position of the roles is all that changes.
fn swaps(decision: &Decision<'_>, findings: &mut Findings) {
    let (before, after) = (decision.stored, &decision.plan.status);
    let is_commit = before.stable.is_some() && before.stable != after.stable;
    // Without pods, nothing has to be kept.
    if !is_commit || decision.spec.replicas == 0 {
        return;
    }
    findings.premise();
    if after.stable_ping_pong == Some(before.stable_ping_pong.unwrap_or_default()) {
        findings.broken(|| "an update ends without a swap of the roles".to_string());
    }
    if !decision.plan.actions.is_empty() {
        findings.broken(|| "the destinations are written by their old roles when the roles swap".to_string());
    }
}

fn has_weight(decision: &Decision<'_>, destination: Destination) -> bool {
    decision.routes().iter().any(|object| match destination {
        Destination::Stable => object.weight.hi() < decision.total(),
        Destination::Canary => object.weight.lo() > 0,
    })
}
