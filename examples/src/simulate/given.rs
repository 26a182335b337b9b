//! The objects before an update or after it, and which of them concern one Rollout.

use super::model::Model;
use rollout_core::{argo::Document, traffic::ObjectRef};
use rollout_istio::hosts_named;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What was given, with what an update brings in front of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given<'a> {
    pub(crate) model: &'a Model,
    pub(crate) update: Option<&'a Model>,
}

impl<'a> Given<'a> {
    /// An object by its name.
    pub(crate) fn get(self, name: &ObjectRef) -> Option<&'a Document> {
        self.update.and_then(|update| update.objects.get(name)).or_else(|| self.model.objects.get(name))
    }

    /// The names of all objects, also of those that were passed over but may hold a pod template.
    pub(crate) fn names(self) -> impl Iterator<Item = &'a ObjectRef> {
        let of = |model: &'a Model| model.objects.keys().chain(&model.beside);
        of(self.model).chain(self.update.into_iter().flat_map(of))
    }
}

/// The VirtualServices by the hosts that they send requests to: what one Rollout costs must not grow with how
/// many others there are.
#[derive(Debug, Default)]
pub(crate) struct Leading(BTreeMap<String, BTreeSet<ObjectRef>>);

impl Leading {
    /// Of all objects.
    pub(crate) fn of(given: Given<'_>) -> Self {
        let mut hosts: BTreeMap<String, BTreeSet<ObjectRef>> = BTreeMap::new();
        for name in given.names().filter(|name| &*name.kind == "VirtualService") {
            let Some(document) = given.get(name) else { continue };
            for host in hosts_named(&name.namespace, document.value()) {
                hosts.entry(host).or_default().insert(name.clone());
            }
        }
        Self(hosts)
    }

    /// Those that lead to one of these hosts, as an object in `namespace` names them.
    pub(crate) fn to(&self, namespace: &str, hosts: &[&str]) -> BTreeSet<ObjectRef> {
        let routes: Vec<Value> = hosts.iter().map(|host| json!({"destination": {"host": host}})).collect();
        let keys = hosts_named(namespace, &json!({"spec": {"http": [{"route": routes}]}}));
        keys.iter().filter_map(|key| self.0.get(key)).flatten().cloned().collect()
    }
}
