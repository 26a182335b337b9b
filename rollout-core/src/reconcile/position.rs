use super::{desired::Desired, fleet, roles::Roles, view::View};
use crate::{
    Status,
    goal::{self, Goal},
    traffic::Weight,
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
    /// Whether the current step sends requests to the canary, also if other clusters hold its routes back.
    pub(super) leads: bool,
    /// Whether an operator's `proceed` holds for this position and these objects.
    pub(super) overridden: bool,
}

impl<'a> Position<'a> {
    pub(super) fn new(status: &'a Status, view: &'a View<'a>) -> Self {
        let roles = Roles::of(status);
        let is_update = roles.under_way || roles.aborted;
        let mut goal = if is_update { goal::at(view.spec, status) } else { goal::with_all(view.spec) };
        let leads = !goal.weight.is_none()
            || view.permit().is_some() && !goal::managed_routes(&view.spec.strategy, status).is_empty();
        let before;
        let mut routes = Some(status);
        if fleet::is_held(status, view) {
            before = fleet::routed_before(status);
            routes = before.as_ref();
            let none = Goal { weight: Weight::none(goal.weight.of()), ..goal };
            let kept = routes.map_or(none, |before| goal::at(view.spec, before));
            // Pods for both: for the requests that there are, and for those of the current step.
            goal = Goal {
                weight: kept.weight,
                canary: goal.canary.max(kept.canary).max(u32::from(leads)),
                stable: goal.stable.max(kept.stable),
            };
        }
        let desired = Desired::new(routes, &roles, goal, view);
        let proceed = view.observed.proceed.as_ref();
        let overridden = proceed.is_some_and(|proceed| proceed.holds(status, &view.seen.version));
        Self { view, status, roles, goal, desired, leads, overridden }
    }
}
