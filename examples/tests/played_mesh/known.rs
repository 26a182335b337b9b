//! The objects, as the watches of istiod have shown them.

use super::{
    proxy::{Endpoints, Leads, Types, Weights},
    said,
};
use rollout_kube::testing::Change;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pod {
    pub(super) app: String,
    pub(super) revision: String,
    pub(super) address: String,
    pub(super) is_ready: bool,
}

#[derive(Debug, Default)]
pub(super) struct Known {
    /// By kind and name.
    pub(super) configs: BTreeMap<(String, String), Arc<Value>>,
    pub(super) pods: BTreeMap<String, Pod>,
    /// The apps that have had a pod in the time of this process.
    hosts: BTreeSet<String>,
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn items<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

impl Known {
    /// What a process has read that begins now.
    pub(super) fn of(changes: &[Change]) -> Self {
        let mut known = Self::default();
        for change in changes {
            known.take_in(change);
        }
        known.hosts = known.pods.values().map(|pod| pod.app.clone()).collect();
        known
    }

    /// The types that have to be pushed; `None` when nothing has.
    pub(super) fn take_in(&mut self, change: &Change) -> Option<Types> {
        let object = &change.object;
        let (kind, name) = (text(object, "/kind").to_owned(), text(object, "/metadata/name").to_owned());
        match kind.as_str() {
            "VirtualService" => self.config(kind, name, change).then_some(Types::ALL_BUT_ENDPOINTS),
            "DestinationRule" => {
                let is_another = self.config(kind, name, change);
                // It writes the full name of the host into the rule that it keeps, and then finds that the next
                // version differs, although that only has another annotation.
                (is_another || !text(object, "/spec/host").contains('.')).then_some(Types::ALL)
            }
            // The only ones that are played are of a namespace in which no proxy is.
            "Sidecar" => self.config(kind, name, change).then_some(Types::NONE),
            "Pod" => self.pod(name, change),
            _ => None,
        }
    }

    /// Whether it wants something else than before.
    fn config(&mut self, kind: String, name: String, change: &Change) -> bool {
        if change.is_deleted {
            return self.configs.remove(&(kind, name)).is_some();
        }
        let before = self.configs.insert((kind, name), Arc::clone(&change.object));
        before.is_none_or(|before| before["spec"] != change.object["spec"])
    }

    fn pod(&mut self, name: String, change: &Change) -> Option<Types> {
        let object = &change.object;
        let pod = Pod {
            app: text(object, "/metadata/labels/app").to_owned(),
            revision: text(object, "/metadata/labels/rollouts-pod-template-hash").to_owned(),
            address: text(object, "/status/podIP").to_owned(),
            is_ready: text(object, "/status/conditions/0/status") == "True",
        };
        if change.is_deleted || pod.revision.is_empty() || pod.address.is_empty() {
            return self.pods.remove(&name).map(|_| Types::ENDPOINTS);
        }
        // The first one of a Service tells more than where it is.
        let is_first = self.hosts.insert(pod.app.clone());
        let is_another = self.pods.get(&name) != Some(&pod);
        self.pods.insert(name, pod);
        is_another.then_some(if is_first { Types::ALL } else { Types::ENDPOINTS })
    }

    fn of_kind<'k>(&'k self, kind: &'k str) -> impl Iterator<Item = &'k Value> {
        self.configs.iter().filter(move |((of, _), _)| of == kind).map(|(_, object)| &**object)
    }

    pub(super) fn weights(&self) -> Weights {
        let routes = self.of_kind("VirtualService").flat_map(|object| items(object, "/spec/http"));
        let canary = |route: &Value| {
            let weight =
                said::header_of(route).map(|_| 100).or_else(|| said::weights(route).map(said::percent))?;
            Some((text(route, "/name").to_owned(), weight))
        };
        Arc::new(routes.filter_map(canary).collect())
    }

    pub(super) fn leads(&self) -> Leads {
        Arc::new(self.of_kind("DestinationRule").flat_map(said::leads).collect())
    }

    pub(super) fn endpoints(&self) -> Endpoints {
        let mut at: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for pod in self.pods.values().filter(|pod| pod.is_ready) {
            at.entry(pod.revision.clone()).or_default().insert(pod.address.clone());
        }
        Arc::new(at)
    }
}
