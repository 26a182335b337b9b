use super::{Bed, RUNTIME};
use http_body_util::BodyExt as _;
use hyper::{
    Method, Request, Response, StatusCode, body::Incoming, server::conn::http1, service::service_fn,
};
use hyper_util::rt::TokioIo;
use kube::client::Body;
use serde_json::json;
use std::{fs, path::PathBuf, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

/// Stands before the API server and keeps the first answer back that says of an object that it is not there, until it
/// is let go.
#[derive(Debug)]
pub(crate) struct Held {
    kubeconfig: PathBuf,
    stage: Arc<watch::Sender<Stage>>,
    task: JoinHandle<()>,
}

/// How far the answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    NotAsked,
    Held,
    LetGo,
}

impl Held {
    /// Of the object whose path ends so: `virtualservices/web`.
    pub(crate) fn not_found(bed: &Bed, path: &'static str) -> Self {
        let (stage, client) = (Arc::new(watch::Sender::new(Stage::NotAsked)), bed.controllers_client());
        let listener = RUNTIME.block_on(TcpListener::bind(("127.0.0.1", 0))).unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let kubeconfig = bed.file(&format!("held-{}.kubeconfig", listener.local_addr().unwrap().port()));
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "held",
            "clusters": [{"name": "held", "cluster": {"server": server}}],
            "users": [{"name": "held", "user": {}}],
            "contexts": [{"name": "held", "context": {"cluster": "held", "user": "held"}}],
        });
        fs::write(&kubeconfig, config.to_string()).unwrap();
        let shared = Arc::clone(&stage);
        let task = RUNTIME.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (client, stage) = (client.clone(), Arc::clone(&shared));
                tokio::spawn(async move {
                    let serve = service_fn(|request| pass(client.clone(), Arc::clone(&stage), path, request));
                    // An end in the middle is the controller's business.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), serve).await;
                });
            }
        });
        Self { kubeconfig, stage, task }
    }

    /// What leads a controller here.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.kubeconfig.clone()
    }

    /// Waits until the answer is kept back.
    pub(crate) fn until_held(&self, within: Duration) {
        let mut stage = self.stage.subscribe();
        let held = async {
            tokio::time::timeout(within, stage.wait_for(|stage| *stage >= Stage::Held)).await.is_ok()
        };
        assert!(RUNTIME.block_on(held), "nobody asked for it within {within:?}");
    }

    /// Gives the answer.
    pub(crate) fn let_go(&self) {
        self.stage.send_replace(Stage::LetGo);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Passed = Result<Response<Body>, Box<dyn std::error::Error + Send + Sync>>;

async fn pass(
    client: kube::Client,
    stage: Arc<watch::Sender<Stage>>,
    path: &str,
    request: Request<Incoming>,
) -> Passed {
    let (mut parts, body) = request.into_parts();
    for own in [hyper::header::HOST, hyper::header::CONTENT_LENGTH, hyper::header::CONNECTION] {
        parts.headers.remove(own);
    }
    let is_it = parts.method == Method::GET && parts.uri.path().ends_with(path);
    let body = body.collect().await?.to_bytes();
    let answer = client.send(Request::from_parts(parts, Body::from(body))).await?;
    if is_it && answer.status() == StatusCode::NOT_FOUND {
        let is_first = stage.send_if_modified(|stage| {
            let is_first = *stage == Stage::NotAsked;
            if is_first {
                *stage = Stage::Held;
            }
            is_first
        });
        if is_first {
            stage.subscribe().wait_for(|stage| *stage == Stage::LetGo).await?;
        }
    }
    Ok(answer)
}
