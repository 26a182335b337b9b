//! The texts of Kubernetes events about Istio objects: Argo Rollouts' reasons and notes.

use crate::{
    IstioConfig,
    config::{DestinationRuleRef, VirtualServiceRef},
};
use rollout_core::{
    backend::{EventText, Topic},
    traffic::{
        Destination, ManagedChange, ManagedRoute, ObjectRef, Routes, Selection, Selectors, WeightChange,
    },
};

pub(crate) fn describe(config: &IstioConfig, topic: Topic<'_>) -> Vec<EventText> {
    match topic {
        Topic::Selected { to, before } => {
            config.destination_rule.iter().map(|rule| selected(rule, to, before)).collect()
        }
        Topic::Routed(to) => routed(config, to),
        Topic::Missing(object) => missing(object).into_iter().collect(),
        // Topics of later versions have no texts yet.
        _ => Vec::new(),
    }
}

fn missing(object: &ObjectRef) -> Option<EventText> {
    let reason = match &*object.kind {
        "VirtualService" => "VirtualServiceNotFound",
        "DestinationRule" => "DestinationRuleNotFound",
        _ => return None,
    };
    Some(EventText::new(reason, format!("{} `{}` not found", object.kind, object.name)))
}

fn selected(rule: &DestinationRuleRef, to: &Selectors, before: &Selectors) -> EventText {
    let hash = |destination: Destination| {
        let selection = to[destination].as_ref().or(before[destination].as_ref());
        selection.and_then(Selection::revision).map(ToString::to_string).unwrap_or_default()
    };
    let note = format!(
        "DestinationRule {} subset updated ({}: {}, {}: {})",
        rule.name,
        rule.subsets.canary,
        hash(Destination::Canary),
        rule.subsets.stable,
        hash(Destination::Stable)
    );
    EventText::new("UpdatedDestinationRule", note)
}

fn routed(config: &IstioConfig, to: &Routes) -> Vec<EventText> {
    let mut changes = Vec::new();
    if let WeightChange::To(weight) = to.weight {
        changes.push(format!("set to desiredWeight '{}'", weight.parts()));
    }
    match &to.managed {
        ManagedChange::Keep => {}
        ManagedChange::Retain(names) if !names.is_empty() => {}
        ManagedChange::To(routes) if !routes.is_empty() => {
            changes.extend(routes.iter().map(|route| set(route)));
        }
        ManagedChange::Retain(_) | ManagedChange::To(_) => {
            changes.push("removed all managed routes.".to_owned());
        }
    }
    let text = |name: &str, change: &str| {
        EventText::new("Updated VirtualService", format!("VirtualService `{name}` {change}"))
    };
    let of = |service: &VirtualServiceRef| {
        changes.iter().map(|change| text(&service.name, change)).collect::<Vec<_>>()
    };
    config.virtual_services.iter().flat_map(of).collect()
}

fn set(route: &ManagedRoute) -> String {
    let kind = if route.is_mirror() { "mirrorRoute" } else { "headerRoute" };
    format!("set {kind} '{}'", route.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollout_core::traffic::Weight;

    fn told(topic: Topic<'_>) -> Vec<(&'static str, String)> {
        let config = IstioConfig::subsets("shop", DestinationRuleRef::new("web-dr", "stable", "canary"))
            .virtual_service(VirtualServiceRef::new("web-vs"))
            .virtual_service(VirtualServiceRef::new("web-gateway.mesh"));
        describe(&config, topic).into_iter().map(|text| (text.reason, text.note)).collect()
    }

    #[test]
    fn subsets_are_told_together() {
        let before = Selectors { stable: Some(Selection::Revision("v1".into())), canary: None };
        let to = Selectors { stable: None, canary: Some(Selection::Revision("v2".into())) };
        let note = "DestinationRule web-dr subset updated (canary: v2, stable: v1)".to_owned();
        assert_eq!(told(Topic::Selected { to: &to, before: &before }), [("UpdatedDestinationRule", note)]);
    }

    #[test]
    fn routes_are_told_object_by_object() {
        let route = Routes {
            weight: WeightChange::To(Weight::new(50, 100)),
            managed: ManagedChange::To(Vec::new()),
            written_for: "v2".into(),
        };
        let expected = [
            "VirtualService `web-vs` set to desiredWeight '50'",
            "VirtualService `web-vs` removed all managed routes.",
            "VirtualService `web-gateway.mesh` set to desiredWeight '50'",
            "VirtualService `web-gateway.mesh` removed all managed routes.",
        ];
        let texts = told(Topic::Routed(&route));
        assert_eq!(texts, expected.map(|note| ("Updated VirtualService", note.to_owned())));
        let nothing = Routes { weight: WeightChange::Keep, managed: ManagedChange::Keep, ..route };
        assert!(told(Topic::Routed(&nothing)).is_empty());
        let some_stay = Routes { managed: ManagedChange::Retain(vec!["testers".into()]), ..nothing };
        assert!(told(Topic::Routed(&some_stay)).is_empty());
    }

    #[test]
    fn only_our_own_kinds_are_missed() {
        let of = |kind| ObjectRef::new("networking.istio.io", kind, "shop", "web");
        let note = "VirtualService `web` not found".to_owned();
        assert_eq!(told(Topic::Missing(&of("VirtualService"))), [("VirtualServiceNotFound", note)]);
        assert!(told(Topic::Missing(&of("Gateway"))).is_empty());
    }
}
