use super::{
    draft::Draft,
    guard::{Guard, off},
};
use crate::{Event, Observed, Revision, Spec, Status};

/// Adopts the target revision: first, new, superseded, rolled back; or the same with other steps.
pub(super) fn adopt_target(status: &mut Status, draft: &mut Draft, spec: &Spec, observed: &Observed) {
    let steps = u32::try_from(spec.strategy.steps().len()).unwrap_or(u32::MAX);
    let same = status.canary.as_ref() == Some(&spec.target);
    if !same && (!spec.paused || status.canary.is_none()) {
        let Some(skips) = skips_steps(status, spec, observed) else { return };
        let event = aim_at(status, &spec.target, steps);
        status.step_hash = Some(spec.strategy.step_hash.clone());
        if spec.strategy.has_analysis() {
            status.analyse_anew();
        }
        let before = status.stable.clone();
        let is_unseen = spec.replicas == 0 && !status.is_done();
        draft.happened(event);
        if skips && !status.is_done() {
            status.step = steps;
            draft.happened(Event::StepsSkipped { revision: spec.target.clone() });
        }
        if is_unseen {
            // Neither revision needs a pod, so no care is needed.
            status.stable = Some(spec.target.clone());
            rest(status, steps);
            draft.happened(Event::Completed { revision: spec.target.clone(), before });
        }
        return;
    }
    let edited = status.step_hash.as_deref() != Some(spec.strategy.step_hash());
    if edited {
        status.step_hash = Some(spec.strategy.step_hash.clone());
        if spec.strategy.has_analysis() {
            status.analyse_anew();
        }
    }
    if status.is_done() {
        rest(status, steps);
    } else if status.stable.is_none() {
        // The first deploy runs no steps, and there is nothing to go back to.
        let progress = status.progress.take();
        status.restart();
        status.progress = progress;
    } else if edited {
        let (aborted, promote_full) = (status.aborted.take(), status.promote_full);
        status.restart();
        (status.aborted, status.promote_full) = (aborted, promote_full);
        status.begin_release();
        draft.happened(Event::StepsEdited);
    }
}

/// Returns whether the target is older than stable and within the rollback window; `None` while nobody knows which
/// revisions exist.
fn skips_steps(status: &Status, spec: &Spec, observed: &Observed) -> Option<bool> {
    let Some(stable) = status.stable.as_ref().filter(|_| spec.rollback_window > 0) else {
        return Some(false);
    };
    let revisions = observed.revisions.as_ref()?;
    let number = |of: &Revision| revisions.iter().find(|seen| seen.revision == *of).map(|seen| seen.number);
    let (Some(target), Some(stable)) = (number(&spec.target), number(stable)) else { return Some(false) };
    if off(Guard::RollbackWindow) {
        return Some(target < stable);
    }
    let between = revisions.iter().filter(|seen| target < seen.number && seen.number < stable).count();
    Some(target < stable && u32::try_from(between).is_ok_and(|between| between < spec.rollback_window))
}

fn aim_at(status: &mut Status, target: &Revision, steps: u32) -> Event {
    let before = status.canary.replace(target.clone());
    status.restart();
    status.begin_release();
    if status.is_done() {
        rest(status, steps);
        return Event::RolledBack { revision: target.clone() };
    }
    Event::Started {
        revision: target.clone(),
        instead_of: before.filter(|before| status.stable.as_ref() != Some(before)),
    }
}

/// Sets the status of a finished rollout: all steps done, no update in progress, whatever the status contained.
pub(super) fn rest(status: &mut Status, steps: u32) {
    let progress = status.progress.take().filter(|_| status.scaled_to_zero);
    status.restart();
    status.step = steps;
    status.progress = progress;
}
