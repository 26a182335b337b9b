use super::{Decision, Findings, Law};
use crate::{Revision, sim::Moment, strategy::Fenceposts, traffic::Settled};
use alloc::format;

/// Without traffic routing, pods move within `maxSurge` and `maxUnavailable`, relative to the plan's observation; pods
/// above that are removed at once. With traffic routing, a revision with a scale-down deadline only shrinks.
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
    for (revision, pods, scale_down_deadline) in decision.workloads() {
        let Some(seen) = decision
            .observed
            .revision(revision)
            .filter(|seen| seen.scale_down_deadline.is_some() && scale_down_deadline.is_some())
        else {
            continue;
        };
        findings.premise();
        if pods > seen.wanted {
            findings.broken(|| {
                format!("{revision} has a scale-down deadline and grows from {} to {pods}", seen.wanted)
            });
        }
    }
}

fn within(decision: &Decision<'_>, findings: &mut Findings) {
    let strategy = &decision.spec.strategy;
    let replicas = decision.spec.replicas;
    let posts = Fenceposts::resolve(replicas, strategy.max_surge, strategy.max_unavailable);
    let Some(seen) = &decision.observed.revisions else { return };
    let after = |of: &Revision, wanted: u32| {
        // A plan may remove a scale-down deadline and then pods: the last write counts.
        decision
            .workloads()
            .filter(|(revision, ..)| *revision == of)
            .last()
            .map_or(wanted, |(_, pods, _)| pods)
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
    overhang_goes(decision, posts, after, new, findings);
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

/// If more pods are seen than allowed (`replicas` was lowered), the next plan that may remove pods removes the surplus.
fn overhang_goes(
    decision: &Decision<'_>,
    posts: Fenceposts,
    after: impl Fn(&Revision, u32) -> u32,
    new: u32,
    findings: &mut Findings,
) {
    let Some(seen) = &decision.observed.revisions else { return };
    let at_most = decision.spec.replicas.saturating_add(posts.surge);
    let wanted: u32 = seen.iter().map(|seen| seen.wanted).sum();
    let has_services = decision.spec.strategy.stable_service || decision.spec.strategy.canary_service;
    let may_take_away = !has_services
        || decision.traffic().is_some_and(|seen| seen.selectors_settled == Settled::Yes)
            && decision.select().is_none();
    let is_counted = seen.iter().all(|seen| seen.available.is_exact());
    if wanted <= at_most || !may_take_away || !is_counted || decision.plan.status.scaled_to_zero {
        return;
    }
    findings.premise();
    let left = seen.iter().map(|seen| after(&seen.revision, seen.wanted)).sum::<u32>().saturating_add(new);
    if left > at_most {
        findings.broken(|| format!("{wanted} pods are seen, {left} stay; at most {at_most} are allowed"));
    }
}
