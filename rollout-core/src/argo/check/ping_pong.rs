//! Ping-pong: two Services that alternate as stable.

use super::{notes::Notes, routing::is_set};
use crate::argo::wire::Canary;
use alloc::string::String;
use serde_json::Value;

pub(super) fn check(canary: &Canary, notes: &mut Notes) {
    let Some(services) = &canary.ping_pong else { return };
    if let Some(routing) = &canary.traffic_routing {
        let allowed =
            routing.istio.is_some() || is_set(routing.alb.as_ref()) || is_set(routing.plugins.as_ref());
        if !allowed {
            notes.error_at(
                "spec.strategy.canary.pingPong",
                "spec.strategy.canary.trafficRouting.alb",
                "Ping-pong feature works with the ALB, Istio and plugin traffic routing only",
                "leave `pingPong` out, or route with Istio",
            );
        }
        let root = routing.alb.as_ref().and_then(|alb| alb.get("rootService")).and_then(Value::as_str);
        if is_set(routing.alb.as_ref()) && root.unwrap_or_default().is_empty() {
            notes.error(
                "spec.strategy.canary.trafficRouting.alb.rootService",
                "Root service field is required for the configuration with ALB and ping-pong feature enabled",
                "name the Service that the Ingress leads to",
            );
        }
    }
    let rule =
        canary.traffic_routing.as_ref().and_then(|routing| routing.istio.as_ref()?.destination_rule.as_ref());
    if rule.is_some() {
        notes.ours(
            "spec.strategy.canary.pingPong",
            "two Services alternate, and a `destinationRule` splits by subsets: only one of them can be meant",
            "leave `pingPong` or `destinationRule` out",
        );
    }
    let name = |service: &Option<String>| service.clone().unwrap_or_default();
    names(&name(&services.ping_service), &name(&services.pong_service), notes);
}

fn names(one: &str, other: &str, notes: &mut Notes) {
    for (path, service) in [
        ("spec.strategy.canary.pingPong.pingService", one),
        ("spec.strategy.canary.pingPong.pongService", other),
    ] {
        if service.is_empty() {
            let message = "Ping service and Pong service must to be set to use Ping-Pong feature";
            notes.error(path, message, "name two Services");
        }
    }
    if one == other {
        notes.error(
            "spec.strategy.canary.pingPong.pingService",
            "This rollout uses the same service for the ping and pong services, but two different services are required.",
            "name two Services",
        );
    }
}
