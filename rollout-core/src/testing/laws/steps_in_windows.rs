use super::{Decision, Findings, Law};
use crate::{Step, pace::Opening, sim::Moment};
use alloc::format;

/// Outside the windows of the strategy no release begins, and no step other than a pause, unless an operator says so.
#[derive(Debug, Default)]
pub(super) struct StepsInWindows;

impl Law for StepsInWindows {
    fn name(&self) -> &'static str {
        "steps_in_windows"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let Some(decision) = Decision::of(moment) else { return };
        let (from, to) = (decision.stored, &decision.plan.status);
        let under_way = to.stable.is_some() && !to.is_done() && to.aborted.is_none() && !to.promote_full;
        if !under_way || decision.spec.windows.opening(decision.now) == Opening::Now {
            return;
        }
        findings.premise();
        let steps = decision.spec.strategy.steps();
        let pauses = |index: u32| {
            let step = usize::try_from(index).ok().and_then(|index| steps.get(index));
            matches!(step, Some(Step::Pause(_)))
        };
        let same = from.canary == to.canary && from.step_hash == to.step_hash;
        // In a fleet, the steps go on after a person's command as soon as the other clusters allow it.
        let passed = to.fleet.as_ref().and_then(|member| member.passed);
        let by_a_person = |index: u32| passed.is_some_and(|passed| passed >= index.saturating_sub(1));
        for index in (from.step + 1..=to.step).filter(|index| same && !pauses(*index) && !by_a_person(*index))
        {
            findings.broken(|| format!("step {index} begins outside the windows {}", decision.spec.windows));
        }
        let begins = decision.workloads().any(|(revision, pods, _)| {
            let before = decision.observed.revision(revision).map_or(0, |seen| seen.wanted);
            Some(revision) == to.canary.as_ref() && before == 0 && pods > 0
        });
        if to.step == 0 && !pauses(0) && begins {
            findings.broken(|| format!("a release begins outside the windows {}", decision.spec.windows));
        }
    }
}
