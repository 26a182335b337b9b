use super::{Decision, Findings, Law};
use crate::{Fenceposts, Revision, sim::Moment};
use alloc::format;

/// Without traffic routing, pods move within `maxSurge` and `maxUnavailable`, relative to what the plan saw.
/// With it, a marked revision only shrinks.
#[derive(Debug, Default)]
pub(super) struct Capacity;

impl Law for Capacity {
    fn name(&self) -> &'static str {
        "capacity"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let Some(decision) = Decision::of(moment) else { return };
        if decision.routed() {
            marked_only_shrink(&decision, findings);
        } else if decision.spec.replicas > 0 && decision.plan.status.stable.is_some() {
            within(&decision, findings);
        }
    }
}

fn marked_only_shrink(decision: &Decision<'_>, findings: &mut Findings) {
    for (revision, pods, mark) in decision.workloads() {
        let Some(seen) =
            decision.observed.revision(revision).filter(|seen| seen.mark.is_some() && mark.is_some())
        else {
            continue;
        };
        findings.premise();
        if pods > seen.wanted {
            findings.broken(|| format!("{revision} bears the mark and grows from {} to {pods}", seen.wanted));
        }
    }
}

fn within(decision: &Decision<'_>, findings: &mut Findings) {
    let strategy = &decision.spec.strategy;
    let replicas = decision.spec.replicas;
    let posts = Fenceposts::resolve(replicas, strategy.max_surge, strategy.max_unavailable);
    let Some(seen) = &decision.observed.revisions else { return };
    let after = |of: &Revision, wanted: u32| {
        decision.workloads().find(|(revision, ..)| *revision == of).map_or(wanted, |(_, pods, _)| pods)
    };
    let grows = decision
        .workloads()
        .any(|(revision, pods, _)| pods > decision.observed.revision(revision).map_or(0, |seen| seen.wanted));
    let new: u32 = decision
        .workloads()
        .filter(|(revision, ..)| decision.observed.revision(revision).is_none())
        .map(|(_, pods, _)| pods)
        .sum();
    if grows {
        findings.premise();
        let total =
            seen.iter().map(|seen| after(&seen.revision, seen.wanted)).sum::<u32>().saturating_add(new);
        let at_most = replicas.saturating_add(posts.surge);
        if total > at_most {
            findings.broken(|| format!("pods are added up to {total}; at most {at_most} are allowed"));
        }
    }
    let removes_available = decision.shrinks().any(|(seen, pods)| pods < seen.available.lo());
    if removes_available {
        findings.premise();
        let left: u32 =
            seen.iter().map(|seen| seen.available.lo().min(after(&seen.revision, seen.wanted))).sum();
        let at_least = replicas.saturating_sub(posts.unavailable);
        if left < at_least {
            findings.broken(|| {
                format!("available pods are removed down to {left}; at least {at_least} are to stay")
            });
        }
    }
}
