use super::{
    asked::{Asked, Verb},
    trouble::Disturbed,
};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, sync::Arc};
use tokio::{sync::mpsc, time::Instant};

/// Kind, namespace and name.
type Place = (String, String, String);

/// One change of an object.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Change {
    /// The version that it made.
    pub version: u64,
    /// The object as it is then; as it was last, if it was deleted.
    pub object: Arc<Value>,
    /// Whether it was deleted.
    pub is_deleted: bool,
}

/// A status code and why.
type Failure = (u16, &'static str);

/// All objects, and what has happened to them.
#[derive(Debug, Default)]
pub(super) struct Objects {
    all: BTreeMap<Place, Arc<Value>>,
    version: u64,
    /// Everything that happened, by kind.
    log: BTreeMap<String, Vec<Event>>,
    watches: BTreeMap<String, Vec<Watch>>,
    pub(super) pods_run: bool,
    pub(super) requests: BTreeMap<String, u64>,
    pub(super) disturbed: Disturbed,
    /// Watches from a version before this are told that it is too old.
    oldest: u64,
    /// When the last change is shown by the watches.
    shown: Option<Instant>,
}

/// What a watch shows, and when.
pub(super) type Line = (Instant, Bytes);

#[derive(Debug, Clone)]
struct Event {
    version: u64,
    object: Arc<Value>,
    is_deleted: bool,
    line: Line,
}

#[derive(Debug)]
struct Watch {
    asked: Asked,
    events: mpsc::UnboundedSender<Line>,
}

fn place(asked: &Asked) -> Place {
    (asked.kind.clone(), asked.namespace.clone(), asked.name.clone())
}

fn matches(asked: &Asked, object: &Value) -> bool {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let label = |key: &str| object.pointer("/metadata/labels")?.get(key)?.as_str();
    (asked.namespace.is_empty() || asked.namespace == text("/metadata/namespace"))
        && asked.labels.iter().all(|(key, value)| match value {
            Some(value) => label(key) == Some(value),
            None => label(key).is_some(),
        })
}

impl Objects {
    /// Counts a request, and names it.
    pub(super) fn count(&mut self, asked: &Asked) -> String {
        let verb = match asked.verb {
            Verb::Get => "GET",
            Verb::List => "LIST",
            Verb::Watch => "WATCH",
            Verb::Create => "POST",
            Verb::Replace => "PUT",
            Verb::Patch => "PATCH",
            Verb::Delete => "DELETE",
        };
        let name = format!("{verb} {}", asked.plural());
        *self.requests.entry(name.clone()).or_default() += 1;
        name
    }

    pub(super) fn get(&self, asked: &Asked) -> Result<Arc<Value>, Failure> {
        self.all.get(&place(asked)).cloned().ok_or((404, "there is none"))
    }

    pub(super) fn all(&self, asked: &Asked) -> Vec<Arc<Value>> {
        let from = (asked.kind.clone(), asked.namespace.clone(), String::new());
        let of_kind = self.all.range(from..).take_while(|((kind, _, _), _)| *kind == asked.kind);
        let here = of_kind
            .take_while(|((_, namespace, _), _)| asked.namespace.is_empty() || *namespace == asked.namespace);
        here.map(|(_, object)| object).filter(|object| matches(asked, object)).cloned().collect()
    }

    pub(super) fn list(&self, asked: &Asked) -> Value {
        let items: Vec<Value> = self.all(asked).iter().map(|object| (**object).clone()).collect();
        json!({
            "apiVersion": asked.api_version(), "kind": "List",
            "metadata": {"resourceVersion": self.version.to_string()}, "items": items
        })
    }

    pub(super) fn watch(&mut self, asked: &Asked) -> mpsc::UnboundedReceiver<Line> {
        let (events, receiver) = mpsc::unbounded_channel();
        if asked.version < self.oldest {
            let expired = json!({"type": "ERROR", "object": {
                "kind": "Status", "status": "Failure", "code": 410, "reason": "Expired",
                "message": "too old resource version"
            }});
            // The receiver is here. Without a sender it ends behind that.
            let _ = events.send((Instant::now(), Bytes::from(format!("{expired}\n"))));
            return receiver;
        }
        for event in self.log.get(&asked.kind).into_iter().flatten() {
            if event.version > asked.version && matches(asked, &event.object) {
                // The receiver is here.
                let _ = events.send(event.line.clone());
            }
        }
        self.watches.entry(asked.kind.clone()).or_default().push(Watch { asked: asked.clone(), events });
        receiver
    }

    /// Creates an object or replaces it, whatever its version is.
    pub(super) fn apply(&mut self, asked: &Asked, value: Value) -> Arc<Value> {
        let there = self.all.get(&place(asked)).cloned();
        self.store(asked, there.as_deref(), value)
    }

    pub(super) fn write(&mut self, asked: &Asked, body: &Value) -> Result<Arc<Value>, Failure> {
        let mut asked = asked.clone();
        if asked.verb == Verb::Create {
            let name = body.pointer("/metadata/name").and_then(Value::as_str);
            name.unwrap_or_default().clone_into(&mut asked.name);
            if self.all.contains_key(&place(&asked)) {
                return Err((409, "it exists already"));
            }
            return Ok(self.store(&asked, None, body.clone()));
        }
        let there = self.get(&asked)?;
        let version = |value: &Value| value.pointer("/metadata/resourceVersion").cloned();
        if version(body).is_some_and(|wanted| !wanted.is_null() && Some(wanted) != version(&there)) {
            return Err((
                409,
                "the object has been modified; please apply your changes to the latest version",
            ));
        }
        let mut next = (*there).clone();
        if asked.verb == Verb::Patch {
            merge(&mut next, body);
        } else if asked.is_status {
            set(&mut next, "status", body.get("status").cloned().unwrap_or_default());
        } else {
            next = body.clone();
            if let Some(status) = there.get("status") {
                set(&mut next, "status", status.clone());
            }
        }
        Ok(self.store(&asked, Some(&there), next))
    }

    pub(super) fn delete(&mut self, asked: &Asked, options: &Value) -> Result<(), Failure> {
        let there = self.get(asked)?;
        for key in ["uid", "resourceVersion"] {
            let wanted = options.get("preconditions").and_then(|wanted| wanted.get(key));
            if wanted.is_some_and(|wanted| there.pointer(&format!("/metadata/{key}")) != Some(wanted)) {
                return Err((409, "a precondition does not hold"));
            }
        }
        self.all.remove(&place(asked));
        self.version += 1;
        let mut last = (*there).clone();
        put(&mut last, "resourceVersion", self.version.to_string().into());
        self.tell(asked, "DELETED", Arc::new(last));
        Ok(())
    }

    fn store(&mut self, asked: &Asked, there: Option<&Value>, mut next: Value) -> Arc<Value> {
        let kept = |key: &str| there.and_then(|there| there.pointer("/metadata")?.get(key)).cloned();
        let (name, namespace) = (asked.name.clone(), asked.namespace.clone());
        let generation = kept("generation").and_then(|generation| generation.as_u64()).unwrap_or(0);
        let is_same = there.is_some_and(|there| there.get("spec") == next.get("spec"));
        let fields = &mut next;
        put(fields, "name", name.into());
        put(fields, "namespace", namespace.into());
        put(fields, "uid", kept("uid").unwrap_or_else(|| format!("uid-{}", self.version + 1).into()));
        put(fields, "generation", (generation + u64::from(!is_same)).into());
        let created = kept("creationTimestamp").unwrap_or_else(|| "2026-01-01T00:00:00Z".into());
        put(fields, "creationTimestamp", created);
        put(fields, "managedFields", json!([{"manager": "rollout-kube"}]));
        put(fields, "resourceVersion", kept("resourceVersion").unwrap_or_default());
        if there == Some(&next) {
            return Arc::new(next);
        }
        self.version += 1;
        put(&mut next, "resourceVersion", self.version.to_string().into());
        let next = Arc::new(next);
        self.all.insert(place(asked), Arc::clone(&next));
        self.tell(asked, if there.is_some() { "MODIFIED" } else { "ADDED" }, Arc::clone(&next));
        if self.pods_run && asked.plural() == "replicasets" {
            self.run_pods(asked, &next);
        }
        next
    }

    /// All changes after a version, in their order: versions and objects, as they are then or were last.
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
        };
        all.into_iter().map(change).collect()
    }

    /// Ends all watches.
    pub(super) fn cut_watches(&mut self) {
        self.watches.clear();
    }

    /// No watch can begin at a version before the present one any more.
    pub(super) fn expire(&mut self) {
        self.oldest = self.version;
    }

    fn run_pods(&mut self, asked: &Asked, set_: &Value) {
        let (pods, generation) = (set_.pointer("/spec/replicas"), set_.pointer("/metadata/generation"));
        let status = json!({
            "observedGeneration": generation, "replicas": pods, "readyReplicas": pods, "availableReplicas": pods
        });
        if set_.get("status") != Some(&status) {
            let mut next = set_.clone();
            set(&mut next, "status", status);
            self.store(asked, Some(set_), next);
        }
    }

    fn tell(&mut self, asked: &Asked, what: &'static str, object: Arc<Value>) {
        let line = Bytes::from(format!("{}\n", json!({"type": what, "object": *object})));
        // The watches show changes in their order.
        let due = Instant::now() + self.disturbed.0.watch_lag();
        let due = self.shown.map_or(due, |before| before.max(due));
        self.shown = Some(due);
        let is_deleted = what == "DELETED";
        let event = Event { version: self.version, object, is_deleted, line: (due, line) };
        if let Some(watches) = self.watches.get_mut(&asked.kind) {
            watches.retain(|watch| {
                !matches(&watch.asked, &event.object) || watch.events.send(event.line.clone()).is_ok()
            });
        }
        self.log.entry(asked.kind.clone()).or_default().push(event);
    }
}

fn set(object: &mut Value, key: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(key.to_owned(), value);
    }
}

/// Sets a field of the metadata.
fn put(object: &mut Value, key: &str, value: Value) {
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    if let Some(fields) = object.as_object_mut() {
        set(fields.entry("metadata").or_insert_with(|| json!({})), key, value);
    }
}

fn merge(into: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    let Some(into) = into.as_object_mut() else { return };
    for (key, value) in patch {
        if value.is_null() {
            into.shift_remove(key);
        } else {
            merge(into.entry(key.as_str()).or_insert(Value::Null), value);
        }
    }
}
