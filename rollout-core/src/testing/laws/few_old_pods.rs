use super::{Decision, Findings, Law};
use crate::{Revision, RevisionSeen, sim::Moment};
use alloc::format;
use core::time::Duration;

/// Of the old revisions, only the newest keep their pods for the delay, at most as many as `scaleDownDelayRevisionLimit`
/// says: a deadline that a plan sets for any other is now.
#[derive(Debug, Default)]
pub(super) struct FewOldPods;

impl Law for FewOldPods {
    fn name(&self) -> &'static str {
        "few_old_pods"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let Some(decision) = Decision::of(moment) else { return };
        let Some(limit) = decision.spec.strategy.scale_down_delay_revision_limit else { return };
        // Without traffic routing there is no delay.
        if !decision.routed() {
            return;
        }
        let status = &decision.plan.status;
        let is_old = |of: &Revision| ![status.stable.as_ref(), status.canary.as_ref()].contains(&Some(of));
        for (revision, pods, deadline) in decision.workloads().filter(|(of, pods, _)| is_old(of) && *pods > 0)
        {
            let (Some(seen), Some(deadline)) = (decision.observed.revision(revision), deadline) else {
                continue;
            };
            let is_newer = |other: &&RevisionSeen| {
                is_old(&other.revision) && other.wanted > 0 && other.number > seen.number
            };
            let newer = decision.observed.revisions.iter().flatten().filter(is_newer).count();
            if u32::try_from(newer).is_ok_and(|newer| newer < limit) {
                continue;
            }
            findings.premise();
            // Deadlines are whole seconds.
            let rest = deadline.since(decision.now);
            if rest > Duration::from_secs(1) {
                findings.broken(|| {
                    format!("{revision} keeps {pods} pods for {rest:?}, and {newer} newer ones have some; {limit} may")
                });
            }
        }
    }
}
