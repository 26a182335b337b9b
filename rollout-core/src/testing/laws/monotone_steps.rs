use super::{Decision, Findings, Law};
use crate::{Step, sim::Moment};
use alloc::format;
use core::time::Duration;

/// No step is skipped or repeated: a step is passed when the observation shows what it asks for, a pause when its time
/// is over or an operator ended it, and nothing goes back. (A command, a new revision and edited steps start elsewhere;
/// a step that an unavailable stable makes impossible counts as reached above its weight.)
#[derive(Debug, Default)]
pub(super) struct MonotoneSteps;

impl Law for MonotoneSteps {
    fn name(&self) -> &'static str {
        "monotone_steps"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let Some(decision) = Decision::of(moment) else { return };
        let (from, to) = (decision.stored, &decision.plan.status);
        let same = from.canary == to.canary && from.step_hash == to.step_hash;
        let under_way = from.stable.is_some() && !from.is_done() && !to.is_done();
        if !same || !under_way || from.promote_full || to.promote_full || from.aborted.is_some() {
            return;
        }
        if to.step < from.step {
            findings.premise();
            findings.broken(|| format!("it goes back from step {} to step {}", from.step, to.step));
        }
        let steps = decision.spec.strategy.steps();
        for (index, step) in (0..).zip(steps).filter(|(index, _)| (from.step..to.step).contains(index)) {
            findings.premise();
            passed(&decision, index, step, findings);
        }
    }
}

fn passed(decision: &Decision<'_>, index: u32, step: &Step, findings: &mut Findings) {
    match step {
        Step::Pause(None) => {
            findings.broken(|| format!("the pause of step {index} ends, and only a person could end it"));
        }
        Step::Pause(Some(lasts)) => {
            let stored = decision.stored.paused_at.filter(|_| decision.stored.step == index);
            let waited = stored.map_or(Duration::ZERO, |since| decision.now.since(since));
            if waited < *lasts {
                findings.broken(|| {
                    format!("the pause of step {index} lasts {lasts:?} and ends after {waited:?}")
                });
            }
        }
        Step::SetWeight(weight) => {
            let stable = decision.stored.stable.as_ref();
            let stable_unavailable = stable.is_none_or(|stable| decision.ready(stable).lo() == 0);
            for object in decision.routes() {
                let (lo, hi) = (object.weight.lo(), object.weight.hi());
                if lo < *weight || hi > *weight && !stable_unavailable {
                    findings.broken(|| {
                        format!("step {index} asks for weight {weight}, and is passed at {}", object.weight)
                    });
                }
            }
        }
        Step::SetCanaryScale(_) | Step::SetHeaderRoute { .. } | Step::SetMirrorRoute { .. } => {}
    }
}
