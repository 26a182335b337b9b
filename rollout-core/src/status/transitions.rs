//! The transitions of a status from one position to another.

use crate::{AbortReason, Aborted, Status, Step, Time};

impl Status {
    /// Returns whether none of `steps` is current any more: all are done, or the rest is skipped.
    pub(crate) fn is_past(&self, steps: &[Step]) -> bool {
        self.promote_full || usize::try_from(self.step).unwrap_or(usize::MAX) >= steps.len()
    }

    /// Returns whether only other clusters are waited for: a person, or the time of a pause, has ended the current step.
    pub(crate) fn has_ended_step(&self) -> bool {
        self.fleet.as_ref().is_some_and(|member| member.ended == Some(self.step))
    }

    /// Advances to the next step.
    pub(crate) fn next_step(&mut self) {
        self.step = self.step.saturating_add(1);
        self.paused_at = None;
        self.progress = None;
    }

    /// Restarts the steps.
    pub(crate) fn restart(&mut self) {
        self.step = 0;
        self.paused_at = None;
        self.aborted = None;
        self.promote_full = false;
        self.progress = None;
    }

    /// Begins another release, if there are other clusters.
    pub(crate) fn begin_release(&mut self) {
        if let Some(member) = &mut self.fleet {
            member.begin(member.attempt.next_release());
        }
    }

    /// Begins a retry of the release, if there are other clusters.
    pub(crate) fn begin_retry(&mut self) {
        if let Some(member) = &mut self.fleet {
            member.begin(member.attempt.next_retry());
        }
    }

    /// Begins all analyses anew.
    pub(crate) fn analyse_anew(&mut self) {
        self.attempts.step = self.attempts.step.saturating_add(1);
        self.attempts.background = self.attempts.background.saturating_add(1);
    }

    /// Aborts the update.
    pub(crate) fn abort(&mut self, now: Time, why: AbortReason) {
        self.aborted = Some(Aborted::new(now, why).into());
        self.paused_at = None;
        self.promote_full = false;
        self.progress = None;
    }
}
