use super::{desired::Desired, roles::Roles, view::View};
use crate::{
    Status,
    goal::{self, Goal},
};

/// A rollout's position: its status, the observation, and what follows from both.
///
/// Every stage after the steps reads only this.
pub(super) struct Position<'a> {
    pub(super) view: &'a View<'a>,
    pub(super) status: &'a Status,
    pub(super) roles: Roles<'a>,
    /// The strategy's goal at this position, if all resources were available at once.
    pub(super) goal: Goal,
    /// The goal adjusted for emergencies: what to write now.
    pub(super) desired: Desired,
    /// Whether an operator's `proceed` holds for this position and these objects.
    pub(super) overridden: bool,
}

impl<'a> Position<'a> {
    pub(super) fn new(status: &'a Status, view: &'a View<'a>) -> Self {
        let roles = Roles::of(status);
        let is_update = roles.under_way || roles.aborted;
        let goal = if is_update { goal::at(view.spec, status) } else { goal::with_all(view.spec) };
        let desired = Desired::new(status, &roles, goal, view);
        let proceed = view.observed.proceed.as_ref();
        let overridden = proceed.is_some_and(|proceed| proceed.holds(status, &view.seen.version));
        Self { view, status, roles, goal, desired, overridden }
    }
}
