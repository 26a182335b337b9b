//! The windows of the week in which a release, and each of its steps, may begin.

use super::{
    draft::{Closed, Draft, Gate},
    guard::{Guard, off},
    roles::Roles,
    view::View,
};
use crate::{
    CommandKind, Status, Step, Time, Waiting,
    pace::Opening,
    plan::WakeReason,
    waiting::{EndsBy, WaitReason},
};
use alloc::vec;

/// Checks that the step after the current one may begin.
pub(super) fn next_may_begin(status: &Status, view: &View<'_>) -> Gate {
    open(next_opening(status, view, view.now))
}

/// Returns when the step after the current one may begin, from `from` on. A pause changes nothing for users, so it may
/// begin at any time.
pub(super) fn next_opening(status: &Status, view: &View<'_>, from: Time) -> Opening {
    let next = usize::try_from(status.step).unwrap_or(usize::MAX).saturating_add(1);
    let pauses = matches!(view.spec.strategy.steps().get(next), Some(Step::Pause(_)));
    if pauses || off(Guard::StepWindows) { Opening::Now } else { view.spec.windows.opening(from) }
}

/// Returns the status to plan for while a release that has not begun waits for a window: as if it were not wanted yet.
/// It has begun when its revision has pods.
pub(super) fn before_release(status: &Status, draft: &mut Draft, view: &View<'_>) -> Option<Status> {
    if status.step > 0 || status.promote_full || view.spec.windows.is_always() {
        return None;
    }
    let roles = Roles::of(status);
    roles.canary.filter(|canary| roles.under_way && view.wanted(canary) == 0)?;
    let pauses = matches!(view.spec.strategy.steps().first(), Some(Step::Pause(_)));
    if pauses || off(Guard::StepWindows) || draft.passes(open(view.spec.windows.opening(view.now))) {
        return None;
    }
    let mut before = status.clone();
    before.canary.clone_from(&status.stable);
    Some(before)
}

fn open(opening: Opening) -> Gate {
    match opening {
        Opening::Now => Ok(()),
        Opening::At(at) => Err(Closed::until(WaitReason::OutsideWindows, None, at, WakeReason::WindowOpens)),
        Opening::Never => {
            let ends = EndsBy::Command(vec![CommandKind::Skip, CommandKind::PromoteFull, CommandKind::Abort]);
            Err(Closed { waiting: Waiting::new(WaitReason::OutsideWindows, None, ends), wake: None })
        }
    }
}
