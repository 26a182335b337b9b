use super::draft::Draft;
use crate::{Event, Revision, Spec, Status};

/// Adopts the target revision: first, new, superseded, rolled back; or the same with other steps.
pub(super) fn adopt_target(status: &mut Status, draft: &mut Draft, spec: &Spec) {
    let steps = u32::try_from(spec.strategy.steps().len()).unwrap_or(u32::MAX);
    let same = status.canary.as_ref() == Some(&spec.target);
    if !same && (!spec.paused || status.canary.is_none()) {
        let event = aim_at(status, &spec.target, steps);
        status.step_hash = Some(spec.strategy.step_hash.clone());
        let before = status.stable.clone();
        let is_unseen = spec.replicas == 0 && !status.is_done();
        draft.happened(event);
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
        draft.happened(Event::StepsEdited);
    }
}

fn aim_at(status: &mut Status, target: &Revision, steps: u32) -> Event {
    let before = status.canary.replace(target.clone());
    status.restart();
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
