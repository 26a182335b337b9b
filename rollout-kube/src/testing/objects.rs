use super::{
    api_request::{ApiRequest, Verb},
    merge::{merge, put, set},
    refusal::Refusal,
    trouble::Disturbed,
    watches::{Event, Watch},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};
use tokio::time::Instant;

/// Kind, namespace and name.
type Place = (String, String, String);

/// One change of an object.
///
/// See [`CLIENT`](super::CLIENT) for an example.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Change {
    /// The version that it made.
    pub version: u64,
    /// The object after the change; its last state, if it was deleted.
    pub object: Arc<Value>,
    /// Whether it was deleted.
    pub is_deleted: bool,
    /// When it happened.
    pub at: Instant,
    /// Its number in the order of all requests and changes; see [`tick`](super::SimulatedApiServer::tick).
    pub tick: u64,
    /// The sender of the request, if it identified itself by the header [`CLIENT`](super::CLIENT).
    pub by: Option<Sender>,
}

/// The sender of a request.
///
/// See [`CLIENT`](super::CLIENT) for an example.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Sender {
    /// The client named in the request's header.
    pub client: Arc<str>,
    /// When the request arrived.
    pub at: Instant,
    /// Its number in the order of all requests and changes.
    pub tick: u64,
}

/// All objects, and their history.
#[derive(Debug, Default)]
pub(super) struct Objects {
    all: BTreeMap<Place, Arc<Value>>,
    pub(super) version: u64,
    /// All changes, by kind.
    pub(super) log: BTreeMap<String, Vec<Event>>,
    pub(super) watches: BTreeMap<String, Vec<Watch>>,
    pub(super) pods_run: bool,
    pub(super) requests: BTreeMap<String, u64>,
    pub(super) disturbed: Disturbed,
    /// Counts requests and changes.
    ticks: u64,
    /// The sender of the current request.
    pub(super) by: Option<Sender>,
    /// Watches from an older version expire.
    pub(super) oldest: u64,
    /// When the watches show the last change.
    pub(super) shown: Option<Instant>,
}

fn place(request: &ApiRequest) -> Place {
    (request.kind.clone(), request.namespace.clone(), request.name.clone())
}

impl ApiRequest {
    /// Returns whether the request is about an object of this kind.
    pub(super) fn selects(&self, object: &Value) -> bool {
        let namespace = || object.pointer("/metadata/namespace").and_then(Value::as_str);
        (self.namespace.is_empty() || namespace() == Some(&self.namespace)) && self.labels.selects(object)
    }
}

impl Objects {
    /// Returns the next number in the order of all requests and changes.
    pub(super) fn tick(&mut self) -> u64 {
        self.ticks += 1;
        self.ticks
    }

    /// Counts a request, and returns its name.
    pub(super) fn count(&mut self, request: &ApiRequest) -> String {
        let verb = match request.verb {
            Verb::Get => "GET",
            Verb::List => "LIST",
            Verb::Watch => "WATCH",
            Verb::Create => "POST",
            Verb::Replace => "PUT",
            Verb::Patch => "PATCH",
            Verb::Delete => "DELETE",
        };
        let subresource = if request.is_eviction { "/eviction" } else { "" };
        let name = format!("{verb} {}{subresource}", request.plural());
        *self.requests.entry(name.clone()).or_default() += 1;
        name
    }

    pub(super) fn get(&self, request: &ApiRequest) -> Result<Arc<Value>, Refusal> {
        self.all.get(&place(request)).cloned().ok_or_else(Refusal::not_found)
    }

    pub(super) fn all(&self, request: &ApiRequest) -> Vec<Arc<Value>> {
        let from = (request.kind.clone(), request.namespace.clone(), String::new());
        let of_kind = self.all.range(from..).take_while(|((kind, _, _), _)| *kind == request.kind);
        let here = of_kind.take_while(|((_, namespace, _), _)| {
            request.namespace.is_empty() || *namespace == request.namespace
        });
        here.map(|(_, object)| object).filter(|object| request.selects(object)).cloned().collect()
    }

    /// Creates or replaces an object, whatever its version.
    pub(super) fn apply(&mut self, request: &ApiRequest, value: Value) -> Arc<Value> {
        let existing = self.all.get(&place(request)).cloned();
        self.store(request, existing, value)
    }

    /// Changes fields of an object, including its status, whatever its version.
    pub(super) fn change(&mut self, request: &ApiRequest, leaves: &Value) -> Result<Arc<Value>, Refusal> {
        let existing = self.get(request)?;
        let mut next = (*existing).clone();
        merge(&mut next, leaves);
        Ok(self.store(request, Some(existing), next))
    }

    /// Deletes an object at once; returns its last state.
    pub(super) fn remove(&mut self, request: &ApiRequest) -> Result<Arc<Value>, Refusal> {
        let existing = self.all.remove(&place(request)).ok_or_else(Refusal::not_found)?;
        self.version += 1;
        let mut last = (*existing).clone();
        put(&mut last, "resourceVersion", self.version.to_string().into());
        let last = Arc::new(last);
        self.notify(request, Some(existing), Arc::clone(&last), true);
        Ok(last)
    }

    /// Adds the server's fields to an object; the version stays that of the existing one.
    pub(super) fn complete(
        &self,
        request: &ApiRequest,
        existing: Option<&Arc<Value>>,
        mut next: Value,
    ) -> Value {
        let kept = |key: &str| existing.and_then(|existing| existing.pointer("/metadata")?.get(key)).cloned();
        if !request.traits.kind.is_empty() {
            set(&mut next, "apiVersion", request.api_version().into());
            set(&mut next, "kind", request.traits.kind.into());
        }
        let fields = &mut next;
        put(fields, "name", request.name.as_str().into());
        put(fields, "namespace", request.namespace.as_str().into());
        put(fields, "uid", kept("uid").unwrap_or_else(|| format!("uid-{}", self.version + 1).into()));
        if request.traits.counts_generations {
            let generation = kept("generation").and_then(|generation| generation.as_u64()).unwrap_or(0);
            // A deletion raises the generation, too.
            let is_going = |object: &Value| object.pointer("/metadata/deletionTimestamp").is_some();
            let is_same = existing.is_some_and(|existing| {
                wants(existing) == wants(fields) && is_going(existing) == is_going(fields)
            });
            put(fields, "generation", (generation + u64::from(!is_same)).into());
        }
        let given = fields.pointer("/metadata/creationTimestamp").cloned();
        let created = kept("creationTimestamp").or(given).unwrap_or_else(|| "2026-01-01T00:00:00Z".into());
        put(fields, "creationTimestamp", created);
        put(fields, "managedFields", json!([{"manager": "rollout-kube"}]));
        put(fields, "resourceVersion", kept("resourceVersion").unwrap_or_default());
        next
    }

    /// Replaces the existing object, if the new one differs.
    pub(super) fn store(
        &mut self,
        request: &ApiRequest,
        existing: Option<Arc<Value>>,
        next: Value,
    ) -> Arc<Value> {
        let mut next = self.complete(request, existing.as_ref(), next);
        if let Some(existing) = existing.as_ref().filter(|existing| ***existing == next) {
            return Arc::clone(existing);
        }
        self.version += 1;
        put(&mut next, "resourceVersion", self.version.to_string().into());
        let next = Arc::new(next);
        self.all.insert(place(request), Arc::clone(&next));
        self.notify(request, existing, Arc::clone(&next), false);
        if self.pods_run && request.plural() == "replicasets" {
            self.run_pods(request, &next);
        }
        next
    }

    /// Returns all changes after a version, in order.
    pub(super) fn since(&self, version: u64) -> Vec<Change> {
        let of_kind = |log: &Vec<Event>| {
            let from = log.partition_point(|event| event.version <= version);
            log.get(from..).unwrap_or_default().to_vec()
        };
        let mut all: Vec<Event> = self.log.values().flat_map(of_kind).collect();
        all.sort_by_key(|event| event.version);
        let change = |event: Event| Change {
            version: event.version,
            object: event.object,
            is_deleted: event.is_deleted,
            at: event.at,
            tick: event.tick,
            by: event.by,
        };
        all.into_iter().map(change).collect()
    }

    /// Ends all watches.
    pub(super) fn cut_watches(&mut self) {
        self.watches.clear();
    }

    /// Expires all versions before the current one.
    pub(super) fn expire(&mut self) {
        self.oldest = self.version;
    }

    fn run_pods(&mut self, request: &ApiRequest, set_: &Arc<Value>) {
        let (pods, generation) = (set_.pointer("/spec/replicas"), set_.pointer("/metadata/generation"));
        let status = json!({
            "observedGeneration": generation, "replicas": pods, "readyReplicas": pods, "availableReplicas": pods
        });
        if set_.get("status") != Some(&status) {
            let mut next = (**set_).clone();
            set(&mut next, "status", status);
            self.store(request, Some(Arc::clone(set_)), next);
        }
    }
}

/// Returns what an object asks for: all fields except its identity, metadata and status.
fn wants(object: &Value) -> impl PartialEq + '_ {
    let fields = object.as_object().into_iter().flatten();
    let request =
        fields.filter(|(key, _)| !matches!(key.as_str(), "apiVersion" | "kind" | "metadata" | "status"));
    request.map(|(key, value)| (key.as_str(), value)).collect::<BTreeMap<_, _>>()
}
