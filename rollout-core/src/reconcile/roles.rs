use super::guard::{Guard, off};
use crate::{Revision, Status};

/// Which revision plays which part.
pub(super) struct Roles<'a> {
    /// The revision that carries the users' traffic; `None` before the first deploy is done.
    pub(super) stable: Option<&'a Revision>,
    /// The revision that the steps are about.
    pub(super) canary: Option<&'a Revision>,
    /// Whether the steps are under way: the canary is another revision than stable, and was not aborted.
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

    /// The revision that the canary destination should lead to: the canary while its steps are under way,
    /// otherwise stable; `None` before the first deploy is done.
    pub(super) fn lead(&self) -> Option<&'a Revision> {
        let stable = self.stable?;
        if self.under_way { self.canary } else { Some(stable) }
    }
}
