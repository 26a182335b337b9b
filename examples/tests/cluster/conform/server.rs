//! One of the two API servers, as a client sees it.

use super::{
    kinds::{Kind, merge},
    known::Known,
    request::{self, Request},
    sequence::{Ask, Sequence, Step},
    watched::{PATIENCE, Watched},
};
use http_body_util::BodyExt as _;
use kube::Client;
use serde_json::{Value, json};
use std::{collections::BTreeSet, fmt};
use tokio::time::timeout;

/// What came back, so that it can be compared.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub(super) code: u16,
    pub(super) body: Value,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.body)
    }
}

pub(super) struct Server {
    client: Client,
    known: Known,
    watches: Vec<Watched>,
    /// Of which kinds there may be objects.
    kinds: BTreeSet<Kind>,
    /// What was asked last.
    pub(super) asked: String,
    /// The newest version that was seen.
    newest: u64,
}

/// A list has so few pages.
const PAGES: usize = 10;

impl Server {
    /// The objects of this namespace.
    pub(super) fn new(client: Client, namespace: &str) -> Self {
        Self {
            client,
            known: Known::of(namespace),
            watches: Vec::new(),
            kinds: BTreeSet::new(),
            asked: String::new(),
            newest: 0,
        }
    }

    /// Asks it, and says what came.
    pub(super) async fn ask(&mut self, sequence: &Sequence, step: &Step) -> Answer {
        let kind = sequence.kind(step);
        self.kinds.insert(kind);
        let here = self.known.namespace.clone();
        let path = |everywhere| kind.path(if everywhere { "" } else { &here });
        match &step.ask {
            Ask::List { everywhere, labels } => self.list(kind, path(*everywhere), labels).await,
            Ask::Pages(limit) => self.pages(kind, &path(false), *limit).await,
            Ask::Watch { everywhere, labels } => {
                let version = match self.known.version(kind, request::name(step.name)) {
                    Some(version) => version,
                    None => self.newest_version(kind).await,
                };
                self.watch(kind, &path(*everywhere), labels, &version).await
            }
            // Only the definitions of resources are younger than this version on every server.
            Ask::WatchFromLongAgo => self.watch(Kind::Rollout, &Kind::Rollout.path(&here), "", "1").await,
            Ask::Create(..)
            | Ask::Get
            | Ask::Replace { .. }
            | Ask::Patch { .. }
            | Ask::Delete { .. }
            | Ask::Evict { .. } => {
                let request = request::write(step, kind, &self.known);
                let (code, body) = self.send(&request).await;
                self.take(kind, code, &body)
            }
        }
    }

    pub(super) async fn send(&mut self, request: &Request) -> (u16, Value) {
        self.asked = request.to_string();
        let answer = async {
            let answer = self.client.send(request.http()).await.unwrap();
            let code = answer.status().as_u16();
            (code, answer.into_body().collect().await.unwrap().to_bytes())
        };
        let (code, bytes) = timeout(PATIENCE, answer)
            .await
            .unwrap_or_else(|_| panic!("no answer within {PATIENCE:?}: {request}"));
        let text = String::from_utf8_lossy(&bytes);
        (code, serde_json::from_slice(&bytes).unwrap_or_else(|_| json!({"not JSON": text})))
    }

    /// An answer that has one object.
    fn take(&mut self, kind: Kind, code: u16, body: &Value) -> Answer {
        if body["kind"] == "Status" || !(200..300).contains(&code) {
            return Answer { code, body: self.known.told_status(body) };
        }
        self.known.take(kind, body);
        self.saw(body);
        Answer { code, body: self.known.told(body) }
    }

    fn saw(&mut self, object: &Value) {
        let version = object["metadata"]["resourceVersion"].as_str().unwrap_or_default();
        let version: u64 = version.parse().unwrap_or_else(|_| panic!("no version: {object}"));
        self.newest = self.newest.max(version);
    }

    async fn list(&mut self, kind: Kind, path: String, labels: &str) -> Answer {
        let uri = if labels.is_empty() {
            path
        } else {
            format!("{path}?labelSelector={}", request::encoded(labels))
        };
        let (code, body) = self.send(&Request::get(uri)).await;
        self.listed(kind, code, body)
    }

    /// An answer that is a list: what is in this namespace.
    fn listed(&mut self, kind: Kind, code: u16, mut body: Value) -> Answer {
        let Some(items) = body.get_mut("items").map(Value::take) else {
            return Answer { code, body: self.known.told_status(&body) };
        };
        let here = self.known.namespace.clone();
        let items = items.as_array().cloned().unwrap_or_default();
        let items = items.into_iter().filter(|item| item["metadata"]["namespace"] == *here);
        let items: Vec<Value> = items
            .map(|item| {
                self.known.take(kind, &item);
                self.saw(&item);
                self.known.told(&item)
            })
            .collect();
        let version = body["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
        // Whatever else changed meanwhile: it is at least as new as what it lists.
        let is_new = version.parse::<u64>().is_ok_and(|version| version >= self.newest);
        body["metadata"]["resourceVersion"] =
            if is_new { "new".into() } else { format!("{version} after {}", self.newest).into() };
        // An empty one says the same as none.
        let next = body["metadata"].as_object_mut().unwrap().shift_remove("continue");
        if next.is_some_and(|next| next != "") {
            body["metadata"]["continue"] = true.into();
        }
        body["items"] = items.into();
        self.known.listed = Some(version);
        Answer { code, body }
    }

    async fn pages(&mut self, kind: Kind, path: &str, limit: u8) -> Answer {
        let mut pages = Vec::new();
        let mut next = String::new();
        while pages.len() < PAGES {
            let and = if next.is_empty() {
                String::new()
            } else {
                format!("&continue={}", request::encoded(&next))
            };
            let (code, body) = self.send(&Request::get(format!("{path}?limit={limit}{and}"))).await;
            body["metadata"]["continue"].as_str().unwrap_or_default().clone_into(&mut next);
            let page = self.listed(kind, code, body);
            let is_last = next.is_empty() || page.code != 200;
            pages.push(page);
            if is_last {
                break;
            }
        }
        let code = pages.last().unwrap().code;
        Answer { code, body: pages.into_iter().map(|page| page.body).collect() }
    }

    async fn newest_version(&mut self, kind: Kind) -> String {
        if self.known.listed.is_none() {
            self.list(kind, kind.path(&self.known.namespace), "").await;
        }
        self.known.listed.clone().unwrap()
    }

    async fn watch(&mut self, kind: Kind, path: &str, labels: &str, version: &str) -> Answer {
        let labels = if labels.is_empty() {
            String::new()
        } else {
            format!("&labelSelector={}", request::encoded(labels))
        };
        let request = Request::get(format!(
            "{path}?watch=true&timeoutSeconds=55&allowWatchBookmarks=true&resourceVersion={version}{labels}"
        ));
        self.asked = request.to_string();
        let answer = timeout(PATIENCE, self.client.send(request.http())).await;
        let answer = answer.unwrap_or_else(|_| panic!("no answer within {PATIENCE:?}: {request}")).unwrap();
        let code = answer.status().as_u16();
        if code == 200 {
            self.watches.push(Watched::new(kind, self.asked.clone(), version, answer.into_body()));
            return Answer { code, body: Value::Null };
        }
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        self.take(kind, code, &serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// What the watches have shown until now: each with what was asked.
    pub(super) async fn shown(&mut self) -> Vec<(String, Answer)> {
        let kinds: BTreeSet<Kind> = self.watches.iter().map(|watch| watch.kind).collect();
        self.kinds.extend(&kinds);
        for kind in kinds {
            // A selector asks for the label or asks that it is not there.
            for (name, label) in [("end-1", json!("t1")), ("end-2", Value::Null)] {
                let mut object = kind.object(&self.known.namespace, name);
                merge(&mut object, &json!({"metadata": {"labels": {"tier": label}}}));
                let (code, body) = self.send(&Request::create(kind, &object)).await;
                assert_eq!(code, 201, "{body}");
            }
        }
        let mut all = Vec::new();
        for watch in std::mem::take(&mut self.watches) {
            let (asked, answer) = watch.until_the_end(&mut self.known).await;
            all.push((asked, answer));
        }
        all
    }

    pub(super) fn namespace(&self) -> &str {
        &self.known.namespace
    }

    /// Deletes what there is of any kind.
    pub(super) async fn clean_all(&mut self) {
        self.kinds.extend(Kind::ALL);
        self.clean().await;
    }

    /// Deletes everything that may have been made.
    pub(super) async fn clean(&mut self) {
        let here = self.known.namespace.clone();
        for kind in std::mem::take(&mut self.kinds) {
            let (_, list) = self.send(&Request::get(kind.path(&here))).await;
            for object in list["items"].as_array().into_iter().flatten() {
                let name = object["metadata"]["name"].as_str().unwrap();
                if object["metadata"].get("finalizers").is_some() {
                    let patch = json!({"metadata": {"finalizers": null}});
                    self.send(&Request::patch(kind, &here, name, &patch)).await;
                }
                // It may be gone with that.
                self.send(&Request::delete(kind, &here, name)).await;
            }
        }
    }
}
