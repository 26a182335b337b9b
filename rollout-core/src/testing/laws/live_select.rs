use super::{Decision, Findings, Law};
use crate::{
    Revision,
    sim::Moment,
    testing::reading::{Asked, carrying, part},
    traffic::{Destination, Selection},
};
use alloc::{format, string::ToString};

/// A destination that requests may reach is pointed only at enough ready pods whose endpoints are settled, and the
/// canary's only when the routes are settled too; relative to the plan's observation.
#[derive(Debug, Default)]
pub(super) struct LiveSelectNeedsCapacity;

impl Law for LiveSelectNeedsCapacity {
    fn name(&self) -> &'static str {
        "live_select_needs_capacity"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let Some(decision) = Decision::of(moment) else { return };
        let (Some(to), Some(seen)) = (decision.select(), decision.traffic()) else { return };
        for destination in [Destination::Stable, Destination::Canary] {
            let Some(new) = &to[destination] else { continue };
            let moves = seen.behind[destination].iter().any(|old| old != new);
            if !moves || !decision.used(destination) {
                continue;
            }
            findings.premise();
            match new {
                Selection::Unpinned => findings.broken(|| {
                    format!(
                        "{destination} is in use and is pointed at whatever the user's own selector matches"
                    )
                }),
                Selection::Revision(revision) => moved(&decision, destination, revision, findings),
            }
        }
    }
}

fn moved(decision: &Decision<'_>, destination: Destination, to: &Revision, findings: &mut Findings) {
    let ready = decision.ready(to);
    let enough = match destination {
        Destination::Stable => {
            let old = decision.ready_behind(destination).lo();
            carrying(decision.spec).min(old.max(1)).min(share(decision))
        }
        Destination::Canary => {
            let weight = decision.traffic().map_or(0, |seen| seen.weight().hi());
            let asked = Asked::routed(decision.spec, &decision.plan.status);
            let stable = decision.plan.status.stable.as_ref() == Some(to);
            if stable { 1 } else { asked.enough(decision.spec, weight) }
        }
    };
    if ready.lo() < enough {
        findings.broken(|| {
            format!(
                "{destination} is in use and is pointed at {to} with {ready} ready pods; {enough} are enough"
            )
        });
    }
    if !decision.endpoints_settled(to) && !decision.alone_for_long(to) {
        findings.broken(|| {
            format!("{destination} is in use and is pointed at {to}, whose endpoints are not settled")
        });
    }
    if destination == Destination::Canary && !decision.routes_settled() {
        findings.broken(|| {
            "canary is in use and is pointed elsewhere while the routes are not settled".to_string()
        });
    }
}

/// What stable needs for the share that it has: a limit only where it follows the weight.
fn share(decision: &Decision<'_>) -> u32 {
    if !decision.spec.strategy.stable_follows_weight() {
        return u32::MAX;
    }
    let least = decision.routes().iter().map(|object| object.weight.lo()).min().unwrap_or(0);
    part(decision.spec.replicas, decision.total().saturating_sub(least), decision.total()).max(1)
}
