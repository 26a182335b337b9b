//! A simulated API server.

use crate::store::mock::{Answer, Asked};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The kinds that are installed.
const KINDS: [&str; 9] = [
    "rollouts",
    "replicasets",
    "services",
    "pods",
    "deployments",
    "podtemplates",
    "analysisruns",
    "analysistemplates",
    "clusteranalysistemplates",
];

/// Objects by path. Watches show nothing: a turn knows only what it reads and writes itself.
pub(super) struct Cluster {
    /// The `managedFields` of all objects.
    pub(super) managers: Value,
    /// Whether a webhook reverts the pod count of every ReplicaSet.
    pub(super) pods_stay: bool,
    pub(super) objects: BTreeMap<String, Value>,
    pub(super) version: u64,
    /// Every write to a path that holds this text is answered with this code.
    pub(super) fails: Option<(&'static str, u16)>,
    /// No write to a path that holds this text is answered.
    pub(super) silent: Option<&'static str>,
    /// Every write to a path that holds this text succeeds without effect.
    pub(super) reverts: Option<&'static str>,
    /// The next write is answered with this code; the flag says whether it takes effect all the same.
    pub(super) fault: Option<(u16, bool)>,
    /// The same for the nth write from now on.
    pub(super) fail_in: Option<(usize, u16, bool)>,
    pub(super) writes: Vec<(String, String)>,
    /// The reasons of the published events.
    pub(super) event_reasons: Vec<String>,
    /// The notes of the published events.
    pub(super) event_notes: Vec<String>,
}

impl Default for Cluster {
    fn default() -> Self {
        Self {
            managers: json!([{"manager": "us"}]),
            pods_stay: false,
            fails: None,
            silent: None,
            reverts: None,
            objects: BTreeMap::new(),
            version: 0,
            fault: None,
            fail_in: None,
            writes: Vec::new(),
            event_reasons: Vec::new(),
            event_notes: Vec::new(),
        }
    }
}

impl Cluster {
    pub(super) fn put(&mut self, path: &str, mut value: Value) -> Value {
        self.version += 1;
        value["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let uid = format!("uid-{path}");
        if value["metadata"]["uid"].is_null() {
            value["metadata"]["uid"] = json!(uid);
        }
        value["metadata"]["managedFields"] = self.managers.clone();
        self.objects.insert(path.to_owned(), value.clone());
        value
    }

    pub(super) fn answer(&mut self, asked: &Asked) -> Answer {
        let (path, query) = asked.uri.split_once('?').unwrap_or((&asked.uri, ""));
        if asked.method == "GET" {
            return self.read(path, query);
        }
        if path.contains("/events") {
            return self.event(path, asked);
        }
        self.writes.push((asked.method.clone(), path.to_owned()));
        if let Some((nth, code, took_effect)) = self.fail_in.take() {
            if nth == 1 {
                self.fault = Some((code, took_effect));
            } else {
                self.fail_in = Some((nth - 1, code, took_effect));
            }
        }
        if self.silent.is_some_and(|part| path.contains(part)) {
            return Answer::Never;
        }
        if let Some((_, code)) = self.fails.filter(|(part, _)| path.contains(part)) {
            return Answer::failure(code, "a fault");
        }
        match self.fault.take() {
            Some((code, false)) => Answer::failure(code, "a fault"),
            Some((code, true)) => {
                self.write(path, asked);
                Answer::failure(code, "a fault")
            }
            None => self.write(path, asked),
        }
    }

    fn event(&mut self, path: &str, asked: &Asked) -> Answer {
        let mut event = asked.body.clone();
        if asked.method == "POST" {
            self.event_reasons.push(event["reason"].as_str().unwrap_or_default().to_owned());
            self.event_notes.push(event["message"].as_str().unwrap_or_default().to_owned());
        } else {
            let name = path.rsplit('/').next().unwrap_or_default();
            event["metadata"] = json!({"namespace": "shop", "name": name});
        }
        event["metadata"]["resourceVersion"] = json!("1");
        Answer::Is(201, event)
    }

    fn read(&self, path: &str, query: &str) -> Answer {
        if query.contains("watch=") {
            return Answer::Never;
        }
        if let Some(object) = self.objects.get(path) {
            return Answer::ok(object.clone());
        }
        let (group, plural) = path.rsplit_once('/').unwrap_or_default();
        if !KINDS.contains(&plural) {
            return Answer::failure(404, "there is none");
        }
        let root = group.split("/namespaces/").next().unwrap_or_default();
        let is_in = |key: &&String| key.starts_with(root) && key.contains(&format!("/{plural}/"));
        let items: Vec<_> =
            self.objects.keys().filter(is_in).filter_map(|key| self.objects.get(key)).collect();
        Answer::ok(json!({"metadata": {"resourceVersion": self.version.to_string()}, "items": items}))
    }

    fn write(&mut self, path: &str, asked: &Asked) -> Answer {
        if path.ends_with("/eviction") {
            return Answer::Is(201, json!({"kind": "Status", "status": "Success"}));
        }
        if asked.method == "POST" {
            let name = asked.body["metadata"]["name"].as_str().unwrap_or_default();
            if self.objects.contains_key(&format!("{path}/{name}")) {
                return Answer::taken();
            }
            let mut made = asked.body.clone();
            made["metadata"]["generation"] = json!(1);
            return Answer::Is(201, self.put(&format!("{path}/{name}"), made));
        }
        let key = path.trim_end_matches("/status");
        let Some(existing) = self.objects.get(key).cloned() else {
            return Answer::failure(404, "there is none");
        };
        if self.reverts.is_some_and(|part| path.contains(part)) {
            return Answer::ok(existing);
        }
        let asked_for = &asked.body["metadata"]["resourceVersion"];
        if !asked_for.is_null() && *asked_for != existing["metadata"]["resourceVersion"] {
            return Answer::failure(409, "the object has been modified");
        }
        let mut next = existing.clone();
        if path.ends_with("/status") {
            next["status"] = asked.body["status"].clone();
        } else if asked.method == "PATCH" {
            merge(&mut next, &asked.body);
        } else {
            next = asked.body.clone();
        }
        if self.pods_stay && path.contains("/replicasets/") {
            next["spec"]["replicas"] = existing["spec"]["replicas"].clone();
        }
        if next == existing {
            return Answer::ok(existing);
        }
        if next["spec"] != existing["spec"] {
            next["metadata"]["generation"] =
                json!(existing["metadata"]["generation"].as_u64().unwrap_or(0) + 1);
        }
        Answer::ok(self.put(key, next))
    }
}

pub(super) fn merge(into: &mut Value, patch: &Value) {
    let (Some(into), Some(patch)) = (into.as_object_mut(), patch.as_object()) else { return };
    for (key, value) in patch {
        match value {
            Value::Null => into.retain(|other, _| other != key),
            Value::Object(_) => merge(into.entry(key.as_str()).or_insert_with(|| json!({})), value),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}
