use super::{Decision, Findings, Law};
use crate::{
    Revision,
    sim::Moment,
    testing::reading::{Asked, carrying},
    traffic::{Destination, Selection, Settled},
};
use alloc::{format, string::ToString};
use core::time::Duration;

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

/// Returns whether no other revision has a pod and the endpoints have been waited for, so that further waiting helps
/// nobody.
fn alone_for_long(decision: &Decision<'_>, revision: &Revision) -> bool {
    let others = decision.observed.revisions.iter().flatten().filter(|seen| seen.revision != *revision);
    let answers = decision.traffic().into_iter().flat_map(|seen| &seen.endpoints);
    let is_late = |answer: &Settled| matches!(answer, Settled::NotYet { since, .. } if decision.now.since(*since) >= Duration::from_secs(30));
    others.clone().all(|seen| seen.wanted == 0 && seen.ready.hi() == 0)
        && answers.clone().any(|(of, answer)| of == revision && is_late(answer))
}

fn moved(decision: &Decision<'_>, destination: Destination, to: &Revision, findings: &mut Findings) {
    let ready = decision.ready(to);
    let enough = match destination {
        Destination::Stable => {
            let old = decision.ready_behind(destination).lo();
            carrying(decision.spec).min(old.max(1))
        }
        Destination::Canary => {
            let weight = decision.traffic().map_or(0, |seen| seen.weight().hi());
            let asked = Asked::at(decision.spec, &decision.plan.status);
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
    if !decision.endpoints_settled(to) && !alone_for_long(decision, to) {
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
