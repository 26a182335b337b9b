//! Header routes, and the list of managed routes that header and mirror routes need.

use super::{
    notes::Notes,
    routing::{is_set, routes_headers},
    strings,
};
use crate::argo::wire::{Canary, CanaryStep, HeaderRoutingMatch};
use alloc::{collections::BTreeSet, format};

const MANAGED: &str = "spec.strategy.canary.trafficRouting.managedRoutes";

pub(super) fn check(
    path: &str,
    step: &CanaryStep,
    canary: &Canary,
    names: Option<&Names<'_>>,
    notes: &mut Notes,
) {
    let Some(route) = &step.set_header_route else { return };
    let path = format!("{path}.setHeaderRoute");
    let routing = canary.traffic_routing.as_ref();
    if !routing.is_some_and(routes_headers) {
        let message = "SetHeaderRoute requires TrafficRouting, supports Istio and ALB and Apisix";
        notes.error(&*path, message, "add `trafficRouting: {istio: …}`");
    }
    let by_alb = routing.is_some_and(|routing| is_set(routing.alb.as_ref()));
    for (index, header) in route.matches.iter().flatten().enumerate() {
        let path = format!("{path}.match[{index}]");
        if by_alb {
            alb(&path, header, notes);
        } else {
            strings::check(&path, header.header_value.as_ref(), notes);
        }
    }
    if routing.is_some() {
        managed(&path, route.name.as_deref(), names, notes);
    }
}

fn alb(path: &str, header: &HeaderRoutingMatch, notes: &mut Notes) {
    let Some(value) = &header.header_value else {
        let message = "Header value missed, match value must have exact";
        return notes.error(path, message, "write `headerValue: {exact: …}`");
    };
    let exact = value.exact.as_ref().is_some_and(|text| !text.is_empty());
    if !exact || strings::ways(value) != 1 {
        notes.error(
            path,
            "Exact match value is required; regex and prefix are not supported by ALB",
            "write `exact: …`",
        );
    }
}

/// The names of the managed routes.
pub(super) type Names<'c> = BTreeSet<&'c str>;

/// Returns the names in the list of managed routes, if there is one.
pub(super) fn names(canary: &Canary) -> Option<Names<'_>> {
    let list = canary.traffic_routing.as_ref()?.managed_routes.as_ref()?;
    Some(list.iter().map(|route| route.name.as_deref().unwrap_or_default()).collect())
}

/// Checks that a route which a step adds is in the list, which defines its order.
pub(super) fn managed(path: &str, name: Option<&str>, names: Option<&Names<'_>>, notes: &mut Notes) {
    let name = name.unwrap_or_default();
    let instead = format!("add `- name: {name}` to trafficRouting.managedRoutes");
    let Some(names) = names else {
        let message = "Rollout has missing field 'spec.strategy.canary.trafficRouting.managedRoutes'";
        return notes.error(MANAGED, message, instead);
    };
    if !names.contains(name) {
        let message =
            "Steps define a route that does not exist in spec.strategy.canary.trafficRouting.managedRoutes";
        notes.error(path, message, instead);
    }
}
