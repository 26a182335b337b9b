//! A step as the request that asks it.

use super::{
    kinds::{Kind, merge},
    known::Known,
    sequence::{Ask, Change, Name, Oddity, Part, Step, Uid, Version},
};
use kube::client::Body;
use serde_json::{Value, json};
use std::fmt;

const JSON: &str = "application/json";
const MERGE_PATCH: &str = "application/merge-patch+json";
const FINALIZER: &str = "conform.test/hold";
const OWNER: &str = "11111111-1111-4111-8111-111111111111";
const NOBODY: &str = "22222222-2222-4222-8222-222222222222";

pub(super) struct Request {
    pub(super) method: &'static str,
    pub(super) uri: String,
    content: &'static str,
    body: String,
}

impl Request {
    fn new(method: &'static str, uri: String) -> Self {
        Self { method, uri, content: "", body: String::new() }
    }

    /// A request of an object or of objects, without a body.
    pub(super) fn get(uri: String) -> Self {
        Self::new("GET", uri)
    }

    /// An object is made, as it is.
    pub(super) fn create(kind: Kind, object: &Value) -> Self {
        let namespace = object["metadata"]["namespace"].as_str().unwrap();
        let uri = format!("{}?fieldManager=conform", kind.path(namespace));
        Self { method: "POST", uri, content: JSON, body: object.to_string() }
    }

    pub(super) fn delete(kind: Kind, namespace: &str, name: &str) -> Self {
        Self::new("DELETE", format!("{}/{}", kind.path(namespace), encoded(name)))
    }

    pub(super) fn patch(kind: Kind, namespace: &str, name: &str, patch: &Value) -> Self {
        let uri = format!("{}/{}", kind.path(namespace), encoded(name));
        Self { method: "PATCH", uri, content: MERGE_PATCH, body: patch.to_string() }
    }

    /// The status is replaced, by another than those who wrote the rest.
    pub(super) fn status(kind: Kind, namespace: &str, name: &str, object: &Value) -> Self {
        let uri = format!("{}/{name}/status?fieldManager=other", kind.path(namespace));
        Self { method: "PUT", uri, content: JSON, body: object.to_string() }
    }

    /// The same patch, of the kind that kubectl sends.
    pub(super) fn strategic(self) -> Self {
        Self { content: "application/strategic-merge-patch+json", ..self }
    }

    pub(super) fn http(&self) -> http::Request<Body> {
        let mut request = http::Request::builder().method(self.method).uri(&self.uri);
        if !self.content.is_empty() {
            request = request.header(http::header::CONTENT_TYPE, self.content);
        }
        request.body(Body::from(self.body.clone().into_bytes())).unwrap()
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.method, self.uri, self.content, self.body)
    }
}

/// What a write asks; reads and watches are more than one request.
pub(super) fn write(step: &Step, kind: Kind, known: &Known) -> Request {
    let name = name(step.name);
    let one = |part: Part| {
        let status = if part == Part::Status { "/status" } else { "" };
        format!("{}{status}?fieldManager=conform", path(kind, known, step.name))
    };
    match &step.ask {
        Ask::Create(changes, oddity) => {
            let mut object = kind.object(&known.namespace, name);
            let changes = changes.iter().filter(|change| change.is_for(kind, Part::Whole));
            changes.for_each(|change| merge(&mut object, &leaves(kind, change)));
            oddity.spoil(&mut object);
            let uri = format!("{}?fieldManager=conform", kind.path(&known.namespace));
            Request { method: "POST", uri, content: JSON, body: oddity.body(&object) }
        }
        Ask::Replace { part, changes, version, uid, oddity } => {
            let anew = || kind.object(&known.namespace, name);
            let read = known.last(kind, name).filter(|_| *oddity != Oddity::Anew);
            let mut object = read.cloned().unwrap_or_else(anew);
            let changes = changes.iter().filter(|change| change.is_for(kind, *part));
            changes.for_each(|change| merge(&mut object, &leaves(kind, change)));
            merge(&mut object, &condition(kind, name, known, *version, *uid));
            oddity.spoil(&mut object);
            Request { method: "PUT", uri: one(*part), content: JSON, body: oddity.body(&object) }
        }
        Ask::Patch { part, changes, version, uid, oddity } => {
            let mut patch = json!({});
            let changes = changes.iter().filter(|change| change.is_for(kind, *part));
            changes.for_each(|change| overlay(&mut patch, &leaves(kind, change)));
            let mut condition = condition(kind, name, known, *version, *uid);
            // What is missing is not mentioned, which is another thing than to take it away.
            let metadata = condition["metadata"].as_object_mut().unwrap();
            if *version != Version::Null {
                metadata.retain(|_, value| !value.is_null());
            }
            if *uid == Uid::Missing {
                metadata.remove("uid");
            }
            overlay(&mut patch, &condition);
            oddity.spoil_patch(&mut patch);
            Request { method: "PATCH", uri: one(*part), content: MERGE_PATCH, body: oddity.body(&patch) }
        }
        Ask::Delete { version, uid } => {
            let mut options =
                json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"});
            let mut condition = condition(kind, name, known, *version, *uid)["metadata"].clone();
            condition.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            options["preconditions"] = condition;
            let uri = path(kind, known, step.name);
            Request { method: "DELETE", uri, content: JSON, body: options.to_string() }
        }
        Ask::Evict { uid, oddity } => {
            let condition = condition(kind, name, known, Version::Missing, *uid)["metadata"].clone();
            let mut eviction = json!({
                "apiVersion": "policy/v1", "kind": "Eviction",
                "metadata": {"namespace": known.namespace, "name": name},
                "deleteOptions": {"preconditions": condition}
            });
            oddity.spoil(&mut eviction);
            let uri = format!("{}/eviction", path(kind, known, step.name));
            Request { method: "POST", uri, content: JSON, body: oddity.body(&eviction) }
        }
        Ask::Get | Ask::List { .. } | Ask::Pages(_) | Ask::Watch { .. } | Ask::WatchFromLongAgo => {
            Request::get(path(kind, known, step.name))
        }
    }
}

pub(super) fn name(name: Name) -> &'static str {
    match name {
        Name::One => "one",
        Name::Two => "two",
        Name::Three => "three",
        Name::Odd(odd) => odd,
    }
}

/// Where it is. Without a name that would be where all are: to write there is another thing.
fn path(kind: Kind, known: &Known, which: Name) -> String {
    let name = if which == Name::Odd("") { "three".to_owned() } else { encoded(name(which)) };
    format!("{}/{name}", kind.path(&known.namespace))
}

/// As one part of a path, or one value of a query.
pub(super) fn encoded(text: &str) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    text.bytes()
        .map(|byte| if is_plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// The condition on which a write depends, as leaves; `null` where there is none.
fn condition(kind: Kind, name: &str, known: &Known, version: Version, uid: Uid) -> Value {
    let version = match version {
        Version::Read => known.version(kind, name),
        Version::Stale => Some(known.stale(kind, name)),
        Version::Missing | Version::Null => None,
        Version::Text(text) => Some(text.to_owned()),
    };
    let uid = match uid {
        Uid::Read => known.uid(kind, name),
        Uid::Missing => None,
        Uid::Another => Some(NOBODY.to_owned()),
    };
    json!({"metadata": {"resourceVersion": version, "uid": uid}})
}

fn leaves(kind: Kind, change: &Change) -> Value {
    let metadata = |leaves: Value| json!({"metadata": leaves});
    match change {
        Change::Label(label, value) => {
            let mut labels = json!({});
            labels[*label] = value.map(|value| format!("t{value}")).into();
            metadata(json!({"labels": labels}))
        }
        Change::Annotation(value) => {
            metadata(json!({"annotations": {"note": value.map(|value| format!("n{value}"))}}))
        }
        Change::NoLabels => metadata(json!({"labels": null})),
        Change::Wants(what) => kind.wants(*what),
        Change::Reports(what) => kind.reports(*what),
        Change::NoStatus => json!({"status": null}),
        Change::Finalizer(true) => metadata(json!({"finalizers": [FINALIZER]})),
        Change::Finalizer(false) => metadata(json!({"finalizers": null})),
        Change::Owner(true) => metadata(json!({"ownerReferences": [{
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "web", "controller": true, "uid": OWNER
        }]})),
        Change::Owner(false) => metadata(json!({"ownerReferences": []})),
        Change::Generation(generation) => metadata(json!({"generation": generation})),
        Change::CreationTime => metadata(json!({"creationTimestamp": "2020-01-01T00:00:00Z"})),
        Change::DeletionTime => metadata(json!({"deletionTimestamp": "2020-01-01T00:00:00Z"})),
    }
}

impl Change {
    /// What is written to the status of a custom object leaves its metadata alone; but that somebody tried is written
    /// into `managedFields`, so that there is a new version. That is not played, and asserted apart.
    fn is_for(&self, kind: Kind, part: Part) -> bool {
        // What is made by replacing nothing keeps what it says of these; so do new objects without generations.
        let is_the_servers = matches!(self, Self::Generation(_) | Self::DeletionTime);
        if is_the_servers && matches!(kind, Kind::Service | Kind::Event | Kind::Lease) {
            return false;
        }
        // The kubelet reports; who owns a pod is none of its business, nor when it goes.
        if kind == Kind::Pod && (is_the_servers || matches!(self, Self::NoStatus | Self::Owner(_))) {
            return part == Part::Whole && !is_the_servers;
        }
        let is_metadata =
            !matches!(self, Self::Wants(_) | Self::Reports(_) | Self::NoStatus | Self::Generation(_));
        !(is_metadata && kind.is_custom() && part == Part::Status)
    }
}

impl Oddity {
    /// The leaf that is wrong, if one is.
    fn leaf(self) -> Option<Value> {
        Some(match self {
            Self::OtherName => json!({"metadata": {"name": "other"}}),
            Self::NoName => json!({"metadata": {"name": null}}),
            Self::OtherNamespace => json!({"metadata": {"namespace": "other"}}),
            Self::NoNamespace => json!({"metadata": {"namespace": null}}),
            Self::OtherKind => json!({"kind": "Pod"}),
            Self::NoKind => json!({"kind": null}),
            Self::OtherApiVersion => json!({"apiVersion": "other/v1"}),
            Self::NoApiVersion => json!({"apiVersion": null}),
            Self::NoMetadata => json!({"metadata": null}),
            Self::Version => json!({"metadata": {"resourceVersion": "1"}}),
            Self::Uid => json!({"metadata": {"uid": NOBODY}}),
            Self::Nothing | Self::Anew | Self::Raw(_) => return None,
        })
    }

    fn spoil(self, object: &mut Value) {
        if let Some(leaf) = self.leaf() {
            merge(object, &leaf);
        }
    }

    fn spoil_patch(self, patch: &mut Value) {
        if let Some(leaf) = self.leaf() {
            overlay(patch, &leaf);
        }
    }

    fn body(self, object: &Value) -> String {
        if let Self::Raw(text) = self { text.to_owned() } else { object.to_string() }
    }
}

/// Adds leaves to a patch; those that take something away stay in it.
fn overlay(patch: &mut Value, leaves: &Value) {
    match leaves.as_object() {
        Some(leaves) if patch.is_object() => {
            leaves.iter().for_each(|(key, leaf)| overlay(&mut patch[key], leaf));
        }
        _ => patch.clone_from(leaves),
    }
}
