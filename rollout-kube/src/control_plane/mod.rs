//! How a mesh's control plane is asked what its proxies have.

mod address;
mod http;
mod place;
mod rounds;
#[cfg(test)]
mod tests;

pub use address::{Address, InvalidAddress};
pub use place::ControlPlaneAt;
pub(crate) use rounds::{DataPlanes, run_rounds};

use self::http::Http;
use crate::{cache::Caches, rollout::Clock};
use async_trait::async_trait;
use rollout_core::{
    DnsName, Revision, Time,
    backend::{Fetch, Fetched, NoAnswer, REVISION_LABEL, StoreError},
    traffic::ObjectRef,
};
use serde_json::Value;
use std::{
    collections::HashMap,
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How a mesh's control plane is asked what its proxies have: its replicas, over HTTP, and the pods of the cluster.
#[derive(Clone)]
pub struct ControlPlane {
    replicas: Arc<[Address]>,
    http: Http,
    /// The only one whose pods are watched, if it is not all of them.
    namespace: Option<Arc<str>>,
    caches: Arc<Caches>,
    started: Instant,
    clock: Clock,
    /// How long each has taken at most to answer, and how often in a row it did not.
    pace: Arc<Mutex<HashMap<String, Pace>>>,
}

/// One that does not answer within this time is silent.
const PATIENCE: Duration = Duration::from_secs(10);
/// One that has taken so long, so many times as long; and more each time that it did not answer.
const AS_LONG: u32 = 4;
const LONGEST_PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, Default)]
struct Pace {
    slowest: Duration,
    silent: u32,
}

impl Pace {
    fn patience(self) -> Duration {
        let longer = PATIENCE * (1 << self.silent.min(3));
        longer.max(self.slowest * AS_LONG).min(LONGEST_PATIENCE)
    }

    fn answered(&mut self, took: Duration) {
        // What was slow once is forgotten slowly.
        (self.slowest, self.silent) = (took.max(self.slowest.mul_f64(0.9)), 0);
    }
}

impl ControlPlane {
    /// For the Rollouts of one namespace, or of all.
    ///
    /// # Errors
    /// HTTPS is asked for, and this machine trusts nobody.
    pub(crate) fn new(
        at: ControlPlaneAt,
        namespace: Option<&str>,
        caches: Arc<Caches>,
        clock: Clock,
    ) -> io::Result<Self> {
        let http = Http::new(&at)?;
        let (namespace, started, pace) = (namespace.map(Into::into), Instant::now(), Arc::default());
        Ok(Self { replicas: at.replicas.into(), http, namespace, caches, started, pace, clock })
    }

    async fn ask(&self, replica: &Address, path: &str) -> Result<Vec<u8>, NoAnswer> {
        let begun = Instant::now();
        let patience = self.pace().get(replica.as_str()).copied().unwrap_or_default().patience();
        let answer = tokio::time::timeout(patience, self.http.get(replica, path)).await;
        let answer = answer.unwrap_or(Err(NoAnswer::Silent));
        let mut paces = self.pace();
        let pace = paces.entry(replica.as_str().to_owned()).or_default();
        match answer {
            Ok(_) => pace.answered(begun.elapsed()),
            Err(NoAnswer::Silent) => pace.silent = pace.silent.saturating_add(1),
            Err(_) => {}
        }
        answer
    }

    fn pace(&self) -> MutexGuard<'_, HashMap<String, Pace>> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn pod(&self, namespace: &str, name: &str, live: bool) -> Option<bool> {
        // It is a name that a proxy has given itself.
        if DnsName::label(namespace).is_err() || DnsName::parse(name).is_err() {
            return None;
        }
        let pod = ObjectRef::new("", "Pod", namespace, name);
        let found = if live {
            self.caches.requests().get(&pod).await.map(|pod| pod.value)
        } else if self.namespace.as_deref().is_none_or(|only| only == namespace) {
            self.caches.get(&pod).await.map(|entry| Value::clone(&entry.value))
        } else {
            return None;
        };
        match found {
            Ok(pod) => Some(!has_ended(&pod)),
            Err(StoreError::NotFound(_)) if live => Some(false),
            Err(_) => None,
        }
    }
}

#[async_trait]
impl Fetch for ControlPlane {
    async fn fetch(&self, paths: &[&str]) -> Vec<Fetched> {
        let all = self.replicas.iter().map(|replica| async move {
            let answers = futures::future::join_all(paths.iter().map(|path| self.ask(replica, path))).await;
            Fetched { replica: replica.as_str().to_owned(), answers }
        });
        futures::future::join_all(all).await
    }

    async fn ready(&self, namespace: &str, revision: &Revision) -> Option<Vec<String>> {
        let like = ObjectRef::new("", "Pod", namespace, "");
        let pods = self.caches.having(&like, &[revision.as_str().to_owned()]).await.ok()?;
        let of_revision = pods.iter().filter(|pod| pod.label(REVISION_LABEL) == Some(revision.as_str()));
        let ready = of_revision.filter(|pod| is_ready(&pod.value));
        Some(ready.filter_map(|pod| pod.text("/status/podIP").map(str::to_owned)).collect())
    }

    async fn pods(&self, pods: &[(&str, &str)], live: bool) -> Vec<Option<bool>> {
        futures::future::join_all(pods.iter().map(|(namespace, name)| self.pod(namespace, name, live))).await
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn now(&self) -> Time {
        (self.clock)()
    }
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
    let ready = conditions.into_iter().flatten().any(|condition| {
        condition.get("type").and_then(Value::as_str) == Some("Ready")
            && condition.get("status").and_then(Value::as_str) == Some("True")
    });
    ready && pod.pointer("/metadata/deletionTimestamp").is_none_or(Value::is_null)
}

/// Whether its containers have ended for good: it is kept for people to look at.
fn has_ended(pod: &Value) -> bool {
    let phase = pod.pointer("/status/phase").and_then(Value::as_str);
    matches!(phase, Some("Succeeded" | "Failed"))
}

impl fmt::Debug for ControlPlane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlPlane").field("replicas", &self.replicas).finish_non_exhaustive()
    }
}
