use super::guard::{Guard, off};
use crate::{Revision, Status};

/// The revisions by role.
pub(super) struct Roles<'a> {
    /// The revision that carries the users' traffic; `None` until the first deploy is done.
    pub(super) stable: Option<&'a Revision>,
    /// The revision that the steps roll out.
    pub(super) canary: Option<&'a Revision>,
    /// Whether the steps are in progress: the canary is not stable and was not aborted.
    pub(super) under_way: bool,
    /// Whether the canary was aborted.
    pub(super) aborted: bool,
}

impl<'a> Roles<'a> {
    pub(super) fn of(status: &'a Status) -> Self {
        let (stable, canary) = (status.stable.as_ref(), status.canary.as_ref());
        let update = stable.zip(canary).is_some_and(|(stable, canary)| stable != canary);
        let aborted = update && status.aborted.is_some();
        let given_up = aborted && !off(Guard::AbortedRises);
        Self { stable, canary, under_way: update && !given_up, aborted }
    }

    /// Returns the revision that the canary destination should lead to: the canary while its steps are in progress,
    /// otherwise stable; `None` until the first deploy is done.
    pub(super) fn lead(&self) -> Option<&'a Revision> {
        let stable = self.stable?;
        if self.under_way { self.canary } else { Some(stable) }
    }
}
