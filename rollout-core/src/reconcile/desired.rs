use super::{
    draft::{Closed, Gate},
    roles::Roles,
    stable_scale::stable_pods,
    view::View,
};
use crate::{
    Range, Revision, Status,
    goal::{self, Goal},
    traffic::{ManagedRoute, RoutesSeen, Selection, Weight},
    waiting::{Ending, WaitReason},
};
use alloc::{sync::Arc, vec::Vec};

/// The desired state at a position: its goal, adjusted for emergencies.
pub(super) struct Desired {
    /// The canary's weight.
    pub(super) weight: Weight,
    /// All managed routes.
    pub(super) managed: Vec<Arc<ManagedRoute>>,
    /// The minimum number of the canary's pods.
    pub(super) canary: u32,
    /// The number of stable's pods.
    pub(super) stable: u32,
    /// The revision that the current routes lead to, or were written for, if it is not the one that they should serve.
    /// Such routes go to 0 first.
    pub(super) stale_owner: Option<Revision>,
    /// Whether the canary takes all traffic because stable is unavailable.
    pub(super) failover: bool,
    /// Whether all the canary's pods are gone: the steps hold until they are back.
    pub(super) vanished: bool,
}

impl Desired {
    /// The routes are those of `routes`, a position; `None` for those before the first step.
    pub(super) fn new(routes: Option<&Status>, roles: &Roles<'_>, goal: Goal, view: &View<'_>) -> Self {
        let mut desired = Self::routes(routes, roles, goal.weight, view);
        let serves_canary = roles.under_way && !desired.vanished && desired.stale_owner.is_none();
        desired.stable = stable_pods(serves_canary, goal, view);
        desired.canary = desired.canary_pods(roles, goal, view);
        desired
    }

    fn routes(status: Option<&Status>, roles: &Roles<'_>, weight: Weight, view: &View<'_>) -> Self {
        let nothing = Self {
            weight: Weight::none(weight.of()),
            managed: Vec::new(),
            canary: 0,
            stable: 0,
            stale_owner: None,
            failover: false,
            vanished: false,
        };
        let Some(lead) = roles.lead() else { return nothing };
        let strategy = &view.spec.strategy;
        let wanted = || status.map(|status| goal::managed_routes(strategy, status)).unwrap_or_default();
        if failover(lead, roles, view) {
            let weight = Weight::all(weight.of());
            let managed = kept(wanted(), view);
            let managed = Self::last_managed(managed, status, weight, view);
            return Self { weight, managed, failover: true, ..nothing };
        }
        let stale_owner = other_revision(lead, view).cloned();
        if !roles.under_way || stale_owner.is_some() {
            return Self { stale_owner, ..nothing };
        }
        let mut managed = wanted();
        if status.is_some_and(|status| status.is_past(strategy.steps())) {
            // Past the steps nothing more is added: all traffic follows.
            managed = Self::last_managed(kept(managed, view), status, weight, view);
        }
        let leads =
            view.seen.weight().hi() > 0 || view.seen.routes.iter().any(|object| !object.managed.is_empty());
        if leads && view.ready(lead).hi() == 0 && view.canary_leads_to(lead) {
            managed.retain(|route| !route.is_mirror());
            return Self { managed, vanished: true, ..nothing };
        }
        Self { weight, managed, ..nothing }
    }

    /// Before two destinations swap their roles, no managed route may lead to one of them. With all the weight, none is
    /// needed any more.
    fn last_managed(
        managed: Vec<Arc<ManagedRoute>>,
        status: Option<&Status>,
        weight: Weight,
        view: &View<'_>,
    ) -> Vec<Arc<ManagedRoute>> {
        let strategy = &view.spec.strategy;
        let swaps = strategy.ping_pong() && status.is_some_and(|status| status.is_past(strategy.steps()));
        if swaps && view.seen.weight() == Range::exact(weight.parts()) { Vec::new() } else { managed }
    }

    /// A position that sends requests to the canary needs at least one pod, whatever the strategy says. If stable is
    /// unavailable while weight is shifting, the canary may have to take all traffic.
    fn canary_pods(&self, roles: &Roles<'_>, goal: Goal, view: &View<'_>) -> u32 {
        let Some(stable) = roles.stable else { return view.spec.replicas };
        let pods = if self.is_idle() { goal.canary } else { goal.canary.max(1) };
        let takes_all = view.seen.weight().hi() > 0 && view.is_unavailable(stable);
        if takes_all { pods.max(view.spec.replicas) } else { pods }
    }

    /// Returns whether no request should go to the canary, by weight or by a managed route.
    pub(super) fn is_idle(&self) -> bool {
        self.weight.is_none() && self.managed.is_empty()
    }

    /// Checks that the objects contain this state; the gate names what differs.
    pub(super) fn is_written(&self, roles: &Roles<'_>, view: &View<'_>) -> Gate {
        let held = |reason| Err(Closed::new(reason, Ending::Observed));
        let Some(lead) = roles.lead() else { return held(WaitReason::CarryingOut) };
        if self.vanished {
            let reason = WaitReason::Pods { revision: lead.clone(), need: 1, seen: view.ready(lead) };
            return Err(Closed::new(reason, Ending::PodsReady));
        }
        if let Some(revision) = self.stale_owner.clone() {
            return held(WaitReason::RoutesOfAnother { revision });
        }
        let weight = view.seen.weight();
        let leads = self.is_idle() || view.canary_leads_to(lead);
        let written = weight == Range::exact(self.weight.parts());
        if written && leads && view.seen.routes.iter().all(|object| self.has_managed(object)) {
            return Ok(());
        }
        if view.seen.routes.is_empty() {
            return Err(Closed::new(WaitReason::NoRoutes, Ending::RouteThere));
        }
        held(WaitReason::CarryingOut)
    }

    /// Returns whether an object has exactly the wanted managed routes, in order.
    pub(super) fn has_managed(&self, object: &RoutesSeen) -> bool {
        !object.takes_managed
            || object.in_order
                && object.managed.len() == self.managed.len()
                && object
                    .managed
                    .iter()
                    .zip(&self.managed)
                    .all(|(seen, wanted)| seen.route.as_ref() == Some(wanted))
    }

    /// Returns whether an object has a managed route that must be removed.
    pub(super) fn has_more(&self, object: &RoutesSeen) -> bool {
        object.managed.iter().any(|seen| self.managed.iter().all(|wanted| wanted.name != seen.name))
    }
}

/// Returns the revision that the routes lead to, or were written for, if it is not the one that they should serve. An
/// object at weight 0 without managed routes has no owner.
fn other_revision<'v>(lead: &Revision, view: &View<'v>) -> Option<&'v Revision> {
    let behind = view.seen.behind.canary.iter().filter_map(Selection::revision);
    let wrong = behind.clone().find(|revision| *revision != lead);
    view.seen.routes.iter().filter(|object| object.leads_to_canary()).find_map(|object| {
        let owner = object.written_for.as_ref().or_else(|| behind.clone().next());
        wrong.or_else(|| owner.filter(|owner| *owner != lead))
    })
}

/// Returns whether the canary must take all traffic because stable is unavailable. It must already have weight and
/// pods, and must not be aborted or superseded.
fn failover(lead: &Revision, roles: &Roles<'_>, view: &View<'_>) -> bool {
    let Some(stable) = roles.stable else { return false };
    // When no update is in progress, stable itself leads, and then it has no pod.
    view.seen.weight().lo() > 0
        && view.is_unavailable(stable)
        && view.canary_leads_to(lead)
        && view.ready(lead).lo() > 0
}

/// Returns those of `managed` that some object already has.
fn kept(managed: Vec<Arc<ManagedRoute>>, view: &View<'_>) -> Vec<Arc<ManagedRoute>> {
    let has = |route: &ManagedRoute| {
        view.seen.routes.iter().flat_map(|object| &object.managed).any(|seen| seen.name == route.name)
    };
    managed.into_iter().filter(|route| has(route)).collect()
}
