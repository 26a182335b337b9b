//! Queries a mesh's control plane for what its proxies have.

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

/// Access to a mesh's control plane, which knows what its proxies have: its replicas, over HTTP, and the cluster's
/// pods.
///
/// A controller with a [data plane](crate::ControllerBuilder::data_plane) creates it:
///
/// ```
/// use rollout_core::backend::{Fetch, NoAnswer, Rounds};
/// use rollout_kube::{ControlPlane, ControlPlaneAt, Controller, testing::SimulatedApiServer};
/// use std::{sync::{Arc, Mutex}, time::Duration};
/// # use rollout_core::{async_trait::async_trait, backend::{DataPlane, NoDataPlane, RolloutRef, Round}};
/// # #[derive(Debug)]
/// # struct Nobody;
/// # #[async_trait]
/// # impl Rounds for Nobody {
/// #     fn of(self: Arc<Self>, _: &RolloutRef) -> Arc<dyn DataPlane> { Arc::new(NoDataPlane) }
/// #     fn next_round(&self) -> Option<Duration> { None }
/// #     async fn round(&self) -> Round { Round::default() }
/// #     fn forget(&self, _: &RolloutRef) {}
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = SimulatedApiServer::start();
/// // Nothing listens there.
/// let at = ControlPlaneAt::new(vec!["http://127.0.0.1:1".parse()?]).limit(8 << 20);
/// let made = Arc::new(Mutex::new(None::<ControlPlane>));
/// let keep = Arc::clone(&made);
/// let make = move |plane: ControlPlane| -> Arc<dyn Rounds> {
///     *keep.lock().unwrap() = Some(plane);
///     Arc::new(Nobody) // Elsewhere, what interprets the answers: for Istio, `rollout_istio::Istiod`.
/// };
/// let stop = tokio::time::sleep(Duration::from_secs(1));
/// Controller::builder(server.client()).data_plane(at, make).run_until(stop).await?;
/// let plane = made.lock().unwrap().take().ok_or("the controller did not start")?;
/// let answers = plane.fetch(&["/debug/syncz"]).await;
/// assert_eq!((&*answers[0].replica, &answers[0].answers[0]), ("http://127.0.0.1:1", &Err(NoAnswer::Closed)));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct ControlPlane {
    replicas: Arc<[Address]>,
    http: Http,
    /// The only namespace whose pods are watched; `None` for all.
    namespace: Option<Arc<str>>,
    caches: Arc<Caches>,
    started: Instant,
    clock: Clock,
    /// For each replica, its slowest answer and how often in a row it did not answer.
    pace: Arc<Mutex<HashMap<String, Pace>>>,
}

/// A replica that does not answer within this time is silent.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The timeout is this many times a replica's slowest answer, and grows each time it does not answer.
const SLOWEST_FACTOR: u32 = 4;
const LONGEST_TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, Default)]
struct Pace {
    slowest: Duration,
    silent: u32,
}

impl Pace {
    fn timeout(self) -> Duration {
        let longer = TIMEOUT * (1 << self.silent.min(3));
        longer.max(self.slowest * SLOWEST_FACTOR).min(LONGEST_TIMEOUT)
    }

    fn answered(&mut self, took: Duration) {
        // A slow answer is forgotten slowly.
        (self.slowest, self.silent) = (took.max(self.slowest.mul_f64(0.9)), 0);
    }
}

impl ControlPlane {
    /// Creates the access for the Rollouts of one namespace, or of all.
    ///
    /// # Errors
    /// A replica has an HTTPS address, and this machine has no trusted CA certificates.
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
        let timeout = self.pace().get(replica.as_str()).copied().unwrap_or_default().timeout();
        let answer = tokio::time::timeout(timeout, self.http.get(replica, path)).await;
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
        // A proxy chooses this name itself.
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

/// Returns whether a pod's containers have ended for good; such a pod is kept only for inspection.
fn has_ended(pod: &Value) -> bool {
    let phase = pod.pointer("/status/phase").and_then(Value::as_str);
    matches!(phase, Some("Succeeded" | "Failed"))
}

impl fmt::Debug for ControlPlane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlPlane").field("replicas", &self.replicas).finish_non_exhaustive()
    }
}
