//! The traffic manager itself.

use super::notes::Notes;
use crate::argo::wire::{Canary, TrafficRouting};
use serde_json::Value;

/// Returns whether a part that is kept as a JSON value is present.
pub(super) fn is_set(value: Option<&Value>) -> bool {
    value.is_some_and(|value| !value.is_null())
}

pub(super) fn check(canary: &Canary, notes: &mut Notes) {
    let Some(routing) = &canary.traffic_routing else { return };
    let other_total = is_set(routing.nginx.as_ref()) || is_set(routing.plugins.as_ref());
    let path = "spec.strategy.canary.trafficRouting.maxTrafficWeight";
    match routing.max_traffic_weight {
        Some(total) if total < 1 => {
            notes.ours(
                path,
                "no weight is out of so few",
                "write 1 or more, such as 1000 for steps of 0.1 %",
            );
        }
        Some(_) if routing.istio.is_some() && !other_total => {
            let instead = "leave it out, and write weights out of 100, if Argo Rollouts is to run it, too";
            notes.warning(path, "is refused by Argo Rollouts with Istio", instead);
        }
        Some(_) if !other_total => {
            let message = "Canary maxTrafficWeight in traffic routing only supported in Nginx and Plugins";
            notes.error(path, message, "leave it out: weights are out of 100");
        }
        Some(_) | None => {}
    }
    let Some(istio) = &routing.istio else { return };
    let (one, several) = (
        istio.virtual_service.is_some(),
        istio.virtual_services.as_ref().is_some_and(|list| !list.is_empty()),
    );
    if one == several {
        notes.error(
            "spec.strategy.canary.trafficRouting.istio",
            "either VirtualService or VirtualServices must be configured",
            "name one under `virtualService`, or all of them under `virtualServices`",
        );
    }
}

/// Returns whether a traffic manager can route requests by header.
pub(super) fn routes_headers(routing: &TrafficRouting) -> bool {
    copies_requests(routing) || is_set(routing.alb.as_ref()) || is_set(routing.apisix.as_ref())
}

/// Returns whether a traffic manager can mirror requests.
pub(super) fn copies_requests(routing: &TrafficRouting) -> bool {
    routing.istio.is_some() || is_set(routing.plugins.as_ref())
}

/// Returns whether a traffic manager can give an experiment's pods a weight.
pub(super) fn weighs_experiments(routing: &TrafficRouting) -> bool {
    copies_requests(routing) || is_set(routing.alb.as_ref()) || is_set(routing.smi.as_ref())
}
