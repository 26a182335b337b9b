use super::RUNTIME;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::{
    convert::Infallible,
    future::ready,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{net::TcpListener, task::JoinHandle};

/// An HTTP server for metrics of the provider `web`: it answers what the test says, and remembers what it was asked.
#[derive(Debug)]
pub(crate) struct Answering {
    address: String,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    body: Value,
    /// Path and header `authorization` of each request.
    asked: Vec<(String, String)>,
}

impl Answering {
    /// Answers with this, until [`answers`](Self::answers) says something else.
    pub(crate) fn start(body: Value) -> Self {
        let listener = RUNTIME.block_on(TcpListener::bind(("127.0.0.1", 0))).unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State { body, asked: Vec::new() }));
        let shared = Arc::clone(&state);
        let task = RUNTIME.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move {
                    let serve = service_fn(|request| ready(Ok::<_, Infallible>(answer(&state, &request))));
                    // Who has asked may be gone.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), serve).await;
                });
            }
        });
        Self { address, state, task }
    }

    /// Its address with this path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// Answers with this from now on.
    pub(crate) fn answers(&self, body: Value) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).body = body;
    }

    /// Path and header `authorization` of each request so far.
    pub(crate) fn asked(&self) -> Vec<(String, String)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).asked.clone()
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn answer(state: &Mutex<State>, request: &Request<Incoming>) -> Response<String> {
    let header = request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    state.asked.push((request.uri().path().to_owned(), header.unwrap_or_default()));
    Response::new(state.body.to_string())
}
