use crate::{Event, Status, Step};
use alloc::vec::Vec;

/// What one command did to a status.
pub(super) fn caused(before: &Status, after: &Status, steps: &[Step]) -> Vec<Event> {
    let mut events = Vec::new();
    let step = usize::try_from(before.step).ok().and_then(|index| steps.get(index));
    let completed = step.filter(|_| after.step == before.step.saturating_add(1));
    // A client of Argo Rollouts that ends a pause has already taken its beginning out of the status.
    let was_paused = before.paused_at.is_some() || matches!(completed, Some(Step::Pause(_)));
    let is_aborted = before.aborted.is_none() && after.aborted.is_some();
    if was_paused && after.paused_at.is_none() && !is_aborted {
        events.push(Event::Resumed);
    }
    if let Some(what) = completed {
        let of = u32::try_from(steps.len()).unwrap_or(u32::MAX);
        events.push(Event::StepCompleted { step: before.step, of, what: what.clone() });
    }
    if let (true, Some(aborted), Some(revision)) = (is_aborted, &after.aborted, &after.canary) {
        events.push(Event::Aborted { revision: revision.clone(), why: aborted.why });
    }
    events
}
