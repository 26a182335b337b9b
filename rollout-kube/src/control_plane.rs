use crate::cache::Shelves;
use async_trait::async_trait;
use http::{Request, Uri, header::AUTHORIZATION};
use http_body_util::{BodyExt, Empty};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rollout_core::{
    Revision, Time,
    backend::{Fetch, Fetched, NoAnswer, REVISION_LABEL},
    traffic::ObjectRef,
};
use serde_json::Value;
use std::{
    collections::HashMap,
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How a mesh's control plane is asked what its proxies have: its replicas, over plain HTTP, and the pods of
/// one namespace.
#[derive(Clone)]
pub struct ControlPlane {
    replicas: Arc<[String]>,
    token: Option<PathBuf>,
    http: Client<HttpConnector, Empty<&'static [u8]>>,
    shelves: Arc<Shelves>,
    namespace: String,
    started: Instant,
    /// Who did not answer, and when.
    silent: Arc<Mutex<HashMap<String, Instant>>>,
}

/// One that does not answer within this time is silent.
const PATIENCE: Duration = Duration::from_secs(1);
/// One that was silent is not asked again before this time: a turn has many questions, and would wait for each.
const LEFT_ALONE: Duration = Duration::from_secs(4);

impl ControlPlane {
    pub(crate) fn new(
        replicas: Arc<[String]>,
        token: Option<PathBuf>,
        shelves: Arc<Shelves>,
        namespace: &str,
    ) -> Self {
        let http = Client::builder(TokioExecutor::new()).build_http();
        Self {
            replicas,
            token,
            http,
            shelves,
            namespace: namespace.to_owned(),
            started: Instant::now(),
            silent: Arc::default(),
        }
    }

    async fn ask_unless_silent(&self, replica: &str, path: &str) -> Result<Vec<u8>, NoAnswer> {
        if self.silent().get(replica).is_some_and(|since| since.elapsed() < LEFT_ALONE) {
            return Err(NoAnswer::Silent);
        }
        let answer = self.ask(replica, path).await;
        if answer == Err(NoAnswer::Silent) {
            self.silent().insert(replica.to_owned(), Instant::now());
        } else {
            self.silent().remove(replica);
        }
        answer
    }

    fn silent(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self, replica: &str, path: &str) -> Result<Vec<u8>, NoAnswer> {
        let uri: Uri =
            format!("{}{path}", replica.trim_end_matches('/')).parse().map_err(|_| NoAnswer::Closed)?;
        let mut request = Request::get(uri);
        if let Some(file) = &self.token
            && let Ok(token) = tokio::fs::read_to_string(file).await
        {
            request = request.header(AUTHORIZATION, format!("Bearer {}", token.trim()));
        }
        let request = request.body(Empty::new()).map_err(|_| NoAnswer::Closed)?;
        let answer = async {
            let answer = self.http.request(request).await;
            let answer = answer
                .map_err(|error| if error.is_connect() { NoAnswer::Closed } else { NoAnswer::Silent })?;
            if !answer.status().is_success() {
                return Err(NoAnswer::Status(answer.status().as_u16()));
            }
            let body = answer.into_body().collect().await.map_err(|_| NoAnswer::Silent)?;
            Ok(body.to_bytes().to_vec())
        };
        tokio::time::timeout(PATIENCE, answer).await.unwrap_or(Err(NoAnswer::Silent))
    }
}

#[async_trait]
impl Fetch for ControlPlane {
    async fn fetch(&self, path: &str) -> Vec<Fetched> {
        let all = self.replicas.iter().map(|replica| async move {
            Fetched { replica: replica.clone(), answer: self.ask_unless_silent(replica, path).await }
        });
        futures::future::join_all(all).await
    }

    async fn ready(&self, revision: &Revision) -> Option<Vec<String>> {
        let like = ObjectRef::new("", "Pod", &self.namespace, "");
        let pods = self.shelves.having(&like, &[revision.as_str().to_owned()]).await.ok()?;
        let of_revision = pods.iter().filter(|pod| pod.label(REVISION_LABEL) == Some(revision.as_str()));
        let ready = of_revision.filter(|pod| is_ready(&pod.value));
        Some(ready.filter_map(|pod| pod.text("/status/podIP").map(str::to_owned)).collect())
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn now(&self) -> Time {
        crate::rollout::now()
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

impl fmt::Debug for ControlPlane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlPlane").field("replicas", &self.replicas).finish_non_exhaustive()
    }
}
