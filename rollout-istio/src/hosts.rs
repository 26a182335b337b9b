//! The hosts that a VirtualService sends requests to, as keys of an index.

use crate::{
    elsewhere::destinations,
    name::{first_label, namespace_of},
    rules::{Protocol, rules},
};
use serde_json::Value;
use std::collections::BTreeSet;

/// Returns the hosts that a VirtualService of `namespace` sends requests to, each once, as the keys that
/// [`IstioEditor`](crate::IstioEditor) asks for in [`mentions`](rollout_core::backend::ObjectEditor::mentions):
/// namespace and first label (`shop/provider`). For an index from hosts to the objects that name them.
///
/// ```
/// use rollout_istio::hosts_named;
/// # use serde_json::json;
/// let object = json!({"spec": {"http": [{"route": [
///     {"destination": {"host": "provider"}}, {"destination": {"host": "other.elsewhere.svc.cluster.local"}},
/// ]}]}});
/// assert_eq!(hosts_named("shop", &object), ["elsewhere/other", "shop/provider"]);
/// ```
#[must_use]
pub fn hosts_named(namespace: &str, object: &Value) -> Vec<String> {
    let rules = Protocol::ALL.into_iter().flat_map(|protocol| rules(object, protocol).unwrap_or_default());
    let hosts = rules.flat_map(|rule| destinations(rule, true)).filter_map(|to| to.get("host")?.as_str());
    let hosts: BTreeSet<String> = hosts.map(|host| key(namespace, host)).collect();
    hosts.into_iter().collect()
}

/// Returns the key of a host: its namespace is the one that it names, or else the object's own.
pub(crate) fn key(namespace: &str, host: &str) -> String {
    format!("{}/{}", namespace_of(host).unwrap_or(namespace), first_label(host))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DestinationRuleRef, IstioConfig, IstioEditor, VirtualServiceRef};
    use rollout_core::{
        backend::{Object, ObjectEditor, Objects},
        traffic::ObjectVersion,
    };
    use serde_json::json;

    #[test]
    fn mirrors_and_all_protocols_count_and_what_makes_no_sense_names_nothing() {
        let to = |host: &str| json!({"host": host});
        let object = json!({"spec": {
            "http": [
                {"route": [{"destination": to("a")}], "mirror": to("b"), "mirrors": [{"destination": to("c")}]},
                {"route": "nonsense", "redirect": {}}, 7
            ],
            "tcp": [{"route": [{"destination": to("d.other")}, {"destination": to("a")}]}],
            "tls": {"no": "list"}
        }});
        assert_eq!(hosts_named("shop", &object), ["other/d", "shop/a", "shop/b", "shop/c"]);
        assert!(hosts_named("shop", &Value::Null).is_empty());
    }
    /// An index would hide an object whose keys are not those that the editor asks for.
    #[test]
    fn every_object_that_leads_to_ours_has_a_key_that_is_asked_for() {
        let config = IstioConfig::subsets("shop", DestinationRuleRef::new("rule", "stable", "canary"))
            .virtual_service(VirtualServiceRef::new("web"));
        let editor = IstioEditor::new(config);
        let object = |value: &Value| Object {
            value: value.clone().into(),
            version: ObjectVersion { write: "1".into(), content: 1 },
        };
        let subset = |name| json!({"name": name, "labels": {"app": "web"}});
        let to = |host: &str, subset: &str| json!({"destination": {"host": host, "subset": subset}});
        let rule = json!({"spec": {"host": "web.shop.svc.cluster.local", "subsets": [subset("stable"), subset("canary")]}});
        let own = json!({"spec": {"http": [{"route": [to("web", "stable"), to("web", "canary")]}]}});
        let own: Objects = editor.objects().into_iter().zip([object(&own), object(&rule)]).collect();
        let asked = editor.mentions(&own);
        let mut leads = 0;
        for host in ["web", "web.shop", "web.shop.svc.cluster.local", "web.other", "other", "other.shop"] {
            for namespace in ["shop", "other"] {
                let value = json!({"spec": {"http": [{"route": [to(host, "canary")]}]}});
                let name = crate::name::virtual_service(namespace, "theirs");
                let mut all = own.clone();
                all.insert(name.clone(), object(&value));
                if editor.read(&all).unwrap().used_elsewhere.canary {
                    leads += 1;
                    let keys = hosts_named(namespace, &value);
                    assert!(
                        asked.iter().any(|asked| asked.keys.iter().any(|key| keys.contains(key))),
                        "{host}"
                    );
                }
            }
        }
        assert!(leads >= 3, "{leads}");
    }
}
