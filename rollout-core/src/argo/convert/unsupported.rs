//! Settings outside the steps that are valid but not supported yet: a release without them would not be the one asked
//! for.

use crate::{
    Finding,
    argo::wire::{Canary, Rollout, TrafficRouting},
};
use alloc::{format, vec::Vec};
use serde_json::Value;

pub(super) fn find(rollout: &Rollout, unsupported: &mut Vec<Finding>) {
    let Some(spec) = &rollout.spec else { return };
    let Some(strategy) = &spec.strategy else { return };
    if is_set(strategy.blue_green.as_ref()) {
        unsupported.push(Finding::not_driven("spec.strategy.blueGreen", "the blue-green strategy"));
    }
    let Some(canary) = &strategy.canary else { return };
    of_canary(canary, unsupported);
    if let Some(routing) = &canary.traffic_routing {
        of_routing(routing, unsupported);
    }
}

fn is_set(value: Option<&Value>) -> bool {
    value.is_some_and(|value| !value.is_null())
}

fn of_canary(canary: &Canary, unsupported: &mut Vec<Finding>) {
    let parts = [("analysis", canary.analysis.is_some(), "background analysis")];
    for (field, _, what) in parts.into_iter().filter(|(_, there, _)| *there) {
        unsupported.push(Finding::not_driven(format!("spec.strategy.canary.{field}"), what));
    }
}

fn of_routing(routing: &TrafficRouting, unsupported: &mut Vec<Finding>) {
    const PATH: &str = "spec.strategy.canary.trafficRouting";
    let others = [
        ("nginx", &routing.nginx),
        ("alb", &routing.alb),
        ("smi", &routing.smi),
        ("ambassador", &routing.ambassador),
        ("appMesh", &routing.app_mesh),
        ("traefik", &routing.traefik),
        ("apisix", &routing.apisix),
        ("plugins", &routing.plugins),
    ];
    let mut named = routing.istio.is_some();
    for (router, _) in others.into_iter().filter(|(_, value)| is_set(value.as_ref())) {
        unsupported.push(Finding::not_driven(
            format!("{PATH}.{router}"),
            &format!("traffic routing with `{router}`"),
        ));
        named = true;
    }
    if !named {
        unsupported.push(Finding::not_driven(PATH, "traffic routing that names no traffic manager"));
    }
}
