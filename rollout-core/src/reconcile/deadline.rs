use super::{
    draft::Draft,
    guard::{Guard, off},
    view::View,
};
use crate::{
    AbortReason, Event, Progress, Range, Revision, Status, Wake, plan::WakeReason, waiting::WaitReason,
};

/// Follows the progress of the pods being waited for; returns whether the update was aborted because they are late.
///
/// The deadline runs neither during a pause nor while anything else is being waited for.
pub(super) fn judge(status: &mut Status, draft: &mut Draft, view: &View<'_>) -> bool {
    let Some((revision, seen)) = waited_for(status, draft).filter(|_| !view.spec.paused) else {
        status.progress = None;
        return false;
    };
    let progress = match status.progress.take() {
        Some(progress) if progress.ready >= seen.lo() => progress,
        _ => Progress::new(view.now, seen.lo()),
    };
    let at = progress.since + view.spec.progress_deadline;
    draft.pods_waited_for_since(progress.since);
    let progress = status.progress.insert(progress);
    if progress.exceeded {
        return false;
    }
    if at > view.now {
        draft.wake_at(Wake::new(at, WakeReason::ProgressDeadline));
        return false;
    }
    progress.exceeded = true;
    draft.happened(Event::ProgressDeadlineExceeded { revision: revision.clone() });
    if status.scaled_to_zero {
        return true;
    }
    let update = under_way(status) && status.canary.as_ref() == Some(&revision);
    // If stable no longer exists, there is nothing to go back to.
    let can_go_back = status.stable.as_ref().is_some_and(|stable| !view.is_gone(stable));
    let is_asked_for = view.spec.progress_deadline_abort || off(Guard::DeadlineAbort);
    if update && can_go_back && is_asked_for {
        status.abort(view.now, AbortReason::ProgressDeadline);
        draft.happened(Event::Aborted { revision, why: AbortReason::ProgressDeadline });
        return true;
    }
    false
}

/// Returns the revision whose pods the rollout is waiting for, if it waits for nothing else.
fn waited_for(status: &Status, draft: &Draft) -> Option<(Revision, Range)> {
    if draft.waiting().is_empty() {
        return None;
    }
    let counts =
        status.paused_at.is_none() && (status.scaled_to_zero || status.stable.is_none() || under_way(status));
    // Proxies, and what an analysis says, take their own time.
    let others = |reason: &WaitReason| {
        matches!(
            reason,
            WaitReason::Settling { .. }
                | WaitReason::GracePeriod { .. }
                | WaitReason::Analysis { .. }
                | WaitReason::AnalysisInconclusive { .. }
                | WaitReason::AnalysisUnanswered { .. }
                | WaitReason::AnalysisBad { .. }
                | WaitReason::RunsUnknown
        )
    };
    if !counts || draft.waiting().iter().any(|waiting| others(&waiting.reason)) {
        return None;
    }
    draft.waiting().iter().find_map(|waiting| {
        let WaitReason::Pods { revision, seen, .. } = &waiting.reason else { return None };
        Some((revision.clone(), *seen))
    })
}

fn under_way(status: &Status) -> bool {
    status.stable.is_some() && !status.is_done() && status.aborted.is_none()
}
