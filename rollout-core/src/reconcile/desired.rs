use super::{
    draft::{Closed, Gate},
    roles::Roles,
    view::View,
};
use crate::{
    Ending, Revision, Status, WaitReason, goal,
    traffic::{ManagedRoute, RoutesSeen, Selection},
};
use alloc::{sync::Arc, vec::Vec};

/// The routes that the position wants, with the two emergencies.
pub(super) struct Desired {
    /// The canary's weight.
    pub(super) weight: u32,
    /// The managed routes, all of them.
    pub(super) managed: Vec<Arc<ManagedRoute>>,
    /// Whether the routes as they are were written for, or lead to, another revision: they go to 0 first.
    pub(super) of_another: Option<Revision>,
    /// Whether the canary takes everything because stable is dark.
    pub(super) rescue: bool,
    /// Whether the canary's pods are all gone: the steps hold until they are back.
    pub(super) vanished: bool,
}

impl Desired {
    pub(super) fn at(status: &Status, roles: &Roles<'_>, view: &View<'_>) -> Self {
        let nothing =
            Self { weight: 0, managed: Vec::new(), of_another: None, rescue: false, vanished: false };
        let Some(lead) = roles.lead() else { return nothing };
        let rescue = rescue(lead, roles, view);
        if rescue {
            let managed = kept(goal::managed_routes(&view.spec.strategy, status), view);
            return Self { weight: view.spec.strategy.max_weight(), managed, rescue, ..nothing };
        }
        let of_another = other_revision(lead, view).cloned();
        if !roles.under_way || of_another.is_some() {
            return Self { of_another, ..nothing };
        }
        let mut managed = goal::managed_routes(&view.spec.strategy, status);
        let steps = view.spec.strategy.steps().len();
        if status.promote_full || usize::try_from(status.step).unwrap_or(usize::MAX) >= steps {
            // Past the steps nothing is added any more: the whole traffic follows.
            managed = kept(managed, view);
        }
        let weight = goal::at(view.spec, status).weight;
        let leads =
            view.seen.weight().hi() > 0 || view.seen.routes.iter().any(|object| !object.managed.is_empty());
        if leads && view.ready(lead).hi() == 0 && view.canary_leads_to(lead) {
            managed.retain(|route| !route.is_mirror());
            return Self { managed, vanished: true, ..nothing };
        }
        Self { weight, managed, ..nothing }
    }

    /// Whether the objects say so; the gate names what they still say.
    pub(super) fn is_written(&self, roles: &Roles<'_>, view: &View<'_>) -> Gate {
        let held = |reason| Err(Closed::new(reason, Ending::Observed));
        let Some(lead) = roles.lead() else { return held(WaitReason::CarryingOut) };
        if self.vanished {
            let reason = WaitReason::Pods { revision: lead.clone(), need: 1, seen: view.ready(lead) };
            return Err(Closed::new(reason, Ending::PodsReady));
        }
        if let Some(revision) = self.of_another.clone() {
            return held(WaitReason::RoutesOfAnother { revision });
        }
        let weight = view.seen.weight();
        let leads = self.weight == 0 && self.managed.is_empty() || view.canary_leads_to(lead);
        let written = weight.lo() == self.weight && weight.hi() == self.weight;
        if written && leads && view.seen.routes.iter().all(|object| self.has_managed(object)) {
            return Ok(());
        }
        if view.seen.routes.is_empty() {
            return Err(Closed::new(WaitReason::NoRoutes, Ending::RouteThere));
        }
        held(WaitReason::CarryingOut)
    }

    /// Whether an object has exactly the managed routes that are wanted, in their order.
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

    /// Whether an object has a managed route that must go.
    pub(super) fn has_more(&self, object: &RoutesSeen) -> bool {
        object.managed.iter().any(|seen| self.managed.iter().all(|wanted| wanted.name != seen.name))
    }
}

/// The revision that the routes lead to, or were written for, if it is another than the one they should
/// serve. An object at weight 0 without managed routes names nobody.
fn other_revision<'v>(lead: &Revision, view: &View<'v>) -> Option<&'v Revision> {
    let behind = view.seen.canary.iter().filter_map(Selection::revision);
    let wrong = behind.clone().find(|revision| *revision != lead);
    view.seen.routes.iter().filter(|object| object.leads_to_canary()).find_map(|object| {
        let owner = object.written_for.as_ref().or_else(|| behind.clone().next());
        wrong.or_else(|| owner.filter(|owner| *owner != lead))
    })
}

/// Whether the canary must take everything because stable is dark: only one that already has weight, was
/// neither aborted nor superseded, and has pods.
fn rescue(lead: &Revision, roles: &Roles<'_>, view: &View<'_>) -> bool {
    let Some(stable) = roles.stable else { return false };
    // What leads is stable itself where no update is under way, and that has no pod then.
    view.seen.weight().lo() > 0
        && view.is_dark(stable)
        && view.canary_leads_to(lead)
        && view.ready(lead).lo() > 0
}

/// Those of `managed` that some object already has.
fn kept(managed: Vec<Arc<ManagedRoute>>, view: &View<'_>) -> Vec<Arc<ManagedRoute>> {
    let has = |route: &ManagedRoute| {
        view.seen.routes.iter().flat_map(|object| &object.managed).any(|seen| seen.name == route.name)
    };
    managed.into_iter().filter(|route| has(route)).collect()
}
