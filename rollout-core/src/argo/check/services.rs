//! The Services of canary and stable.

use super::{notes::Notes, routing::is_set};
use crate::argo::wire::Canary;

pub(super) fn check(canary: &Canary, notes: &mut Notes) {
    let stable_service = canary.stable_service.as_deref().unwrap_or_default();
    let canary_service = canary.canary_service.as_deref().unwrap_or_default();
    if !stable_service.is_empty() && stable_service == canary_service {
        notes.error(
            "spec.strategy.canary.stableService",
            "This rollout uses the same service for the stable and canary services, but two different services are required.",
            "name two Services",
        );
    }
    if !are_required(canary) {
        return;
    }
    for (path, service) in [
        ("spec.strategy.canary.stableService", stable_service),
        ("spec.strategy.canary.canaryService", canary_service),
    ] {
        if service.is_empty() {
            notes.error(
                path,
                "Canary service and Stable service must to be set to use Traffic Routing",
                "name a separate Service for each, or split by the subsets of a `destinationRule`",
            );
        }
    }
}

fn are_required(canary: &Canary) -> bool {
    let Some(routing) = &canary.traffic_routing else { return false };
    let by_turns = canary.ping_pong.is_some();
    let by_host = routing.istio.as_ref().is_some_and(|istio| istio.destination_rule.is_none());
    let others = [
        &routing.smi,
        &routing.apisix,
        &routing.ambassador,
        &routing.nginx,
        &routing.app_mesh,
        &routing.traefik,
    ];
    !by_turns && (by_host || is_set(routing.alb.as_ref()))
        || others.into_iter().any(|router| is_set(router.as_ref()))
}
