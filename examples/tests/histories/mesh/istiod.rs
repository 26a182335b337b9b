//! What the process knows, and when it pushes.

use super::proxy::{Endpoints, Leads, Weights};
use crate::apps;
use rollout_kube::testing::Change;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;

/// It pushes when nothing has changed for so long, …
pub(crate) const QUIET: Duration = Duration::from_millis(100);
/// … or when something has waited for so long.
const LONGEST: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Istiod {
    /// When this process began, and how long it had run before the history did.
    pub(super) began: (Instant, Duration),
    /// Until when there is none.
    pub(super) down_until: Option<Instant>,
    /// Until when it hears and answers nothing, and goes on afterwards.
    pub(super) frozen_until: Option<Instant>,
    pub(super) known: Known,
    /// The number of its last push of everything.
    pub(super) pushes: u64,
    pub(super) pushed: (Leads, Weights),
    pub(super) changed: Option<Changed>,
}

/// What has changed since the last push.
#[derive(Debug, Clone, Copy)]
pub(super) struct Changed {
    first: Instant,
    last: Instant,
    /// Not only endpoints.
    pub(super) everything: bool,
}

impl Changed {
    /// When it is to be pushed.
    pub(super) fn due(&self) -> Instant {
        (self.last + QUIET).min(self.first + LONGEST)
    }
}

impl Istiod {
    pub(super) fn new(now: Instant, has_run: Duration) -> Self {
        Self {
            began: (now, has_run),
            down_until: None,
            frozen_until: None,
            known: Known::default(),
            pushes: 1,
            pushed: Default::default(),
            changed: None,
        }
    }

    pub(super) fn answers(&self) -> bool {
        self.down_until.is_none() && self.frozen_until.is_none()
    }

    /// Its watches show a change.
    pub(super) fn hears(&mut self, change: &Change, now: Instant) {
        let Some(everything) = self.known.take_in(change) else { return };
        let before = self.changed;
        self.changed = Some(Changed {
            first: before.map_or(now, |changed| changed.first),
            last: now,
            everything: everything || before.is_some_and(|changed| changed.everything),
        });
    }
}

#[derive(Debug)]
pub(super) struct Pod {
    pub(super) app: String,
    pub(super) revision: String,
    pub(super) address: String,
    pub(super) is_ready: bool,
}

/// The objects, as its watches have shown them.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) configs: BTreeMap<(String, String), Arc<Value>>,
    pub(super) pods: BTreeMap<String, Pod>,
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn items<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

impl Known {
    /// Whether everything has to be pushed, or endpoints alone; `None` when it is of no concern.
    pub(super) fn take_in(&mut self, change: &Change) -> Option<bool> {
        let object = &change.object;
        let (kind, name) = (text(object, "/kind").to_owned(), text(object, "/metadata/name").to_owned());
        match kind.as_str() {
            "VirtualService" | "DestinationRule" => {
                if change.is_deleted {
                    self.configs.remove(&(kind, name));
                } else {
                    self.configs.insert((kind, name), Arc::clone(object));
                }
                Some(true)
            }
            "Pod" => {
                let revision = text(object, "/metadata/labels/rollouts-pod-template-hash");
                if revision.is_empty() {
                    return None;
                }
                if change.is_deleted {
                    self.pods.remove(&name);
                } else {
                    let pod = Pod {
                        app: text(object, "/metadata/labels/app").to_owned(),
                        revision: revision.to_owned(),
                        address: text(object, "/status/podIP").to_owned(),
                        is_ready: text(object, "/status/conditions/0/status") == "True",
                    };
                    self.pods.insert(name, pod);
                }
                Some(false)
            }
            _ => None,
        }
    }

    fn of_kind<'k>(&'k self, kind: &'k str) -> impl Iterator<Item = &'k Value> {
        self.configs.iter().filter(move |((of, _), _)| of == kind).map(|(_, object)| &**object)
    }

    pub(super) fn weights(&self) -> Weights {
        let routes = self.of_kind("VirtualService").flat_map(|object| items(object, "/spec/http"));
        let canary = |route: &Value| Some((text(route, "/name").to_owned(), apps::weights(route)?.0));
        Arc::new(routes.filter_map(canary).collect())
    }

    pub(super) fn leads(&self) -> Leads {
        Arc::new(self.of_kind("DestinationRule").flat_map(apps::leads).collect())
    }

    pub(super) fn endpoints(&self) -> Endpoints {
        let mut at: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for pod in self.pods.values().filter(|pod| pod.is_ready) {
            at.entry(pod.revision.clone()).or_default().insert(pod.address.clone());
        }
        Arc::new(at)
    }
}
