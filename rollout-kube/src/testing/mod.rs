//! An API server in memory, for tests and benchmarks of a whole controller.

mod api_request;
mod kinds;
mod merge;
mod objects;
mod pages;
mod refusal;
mod selector;
#[cfg(test)]
mod tests;
mod trouble;
mod watches;
mod writes;

pub use objects::{Change, Sender};
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

/// A small Kubernetes API server: lists (by label, in pages), watches from a version on, resource versions and
/// generations, writes that compare and swap, merge patches, the status apart, finalizers. Objects of any kind may be
/// in it. Those that the adapter reads and writes (Rollouts, ReplicaSets, Services, VirtualServices, DestinationRules,
/// Events, Leases) are answered as by a real server, with which `cargo xtask conform` compares it; the wording of
/// errors aside. In this it differs on purpose:
///
/// - Every namespace is there, and everybody may do everything.
/// - No schema is checked: what a real server would refuse, complete, or leave out because it does not know it, is
///   stored as it came. What keeps a name from being a DNS name is noticed, nothing stricter.
/// - Who manages which field is not recorded. On a real server a change of that alone makes a new version, such as the
///   first status that a controller writes to an object, even if it is as it was.
/// - Of patches, only merge patches are read.
/// - No garbage is collected: what is deleted in the foreground stays until somebody takes its finalizer away.
/// - A watch shows no bookmarks, and does not end by itself.
///
/// It answers on the tasks of the runtime in which it was [started](Self::start), so that the processor time of a
/// client in another runtime is the client's own. Cloning is cheap: it is the same server.
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

/// The header by which a client says who it is; see [`Change::by`].
pub const CLIENT: &str = "x-client";

type Answer = Response<UnsyncBoxBody<Bytes, io::Error>>;

impl SimulatedApiServer {
    /// A server without objects. It must be called within a runtime.
    #[must_use]
    pub fn start() -> Self {
        let objects = Arc::new(Mutex::new(Objects::default()));
        let (requests, mut request) = mpsc::unbounded_channel::<(Request<Body>, oneshot::Sender<Answer>)>();
        let served = Arc::clone(&objects);
        tokio::spawn(async move {
            while let Some((request, answer)) = request.recv().await {
                // Each in a task of its own: one that is late does not hold the others.
                tokio::spawn(serve(Arc::clone(&served), request, answer));
            }
        });
        Self { objects, requests }
    }

    /// A client of this server, whose own namespace is `default`.
    #[must_use]
    pub fn client(&self) -> Client {
        let requests = self.requests.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let (sender, answer) = oneshot::channel();
            let sent = requests.send((request, sender));
            async move {
                let gone = || io::Error::other("the played API server is gone");
                sent.map_err(|_| gone())?;
                answer.await.map_err(|_| gone())
            }
        });
        Client::new(service, "default")
    }

    /// Creates an object at a path (`/api/v1/namespaces/shop/services/web`), or replaces it, whatever its version
    /// is.
    pub fn apply(&self, path: &str, value: Value) {
        if let Some(request) = ApiRequest::parse("PUT", path) {
            self.objects().apply(&request, value);
        }
    }

    /// Changes leaves of an object, if there is one, as `kubectl patch --type=merge` does.
    pub fn patch(&self, path: &str, leaves: &Value) {
        if let Some(request) = ApiRequest::parse("PATCH", path) {
            // There may be none.
            let _ = self.objects().change(&request, leaves);
        }
    }

    /// Deletes an object, if there is one.
    pub fn delete(&self, path: &str) {
        if let Some(request) = ApiRequest::parse("DELETE", path) {
            // There may be none.
            let _ = self.objects().remove(&request);
        }
    }

    /// All objects of a kind (`/apis/apps/v1/replicasets`), by namespace and name.
    #[must_use]
    pub fn all(&self, path: &str) -> Vec<Arc<Value>> {
        ApiRequest::parse("GET", path).map(|request| self.objects().all(&request)).unwrap_or_default()
    }

    /// From now on every ReplicaSet has at once the pods that it asks for, all of them ready.
    pub fn run_pods(&self) {
        self.objects().pods_run = true;
    }

    /// How many requests there were, by verb and kind (`PUT virtualservices`).
    #[must_use]
    pub fn requests(&self) -> BTreeMap<String, u64> {
        self.objects().requests.clone()
    }

    /// From now on this decides what goes wrong.
    pub fn disturb(&self, disturb: impl Disturb + 'static) {
        self.objects().disturbed.0 = Box::new(disturb);
    }

    /// The version of the last change; 0 before the first.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.objects().version
    }

    /// The next place in the order of everything that happens: requests that come, and changes. Whoever takes one for
    /// something of their own knows what came before it.
    #[must_use]
    pub fn tick(&self) -> u64 {
        self.objects().tick()
    }

    /// All changes after a version (0: from the beginning), of all kinds, in their order.
    #[must_use]
    pub fn since(&self, version: u64) -> Vec<Change> {
        self.objects().since(version)
    }

    /// Ends all watches: their clients begin new ones.
    pub fn cut_watches(&self) {
        self.objects().cut_watches();
    }

    /// No watch can begin at a version before the present one any more: its client has to list everything.
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
        // Who request may be gone.
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
            // Who request may be gone.
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
        // Who request may be gone.
        Some(response) => drop(answer.send(response)),
        None => answer_never(answer).await,
    }
}

/// Keeps whoever request waiting until they give up.
async fn answer_never(mut answer: oneshot::Sender<Answer>) {
    answer.closed().await;
}

fn respond_to(objects: &mut Objects, request: &ApiRequest, body: &Sent) -> Answer {
    let result = match request.verb {
        Verb::Watch => return watch(objects, request),
        Verb::List => objects.list(request).map(|list| (200, list.to_string())),
        Verb::Get => objects.get(request).map(|object| (200, object.to_string())),
        Verb::Delete => objects.delete(request, body).map(|deleted| (200, deleted.to_string())),
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
