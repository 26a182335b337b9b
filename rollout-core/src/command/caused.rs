use crate::{Event, Status, Step};
use alloc::vec::Vec;

/// Returns the events that one command caused, from the status before and after it.
pub(super) fn caused(before: &Status, after: &Status, steps: &[Step]) -> Vec<Event> {
    let mut events = Vec::new();
    let step = usize::try_from(before.step).ok().and_then(|index| steps.get(index));
    let completed = step.filter(|_| after.step == before.step.saturating_add(1));
    // When a client of Argo Rollouts ends a pause, it has already removed the start of the pause from the status.
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
        events.push(Event::Aborted { revision: revision.clone(), why: aborted.why.clone() });
    }
    events
}
