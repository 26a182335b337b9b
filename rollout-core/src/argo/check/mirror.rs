//! Mirror routes.

use super::{
    header::{Names, managed},
    notes::Notes,
    routing::copies_requests,
    strings,
};
use crate::argo::wire::{Canary, CanaryStep};
use alloc::format;

pub(super) fn check(
    path: &str,
    step: &CanaryStep,
    canary: &Canary,
    names: Option<&Names<'_>>,
    notes: &mut Notes,
) {
    let Some(route) = &step.set_mirror_route else { return };
    let path = format!("{path}.setMirrorRoute");
    let routing = canary.traffic_routing.as_ref();
    if !routing.is_some_and(copies_requests) {
        let message = "SetMirrorRoute requires TrafficRouting, supports Istio and Plugins";
        notes.error(&*path, message, "add `trafficRouting: {istio: …}`");
    }
    for (index, request) in route.matches.iter().flatten().enumerate() {
        let path = format!("{path}.match[{index}]");
        for value in [&request.method, &request.path].into_iter().flatten() {
            strings::check(&path, Some(value), notes);
        }
    }
    if routing.is_some() {
        managed(&path, route.name.as_deref(), names, notes);
    }
}
