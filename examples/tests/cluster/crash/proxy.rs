//! Stands between a controller and the API server, counts the writes, and at one of them ends the controller.
//!
//! Answers, also those of watches, are passed on as they come.

use crate::recorded;
use http_body_util::BodyExt as _;
use hyper::{Method, Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use kube::client::Body;
use serde_json::{Value, json};
use std::{
    io,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    net::TcpListener,
    sync::{oneshot, watch},
    task::JoinHandle,
};

/// What becomes of the write at which the controller is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variant {
    /// It is answered, and the controller has the answer when it dies.
    Answered,
    /// It took effect, and the controller never hears of it.
    AnswerLost,
    /// It never reaches the API server.
    NeverSent,
    /// It is under way when the controller dies, and arrives among the first writes of the next process.
    Late,
}

impl Variant {
    pub(crate) const ALL: [Self; 4] = [Self::Answered, Self::AnswerLost, Self::NeverSent, Self::Late];
}

/// One write of the controller.
#[derive(Debug, Clone)]
pub(crate) struct Write {
    /// The process that sent it: 1 for the first.
    pub(crate) process: u32,
    /// When it came from the controller, and when the API server had answered. Milliseconds UTC.
    pub(crate) sent: i64,
    pub(crate) answered: Option<i64>,
    pub(crate) method: Method,
    /// The path below the namespace: `replicasets/demo-abc`.
    pub(crate) path: String,
    pub(crate) body: Value,
    /// The answer's code, and the object in it.
    pub(crate) code: Option<u16>,
    pub(crate) answer: Value,
    /// It arrived after its process had died.
    pub(crate) late: bool,
}

impl Write {
    /// The resource version that it left, if it was not refused.
    pub(crate) fn version(&self) -> Option<u64> {
        let is_well = self.code.is_some_and(|code| (200..300).contains(&code));
        self.answer.pointer("/metadata/resourceVersion")?.as_str()?.parse().ok().filter(|_| is_well)
    }
}

impl From<&Write> for recorded::Write {
    fn from(write: &Write) -> Self {
        Self {
            process: write.process,
            sent: (write.sent, 0),
            answered: write.answered.map(|at| (at, 0)),
            path: write.path.clone(),
            version: write.version(),
            late: write.late,
        }
    }
}

type Kill = Box<dyn FnOnce() + Send>;

struct Limit {
    at: usize,
    variant: Variant,
    kill: Option<Kill>,
}

struct Inner {
    process: u32,
    /// Nothing of this process, or of an earlier one, passes any more.
    closed: u32,
    /// Counts the writes of the present process, as long as there is a limit.
    counted: usize,
    limit: Option<Limit>,
    writes: Vec<Write>,
    /// A write that is under way while its process has died: it goes on before this many further writes.
    held: Option<(usize, oneshot::Sender<()>)>,
    late: Option<JoinHandle<()>>,
}

struct Shared {
    client: kube::Client,
    inner: Mutex<Inner>,
    /// Whether the limit was reached.
    struck: watch::Sender<bool>,
}

/// The proxy; it ends when it is dropped.
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Milliseconds UTC.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

impl Proxy {
    /// Listens on a free port, and passes on to whom `client` speaks to.
    pub(crate) async fn start(client: kube::Client) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let inner = Inner {
            process: 1,
            closed: 0,
            counted: 0,
            limit: None,
            writes: Vec::new(),
            held: None,
            late: None,
        };
        let shared = Arc::new(Shared { client, inner: Mutex::new(inner), struck: watch::Sender::new(false) });
        let task = tokio::spawn(listen(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, task })
    }

    /// Writes a kubeconfig that leads here.
    pub(crate) fn write_kubeconfig(&self, file: &Path) -> io::Result<()> {
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "proxy",
            "clusters": [{"name": "proxy", "cluster": {"server": format!("http://{}", self.address)}}],
            "users": [{"name": "proxy", "user": {}}],
            "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "proxy"}}],
        });
        std::fs::write(file, config.to_string())
    }

    /// From now on the writes are counted, and at the one with this number (from 1) `kill` is called.
    pub(crate) fn kill_at(&self, at: usize, variant: Variant, kill: impl FnOnce() + Send + 'static) {
        let mut inner = self.shared.inner();
        inner.counted = 0;
        inner.limit = Some(Limit { at, variant, kill: Some(Box::new(kill)) });
        self.shared.struck.send_replace(false);
    }

    /// No limit any more; how many writes were counted.
    pub(crate) fn disarm(&self) -> usize {
        let mut inner = self.shared.inner();
        inner.limit = None;
        inner.counted
    }

    /// Waits until the limit is reached.
    pub(crate) async fn struck(&self) {
        let mut struck = self.shared.struck.subscribe();
        // The sender lives as long as the proxy.
        let _ = struck.wait_for(|struck| *struck).await;
    }

    /// Whether the limit was reached.
    pub(crate) fn is_struck(&self) -> bool {
        *self.shared.struck.borrow()
    }

    /// Nothing of the processes so far passes any more, and the next one is let through.
    pub(crate) fn next_process(&self) -> u32 {
        let mut inner = self.shared.inner();
        inner.closed = inner.process;
        inner.process += 1;
        inner.limit = None;
        self.shared.struck.send_replace(false);
        inner.process
    }

    /// Waits until nothing of a dead process is under way any more.
    pub(crate) async fn late_is_over(&self) {
        let late = self.shared.inner().late.take();
        if let Some(late) = late {
            let _ = late.await;
        }
    }

    /// All writes so far.
    pub(crate) fn writes(&self) -> Vec<Write> {
        self.shared.inner().writes.clone()
    }
}

impl Shared {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, kube::Error> {
        self.client.send(request).await
    }

    /// Nothing passes any more, and the controller is killed.
    fn strike(&self) {
        let kill = {
            let mut inner = self.inner();
            inner.closed = inner.process;
            inner.limit.as_mut().and_then(|limit| limit.kill.take())
        };
        if let Some(kill) = kill {
            kill();
        }
        self.struck.send_replace(true);
    }
}

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let process = shared.inner().process;
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let serve = service_fn(|request| pass(Arc::clone(&shared), process, request));
            // An end in the middle is how it goes when a controller is killed.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), serve).await;
        });
    }
}

type Passed = Result<Response<Body>, Box<dyn std::error::Error + Send + Sync>>;

async fn pass(shared: Arc<Shared>, process: u32, request: Request<Incoming>) -> Passed {
    if shared.inner().closed >= process {
        return std::future::pending().await;
    }
    let (mut parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    for own in [hyper::header::HOST, hyper::header::CONTENT_LENGTH, hyper::header::CONNECTION] {
        parts.headers.remove(own);
    }
    let changes = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(&parts.method);
    let path = below_the_namespace(parts.uri.path());
    if !changes || path.starts_with("events") {
        return Ok(shared.send(Request::from_parts(parts, body.into())).await?);
    }
    let value = serde_json::from_slice(&body).unwrap_or_default();
    let write = Write {
        process,
        sent: now(),
        answered: None,
        method: parts.method.clone(),
        path,
        body: value,
        code: None,
        answer: Value::Null,
        late: false,
    };
    let (index, strikes) = register(&shared, write);
    let request = Request::from_parts(parts, Body::from(body));
    match strikes {
        None => forward(&shared, index, request).await,
        Some(Variant::Answered) => {
            let answer = forward(&shared, index, request).await;
            {
                let mut inner = shared.inner();
                inner.closed = inner.process;
            }
            tokio::spawn(async move {
                // Long enough for the answer to be read; whatever it does with it, nothing passes.
                tokio::time::sleep(Duration::from_millis(30)).await;
                shared.strike();
            });
            answer
        }
        Some(Variant::AnswerLost) => {
            let _ = forward(&shared, index, request).await;
            shared.strike();
            std::future::pending().await
        }
        Some(Variant::NeverSent) => {
            shared.strike();
            std::future::pending().await
        }
        Some(Variant::Late) => {
            let (go, gone) = oneshot::channel();
            let further = 1 + index % 5;
            shared.inner().held = Some((further, go));
            // The connection ends with the controller; the write does not.
            let late = Arc::clone(&shared);
            let task = tokio::spawn(async move {
                let _ = tokio::time::timeout(Duration::from_secs(10), gone).await;
                if let Some(write) = late.inner().writes.get_mut(index) {
                    write.late = true;
                }
                let _ = forward(&late, index, request).await;
            });
            shared.inner().late = Some(task);
            shared.strike();
            std::future::pending().await
        }
    }
}

/// Counts a write: its place in the list, and what becomes of it if the controller is killed at it.
fn register(shared: &Shared, write: Write) -> (usize, Option<Variant>) {
    let mut inner = shared.inner();
    inner.counted += 1;
    if let Some((further, go)) = inner.held.take() {
        match further.checked_sub(1) {
            Some(further) if further > 0 => inner.held = Some((further, go)),
            // Nobody waits for it any more when it went on by itself.
            _ => drop(go.send(())),
        }
    }
    inner.writes.push(write);
    let counted = inner.counted;
    let variant = inner.limit.as_ref().filter(|limit| limit.at == counted).map(|limit| limit.variant);
    (inner.writes.len() - 1, variant)
}

async fn forward(shared: &Shared, index: usize, request: Request<Body>) -> Passed {
    let (parts, body) = shared.send(request).await?.into_parts();
    let body = body.collect_bytes().await?;
    if let Some(write) = shared.inner().writes.get_mut(index) {
        write.answered = Some(now());
        write.code = Some(parts.status.as_u16());
        write.answer = serde_json::from_slice(&body).unwrap_or_default();
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

/// `/apis/apps/v1/namespaces/shop/replicasets/demo` is `replicasets/demo`.
fn below_the_namespace(path: &str) -> String {
    let below = path.split_once("/namespaces/").and_then(|(_, below)| below.split_once('/'));
    below.map_or(path, |(_, below)| below).to_owned()
}
