//! The right place for a field that is in the wrong one.

use super::{
    Canary, CanaryStep, DestinationRule, Istio, Pause, Rollout, RolloutSpec, SetCanaryScale, StrategyField,
    TrafficRouting, VirtualService,
};

/// The parts of a Rollout by path, without indexes, and the fields of each.
const PARTS: &[(&str, &[&str])] = &[
    ("", Rollout::FIELDS),
    ("spec", RolloutSpec::FIELDS),
    ("spec.strategy", StrategyField::FIELDS),
    ("spec.strategy.canary", Canary::FIELDS),
    ("spec.strategy.canary.trafficRouting", TrafficRouting::FIELDS),
    ("spec.strategy.canary.trafficRouting.istio", Istio::FIELDS),
    ("spec.strategy.canary.trafficRouting.istio.virtualService", VirtualService::FIELDS),
    ("spec.strategy.canary.trafficRouting.istio.virtualServices[]", VirtualService::FIELDS),
    ("spec.strategy.canary.trafficRouting.istio.destinationRule", DestinationRule::FIELDS),
    ("spec.strategy.canary.steps[]", CanaryStep::FIELDS),
    ("spec.strategy.canary.steps[].pause", Pause::FIELDS),
    ("spec.strategy.canary.steps[].setCanaryScale", SetCanaryScale::FIELDS),
    // Not read by the engine, but people put fields of other parts here.
    ("metadata", &["name", "namespace", "labels", "annotations"]),
];

/// Names that occur in many parts and say nothing about where they belong.
const COMMON: &[&str] = &["name", "namespace", "labels", "annotations", "weight", "status", "kind", "spec"];

/// Returns the path of the part that `key` belongs to, if it has no meaning at `path`.
pub(crate) fn belongs(path: &str, key: &str) -> Option<&'static str> {
    let here = path.split('[').next().unwrap_or(path);
    let within = path.rsplit_once(']').map(|(_, within)| within);
    let is_here = |part: &str| match (part.split_once("[]"), within) {
        (Some((list, rest)), Some(within)) => list == here && rest == within,
        (None, None) => part == path,
        _ => false,
    };
    if COMMON.contains(&key) || !PARTS.iter().any(|(part, _)| is_here(part)) {
        return None;
    }
    let other = PARTS.iter().filter(|(part, _)| !is_here(part));
    other.filter(|(_, fields)| fields.contains(&key)).map(|(part, _)| *part).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_other_parts_are_known() {
        let canary = "spec.strategy.canary";
        for (path, key, part) in [
            ("spec.strategy", "steps", canary),
            ("spec", "steps", canary),
            ("", "strategy", "spec"),
            ("spec.strategy.canary.steps[3]", "duration", "spec.strategy.canary.steps[].pause"),
            ("spec.strategy.canary.trafficRouting", "stableService", canary),
            (canary, "istio", "spec.strategy.canary.trafficRouting"),
            (canary, "setWeight", "spec.strategy.canary.steps[]"),
        ] {
            assert_eq!(belongs(path, key), Some(part), "{path} {key}");
        }
        for (path, key) in [
            ("spec.strategy", "canary"),
            ("spec", "nosuch"),
            (canary, "name"),
            ("spec.template", "steps"),
            ("spec.strategy.canary.steps[0].experiment", "steps"),
        ] {
            assert_eq!(belongs(path, key), None, "{path} {key}");
        }
    }
}
