//! Delays and scaling that need a traffic manager, and limits on surplus and unavailable pods.

use super::notes::Notes;
use crate::{
    IntOrPercent,
    argo::{pods::int_or_percent, wire::Canary},
};

pub(super) fn check(canary: &Canary, notes: &mut Notes) {
    let amount = |value| match int_or_percent(value) {
        IntOrPercent::Int(amount) | IntOrPercent::Percent(amount) => amount,
    };
    if amount(canary.max_surge.as_ref()) == 0 && amount(canary.max_unavailable.as_ref()) == 0 {
        notes.error(
            "spec.strategy.canary.maxSurge",
            "MaxSurge and MaxUnavailable both can not be zero",
            "let at least one be above 0, or nothing can be replaced",
        );
    }
    let routed = canary.traffic_routing.is_some();
    let (delay, dynamic) =
        (canary.scale_down_delay_seconds.is_some(), canary.dynamic_stable_scale == Some(true));
    if delay && !routed {
        notes.error(
            "spec.strategy.canary.scaleDownDelaySeconds",
            "Canary scaleDownDelaySeconds can only be used with traffic routing",
            "leave it out, or add `trafficRouting`",
        );
    }
    if dynamic && !routed {
        notes.error(
            "spec.strategy.canary.dynamicStableScale",
            "Canary dynamicStableScale can only be used with traffic routing",
            "leave it out, or add `trafficRouting`",
        );
    }
    if dynamic && delay {
        notes.error(
            "spec.strategy.canary.dynamicStableScale",
            "Canary dynamicStableScale cannot be used with scaleDownDelaySeconds",
            "keep one of the two",
        );
    }
}
