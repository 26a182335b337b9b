//! Writes down every version of every object of a namespace, in order.

use super::proxy::now;
use crate::recorded::Seen;
use futures::StreamExt as _;
use kube::core::WatchEvent;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, task::JoinHandle};

/// What is recorded: the kind, and the path of its API.
pub(crate) const KINDS: [(&str, &str, &str); 7] = [
    ("Rollout", "/apis/argoproj.io/v1alpha1", "rollouts"),
    ("ReplicaSet", "/apis/apps/v1", "replicasets"),
    ("Service", "/api/v1", "services"),
    ("VirtualService", "/apis/networking.istio.io/v1alpha3", "virtualservices"),
    ("DestinationRule", "/apis/networking.istio.io/v1alpha3", "destinationrules"),
    ("Pod", "/api/v1", "pods"),
    ("EndpointSlice", "/apis/discovery.k8s.io/v1", "endpointslices"),
];

/// The objects as they are, by kind and name.
pub(crate) type Objects = BTreeMap<(&'static str, String), Value>;

#[derive(Default)]
struct Inner {
    seen: Vec<Seen>,
    objects: Objects,
    /// Why the record is not whole.
    broken: Option<String>,
}

/// Records until it is dropped.
pub(crate) struct Recorder {
    client: kube::Client,
    namespace: String,
    inner: Arc<Mutex<Inner>>,
    news: Arc<watch::Sender<u64>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Recorder {
    /// Records everything from now on.
    pub(crate) async fn start(client: kube::Client, namespace: &str) -> Result<Self, kube::Error> {
        let mut recorder = Self {
            client,
            namespace: namespace.to_owned(),
            inner: Arc::default(),
            news: Arc::new(watch::Sender::new(0)),
            tasks: Vec::new(),
        };
        for (kind, api, plural) in KINDS {
            let list = list(&recorder.client, &recorder.namespace, (api, plural)).await?;
            for value in items(&list) {
                recorder.inner().write(kind, value.clone(), false);
            }
            let from = list.pointer("/metadata/resourceVersion").and_then(Value::as_str).unwrap_or("0");
            let path = format!(
                "{api}/namespaces/{namespace}/{plural}?watch=true&timeoutSeconds=3600&resourceVersion={from}"
            );
            let (client, inner) = (recorder.client.clone(), Arc::clone(&recorder.inner));
            let news = Arc::clone(&recorder.news);
            recorder.tasks.push(tokio::spawn(async move {
                let why = follow(&client, kind, path, &inner, &news).await;
                lock(&inner).broken.get_or_insert(format!("the watch of {kind}s ended: {why}"));
                news.send_modify(|count| *count += 1);
            }));
        }
        Ok(recorder)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }

    /// Waits until the objects are like this; what they are instead when they are not in time.
    pub(crate) async fn until<T>(
        &self,
        bound: Duration,
        mut are: impl FnMut(&Objects) -> Result<T, String>,
    ) -> Result<T, String> {
        let mut news = self.news.subscribe();
        let ends = tokio::time::Instant::now() + bound;
        loop {
            news.borrow_and_update();
            let why = {
                let inner = self.inner();
                if let Some(broken) = &inner.broken {
                    return Err(broken.clone());
                }
                match are(&inner.objects) {
                    Ok(so) => return Ok(so),
                    Err(why) => why,
                }
            };
            if tokio::time::timeout_at(ends, news.changed()).await.is_err() {
                return Err(format!("not within {} s: {why}", bound.as_secs()));
            }
        }
    }

    /// All versions so far, in the order in which the API server stored them; waits until nothing is missing.
    pub(crate) async fn all(&self) -> Result<Vec<Seen>, String> {
        for (kind, api, plural) in KINDS {
            let list = list(&self.client, &self.namespace, (api, plural)).await;
            let list = list.map_err(|error| error.to_string())?;
            let (then, there) = (version(&list), items(&list));
            self.until(Duration::from_secs(10), |objects| {
                let missing = there.iter().find(|value| {
                    let known = objects.get(&(kind, name(value)));
                    known.is_none_or(|known| version(known) < version(value))
                });
                let is_gone = |known: &Value| {
                    version(known) <= then && there.iter().all(|value| name(value) != name(known))
                };
                let gone = objects.iter().find(|((of, _), known)| *of == kind && is_gone(known));
                match (missing, gone) {
                    (None, None) => Ok(()),
                    (Some(value), _) => Err(format!("{kind} {} is not recorded", name(value))),
                    (None, Some(((_, name), _))) => Err(format!("the end of {kind} {name} is not recorded")),
                }
            })
            .await?;
        }
        let mut all = self.inner().seen.clone();
        all.sort_by_key(|seen| seen.version);
        Ok(all)
    }
}

impl Inner {
    fn write(&mut self, kind: &'static str, value: Value, gone: bool) {
        let name = name(&value);
        if gone {
            self.objects.remove(&(kind, name.clone()));
        } else {
            self.objects.insert((kind, name.clone()), value.clone());
        }
        let version = version(&value);
        self.seen.push(Seen { at: (now(), 0), version, kind, name, gone, value: value.into() });
    }
}

fn lock(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn list(
    client: &kube::Client,
    namespace: &str,
    (api, plural): (&str, &str),
) -> Result<Value, kube::Error> {
    let request = hyper::Request::get(format!("{api}/namespaces/{namespace}/{plural}")).body(Vec::new());
    client.request(request.map_err(kube::Error::HttpError)?).await
}

fn items(list: &Value) -> &[Value] {
    list.get("items").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Writes down what a watch says; why it ended.
async fn follow(
    client: &kube::Client,
    kind: &'static str,
    path: String,
    inner: &Mutex<Inner>,
    news: &watch::Sender<u64>,
) -> String {
    let Ok(request) = hyper::Request::get(path).body(Vec::new()) else { return "no request".to_owned() };
    let events = match client.request_events::<Value>(request).await {
        Ok(events) => events,
        Err(error) => return error.to_string(),
    };
    let mut events = std::pin::pin!(events);
    while let Some(event) = events.next().await {
        let (value, gone) = match event {
            Ok(WatchEvent::Added(value) | WatchEvent::Modified(value)) => (value, false),
            Ok(WatchEvent::Deleted(value)) => (value, true),
            Ok(WatchEvent::Bookmark(_)) => continue,
            Ok(WatchEvent::Error(status)) => return status.to_string(),
            Err(error) => return error.to_string(),
        };
        lock(inner).write(kind, value, gone);
        news.send_modify(|count| *count += 1);
    }
    "the stream ended".to_owned()
}

fn name(value: &Value) -> String {
    value.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn version(value: &Value) -> u64 {
    let text = value.pointer("/metadata/resourceVersion").and_then(Value::as_str);
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}
