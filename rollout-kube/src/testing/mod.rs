//! A simulated API server, in memory, for tests and benchmarks of a whole controller.

mod api_request;
mod kinds;
mod merge;
mod objects;
mod pages;
#[cfg(feature = "analysis")]
mod provider;
mod refusal;
mod selector;
#[cfg(test)]
mod tests;
mod trouble;
mod watches;
mod writes;

pub use objects::{Change, Sender};
#[cfg(feature = "analysis")]
pub use provider::SimulatedProvider;
#[cfg(feature = "analysis")]
pub(crate) use provider::provider;
pub use trouble::{Disturb, Trouble};

use api_request::{ApiRequest, Sent, Verb};
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use kube::{Client, client::Body};
use objects::Objects;
use refusal::Refusal;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{mpsc, oneshot};

/// A small simulated Kubernetes API server: lists (by label, in pages), watches from a version, resource versions and
/// generations, compare-and-swap writes, merge patches, the status subresource, finalizers, evictions. It stores
/// objects of any kind. For the kinds that this crate reads and writes (Rollouts, ReplicaSets, Pods, Services,
/// VirtualServices, DestinationRules, Events, Leases) it answers like a real server, except for the wording of errors;
/// `cargo xtask conform` compares the two. It differs on purpose:
///
/// - Every namespace exists, and every client may do everything.
/// - It checks no schema: it stores unchanged what a real server would refuse, default, or prune. It refuses a name
///   that is not a DNS name, and checks names no further.
/// - It does not record managed fields. On a real server, a change to those alone makes a new version, for example the
///   first status that a controller writes to an object, even an unchanged one.
/// - It supports only merge patches.
/// - It collects no garbage: an object that is deleted in the foreground stays until a client removes its finalizer.
/// - No `PodDisruptionBudget` protects a pod, and one that is deleted or evicted goes at once, as if it had never run.
/// - A watch sends no bookmarks and does not end by itself.
///
/// It answers on tasks of the runtime in which it was [started](Self::start), so that the processor time of a client in
/// another runtime is the client's own. Cloning is cheap: clones share one server.
///
/// ```
/// use rollout_kube::testing::SimulatedApiServer;
/// use serde_json::json;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = SimulatedApiServer::start();
/// server.apply("/api/v1/namespaces/shop/services/web", json!({"spec": {"selector": {"app": "web"}}}));
/// let read = server.client().request_text(http::Request::get("/api/v1/services").body(Vec::new())?).await?;
/// assert!(read.contains(r#""name":"web""#));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct SimulatedApiServer {
    objects: Arc<Mutex<Objects>>,
    requests: mpsc::UnboundedSender<(Request<Body>, oneshot::Sender<Answer>)>,
}

/// The header by which a client identifies itself; see [`Change::by`].
///
/// ```
/// use rollout_kube::testing::{CLIENT, SimulatedApiServer};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = SimulatedApiServer::start();
/// server.apply("/api/v1/namespaces/shop/services/web", serde_json::json!({"spec": {}}));
/// let path = "/api/v1/namespaces/shop/services/web";
/// let request = http::Request::delete(path).header(CLIENT, "controller-1").body(Vec::new())?;
/// server.client().request_text(request).await?;
/// let deleted = server.since(1).remove(0);
/// assert!(deleted.is_deleted);
/// assert_eq!(deleted.by.map(|sender| sender.client.to_string()).as_deref(), Some("controller-1"));
/// # Ok(()) }
/// ```
pub const CLIENT: &str = "x-client";

type Answer = Response<UnsyncBoxBody<Bytes, io::Error>>;

impl SimulatedApiServer {
    /// Starts a server without objects. Call it within a runtime.
    ///
    /// See [`SimulatedApiServer`] for an example.
    #[must_use]
    pub fn start() -> Self {
        let objects = Arc::new(Mutex::new(Objects::default()));
        let (requests, mut received) = mpsc::unbounded_channel::<(Request<Body>, oneshot::Sender<Answer>)>();
        let served = Arc::clone(&objects);
        tokio::spawn(async move {
            while let Some((request, answer)) = received.recv().await {
                // Each request has its own task: a late one does not delay the others.
                tokio::spawn(serve(Arc::clone(&served), request, answer));
            }
        });
        Self { objects, requests }
    }

    /// Creates a client of this server, with the default namespace `default`.
    ///
    /// See [`SimulatedApiServer`] for an example.
    #[must_use]
    pub fn client(&self) -> Client {
        let requests = self.requests.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let (sender, answer) = oneshot::channel();
            let sent = requests.send((request, sender));
            async move {
                let gone = || io::Error::other("the simulated API server is gone");
                sent.map_err(|_| gone())?;
                answer.await.map_err(|_| gone())
            }
        });
        Client::new(service, "default")
    }

    /// Creates an object at a path (`/api/v1/namespaces/shop/services/web`), or replaces it, whatever its version. A new
    /// object keeps its `creationTimestamp`, if it has one: the server has no clock.
    ///
    /// See [`SimulatedApiServer`] for an example.
    pub fn apply(&self, path: &str, value: Value) {
        if let Some(request) = ApiRequest::parse("PUT", path) {
            self.objects().apply(&request, value);
        }
    }

    /// Changes fields of an object, if it exists, as `kubectl patch --type=merge` does.
    ///
    /// ```
    /// use rollout_kube::testing::SimulatedApiServer;
    /// use serde_json::json;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let server = SimulatedApiServer::start();
    /// let web = "/api/v1/namespaces/shop/services/web";
    /// server.apply(web, json!({"spec": {"selector": {"app": "web", "track": "old"}}}));
    /// server.patch(web, &json!({"spec": {"selector": {"track": null}}}));
    /// assert_eq!(server.all("/api/v1/services")[0]["spec"]["selector"], json!({"app": "web"}), "null removes");
    /// # }
    /// ```
    pub fn patch(&self, path: &str, leaves: &Value) {
        if let Some(request) = ApiRequest::parse("PATCH", path) {
            // It may not exist.
            let _ = self.objects().change(&request, leaves);
        }
    }

    /// Deletes an object, if it exists.
    ///
    /// ```
    /// use rollout_kube::testing::SimulatedApiServer;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let server = SimulatedApiServer::start();
    /// server.apply("/api/v1/namespaces/shop/services/web", serde_json::json!({"spec": {}}));
    /// server.delete("/api/v1/namespaces/shop/services/web");
    /// assert!(server.all("/api/v1/services").is_empty());
    /// # }
    /// ```
    pub fn delete(&self, path: &str) {
        if let Some(request) = ApiRequest::parse("DELETE", path) {
            // It may not exist.
            let _ = self.objects().remove(&request);
        }
    }

    /// Returns all objects of a kind (`/apis/apps/v1/replicasets`), by namespace and name.
    ///
    /// See [`patch`](Self::patch) for an example.
    #[must_use]
    pub fn all(&self, path: &str) -> Vec<Arc<Value>> {
        ApiRequest::parse("GET", path).map(|request| self.objects().all(&request)).unwrap_or_default()
    }

    /// From now on, gives every ReplicaSet at once the pods that it asks for, all of them ready.
    ///
    /// ```
    /// use rollout_kube::testing::SimulatedApiServer;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let server = SimulatedApiServer::start();
    /// server.run_pods();
    /// let set = serde_json::json!({"spec": {"replicas": 3}});
    /// server.apply("/apis/apps/v1/namespaces/shop/replicasets/web-v1", set);
    /// assert_eq!(server.all("/apis/apps/v1/replicasets")[0]["status"]["readyReplicas"], 3);
    /// # }
    /// ```
    pub fn run_pods(&self) {
        self.objects().pods_run = true;
    }

    /// Returns the number of requests so far, by verb and kind (`PUT virtualservices`, `POST pods/eviction`).
    ///
    /// ```
    /// use rollout_kube::testing::SimulatedApiServer;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = SimulatedApiServer::start();
    /// server.apply("/api/v1/namespaces/shop/services/web", serde_json::json!({"spec": {}}));
    /// server.client().request_text(http::Request::get("/api/v1/services").body(Vec::new())?).await?;
    /// assert_eq!(server.requests(), [("LIST services".to_owned(), 1)].into(), "`apply` is not a request");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn requests(&self) -> BTreeMap<String, u64> {
        self.objects().requests.clone()
    }

    /// From now on, lets `disturb` decide which faults to inject.
    ///
    /// See [`Disturb`] for an example.
    pub fn disturb(&self, disturb: impl Disturb + 'static) {
        self.objects().disturbed.0 = Box::new(disturb);
    }

    /// Returns the version of the last change; 0 before the first.
    ///
    /// ```
    /// use rollout_kube::testing::SimulatedApiServer;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let server = SimulatedApiServer::start();
    /// assert_eq!(server.version(), 0);
    /// server.apply("/api/v1/namespaces/shop/services/web", serde_json::json!({"spec": {}}));
    /// let version = server.version();
    /// assert_eq!(server.since(0).len(), 1);
    /// assert!(server.since(version).is_empty());
    /// # }
    /// ```
    #[must_use]
    pub fn version(&self) -> u64 {
        self.objects().version
    }

    /// Returns the next number in the order of all requests and changes. A test that takes one for an action of its own
    /// knows what came before it.
    ///
    /// ```
    /// use rollout_kube::testing::SimulatedApiServer;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let server = SimulatedApiServer::start();
    /// let before = server.tick();
    /// server.apply("/api/v1/namespaces/shop/services/web", serde_json::json!({"spec": {}}));
    /// let change = server.since(0).remove(0);
    /// assert!(before < change.tick && change.tick < server.tick());
    /// # }
    /// ```
    #[must_use]
    pub fn tick(&self) -> u64 {
        self.objects().tick()
    }

    /// Returns all changes after a version (0: from the beginning), of all kinds, in order.
    ///
    /// See [`version`](Self::version) for an example.
    #[must_use]
    pub fn since(&self, version: u64) -> Vec<Change> {
        self.objects().since(version)
    }

    /// Ends all watches: their clients start new ones.
    ///
    /// ```
    /// use futures::AsyncBufReadExt as _;
    /// use rollout_kube::testing::SimulatedApiServer;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = SimulatedApiServer::start();
    /// let watch = http::Request::get("/api/v1/services?watch=1&resourceVersion=0").body(Vec::new())?;
    /// let mut events = server.client().request_stream(watch).await?;
    /// server.apply("/api/v1/namespaces/shop/services/web", serde_json::json!({"spec": {}}));
    /// server.cut_watches();
    /// let mut line = String::new();
    /// assert!(events.read_line(&mut line).await? > 0 && line.contains("ADDED"), "{line}");
    /// line.clear();
    /// assert_eq!(events.read_line(&mut line).await?, 0, "the end");
    /// # Ok(()) }
    /// ```
    pub fn cut_watches(&self) {
        self.objects().cut_watches();
    }

    /// Expires all versions before the current one: a watch from an older version fails, and its client must list
    /// everything.
    ///
    /// ```
    /// use rollout_kube::testing::SimulatedApiServer;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = SimulatedApiServer::start();
    /// server.apply("/api/v1/namespaces/shop/services/web", serde_json::json!({"spec": {}}));
    /// let before = server.version();
    /// server.patch("/api/v1/namespaces/shop/services/web", &serde_json::json!({"spec": {"ports": [80]}}));
    /// server.expire();
    /// let path = format!("/api/v1/services?watch=1&resourceVersion={before}");
    /// let answer = server.client().request_text(http::Request::get(path).body(Vec::new())?).await?;
    /// assert!(answer.contains("too old resource version"), "{answer}");
    /// # Ok(()) }
    /// ```
    pub fn expire(&self) {
        self.objects().expire();
    }

    fn objects(&self) -> MutexGuard<'_, Objects> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for SimulatedApiServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimulatedApiServer").finish_non_exhaustive()
    }
}

async fn serve(objects: Arc<Mutex<Objects>>, request: Request<Body>, answer: oneshot::Sender<Answer>) {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let content = parts.headers.get(http::header::CONTENT_TYPE).and_then(|content| content.to_str().ok());
    let body =
        Sent { content: content.unwrap_or_default().to_owned(), value: serde_json::from_slice(&body).ok() };
    let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
    let Some(request) = ApiRequest::parse(parts.method.as_str(), path) else {
        // The client may be gone.
        let _ = answer.send(refuse(&Refusal::not_found()));
        return;
    };
    let lock = || objects.lock().unwrap_or_else(PoisonError::into_inner);
    let client = parts.headers.get(CLIENT).and_then(|client| client.to_str().ok());
    let (trouble, by) = {
        let mut objects = lock();
        let name = objects.count(&request);
        let by = client.map(|client| Sender {
            client: client.into(),
            at: tokio::time::Instant::now(),
            tick: objects.tick(),
        });
        (objects.disturbed.0.request(&name), by)
    };
    let respond_now = || {
        let mut objects = lock();
        objects.by.clone_from(&by);
        let answer = respond_to(&mut objects, &request, &body);
        objects.by = None;
        answer
    };
    let answered = match trouble {
        Trouble::None => Some(respond_now()),
        Trouble::Late(by) => {
            tokio::time::sleep(by).await;
            Some(respond_now())
        }
        Trouble::AnswerLate(by) => {
            let answer = respond_now();
            tokio::time::sleep(by).await;
            Some(answer)
        }
        Trouble::Refused(code) => Some(refuse(&Refusal::fault(code))),
        Trouble::Misreported(code) => {
            drop(respond_now());
            Some(refuse(&Refusal::fault(code)))
        }
        Trouble::LandsLate(code, by) => {
            // The client may be gone.
            let _ = answer.send(refuse(&Refusal::fault(code)));
            tokio::time::sleep(by).await;
            drop(respond_now());
            return;
        }
        Trouble::Lost => None,
        Trouble::AnswerLost => {
            drop(respond_now());
            None
        }
    };
    match answered {
        // The client may be gone.
        Some(response) => drop(answer.send(response)),
        None => answer_never(answer).await,
    }
}

/// Never answers; waits until the client gives up.
async fn answer_never(mut answer: oneshot::Sender<Answer>) {
    answer.closed().await;
}

fn respond_to(objects: &mut Objects, request: &ApiRequest, body: &Sent) -> Answer {
    let result = match request.verb {
        Verb::Watch => return watch(objects, request),
        Verb::List => objects.list(request).map(|list| (200, list.to_string())),
        Verb::Get => objects.get(request).map(|object| (200, object.to_string())),
        Verb::Delete => objects.delete(request, body).map(|deleted| (200, deleted.to_string())),
        Verb::Create if request.is_eviction => {
            objects.evict(request, body).map(|evicted| (201, evicted.to_string()))
        }
        Verb::Create | Verb::Replace | Verb::Patch => {
            objects.write(request, body).map(|(code, object)| (code, object.to_string()))
        }
    };
    match result {
        Ok((code, text)) => respond(code, text),
        Err(refusal) => refuse(&refusal),
    }
}

fn refuse(refusal: &Refusal) -> Answer {
    respond(refusal.code, refusal.status().to_string())
}

fn respond(code: u16, text: String) -> Answer {
    let body = Full::from(text).map_err(|never| match never {});
    let mut response = Response::new(body.boxed_unsync());
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::OK);
    response
}

fn watch(objects: &mut Objects, request: &ApiRequest) -> Answer {
    let events = objects.watch(request);
    let events = stream::unfold(events, |mut events| async move {
        let (due, event) = events.recv().await?;
        tokio::time::sleep_until(due).await;
        Some((Ok(Frame::data(event)), events))
    });
    Response::new(StreamBody::new(events.boxed()).boxed_unsync())
}
