use super::{Decision, Findings, Law};
use crate::{CanaryScale, Step, sim::Moment, testing::reading::Asked};
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
        if from.canary != to.canary && !moved_on(&decision, findings) {
            return;
        }
        let same = from.canary == to.canary && from.step_hash == to.step_hash;
        let under_way = from.stable.is_some() && !from.is_done() && !to.is_done();
        if !same || !under_way || from.promote_full || to.promote_full || from.aborted.is_some() {
            return;
        }
        let attempt = |status: &crate::Status| status.fleet.as_ref().map(|member| member.attempt);
        if to.step < from.step && attempt(from) == attempt(to) {
            findings.premise();
            findings.broken(|| format!("it goes back from step {} to step {}", from.step, to.step));
        }
        let steps = decision.spec.strategy.steps();
        for (index, step) in (0..).zip(steps).filter(|(index, _)| (from.step..to.step).contains(index)) {
            if !ended_before(from, to, index, step) {
                findings.premise();
                passed(&decision, index, step, findings);
            }
        }
        // In a fleet, a pause ends before the next step begins.
        let ended = |status: &crate::Status| status.fleet.as_ref().and_then(|member| member.ended);
        let newly = ended(to).filter(|index| ended(from) != Some(*index) && *index == from.step);
        let step = newly.and_then(|index| steps.get(usize::try_from(index).ok()?));
        if let (Some(index), Some(step)) = (newly, step)
            && !ended_before(from, to, index, step)
        {
            findings.premise();
            passed(&decision, index, step, findings);
        }
    }
}

/// In a fleet, whether a step was over before: a person has ended it, if it is a pause, in any cluster.
fn ended_before(from: &crate::Status, to: &crate::Status, index: u32, step: &Step) -> bool {
    let is_pause = matches!(step, Step::Pause(_));
    let ended = from.fleet.as_ref().is_some_and(|member| member.ended == Some(index));
    let passed = to.fleet.as_ref().and_then(|member| member.passed);
    ended || is_pause && passed.is_some_and(|passed| passed >= index)
}

/// Checks where the release of another revision begins: at the first step, unless it is a rollback within the window.
/// Returns whether there is more to check.
fn moved_on(decision: &Decision<'_>, findings: &mut Findings) -> bool {
    let to = &decision.plan.status;
    let (Some(stable), Some(canary)) = (&to.stable, &to.canary) else { return false };
    if to.is_done() || to.promote_full || decision.stored.stable != to.stable {
        return false;
    }
    findings.premise();
    let number = |of| Some(decision.observed.revision(of)?.number);
    let is_recent = number(canary).zip(number(stable)).is_some_and(|(canary, stable)| {
        let seen = decision.observed.revisions.iter().flatten();
        let between = seen.filter(|seen| (canary + 1..stable).contains(&seen.number)).count();
        canary < stable && u32::try_from(between).is_ok_and(|between| between < decision.spec.rollback_window)
    });
    let steps = decision.spec.strategy.steps();
    let ended = |index: u32, step: &Step| ended_before(decision.stored, to, index, step);
    for (index, step) in (0..to.step).zip(steps).filter(|(index, step)| !is_recent && !ended(*index, step)) {
        if let Step::Pause(_) = step {
            findings.broken(|| format!("a new release skips the pause of step {index}"));
        } else {
            passed(decision, index, step, findings);
        }
    }
    false
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
        // To match the weight, the nearest ratio of pods is meant.
        Step::SetCanaryScale(scale) if !decision.routed() && *scale != CanaryScale::MatchTrafficWeight => {
            scaled(decision, index, findings);
        }
        Step::Analysis(_)
        | Step::SetCanaryScale(_)
        | Step::SetHeaderRoute { .. }
        | Step::SetMirrorRoute { .. } => {}
    }
}

/// Checks the pods of a basic canary: a step that says how many they are is passed when they are available. The pod that
/// stable keeps behind its Service may cost the canary one.
fn scaled(decision: &Decision<'_>, index: u32, findings: &mut Findings) {
    let mut here = decision.plan.status.clone();
    here.step = index;
    let strategy = &decision.spec.strategy;
    let asked = Asked::at(decision.spec, &here).pods(decision.spec).min(decision.spec.replicas);
    let wanted = asked.saturating_sub(u32::from(strategy.stable_service));
    let need = strategy.progress_threshold.map_or(wanted, |threshold| threshold.of(wanted));
    let canary = here.canary.as_ref().and_then(|canary| decision.observed.revision(canary));
    let available = canary.map_or(0, |seen| seen.available.lo());
    if available < need {
        findings.broken(|| {
            format!(
                "step {index} asks for {asked} pods of the canary, and is passed with {available} available"
            )
        });
    }
}
