//! The real mesh of a test bed, in which nobody else writes.

use super::{
    objects::{Objects, Write, always},
    played::is_at,
    sequence::{PROXIES, Step},
    view::{Answers, PATHS, Stored, uptime},
};
use crate::{
    bed::{Bed, Frozen},
    played_mesh::NAMESPACE,
};
use kube::{Client, client::Body};
use serde_json::{Value, json};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// By the places that a sequence calls them by.
const NAMES: [&str; PROXIES] = ["sidecar-1", "sidecar-2", "gateway"];
/// What has not come after this time does not come: an Envoy connects again within 15 s.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// Nothing more comes when nothing has come for so long: three times the debounce.
const QUIET: Duration = Duration::from_millis(300);
/// Between one look and the next.
const LOOK: Duration = Duration::from_millis(20);

pub(super) struct Real {
    api: Client,
    istiod: Client,
    stored: Stored,
    frozen: [Option<Frozen>; PROXIES],
    runs: u32,
    began: Instant,
    bed: Arc<Bed>,
}

impl Real {
    pub(super) async fn of(bed: Arc<Bed>) -> Self {
        let istiod = kube::Config::new(bed.address("istiod").unwrap().parse().unwrap());
        let istiod = Client::try_from(istiod).unwrap();
        let frozen = Default::default();
        let api = bed.client();
        let mut real =
            Self { api, istiod, stored: Stored::new(), frozen, runs: 0, began: Instant::now(), bed };
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
        let namespace = (format!("/api/v1/namespaces/{NAMESPACE}"), Some(namespace));
        real.write(vec![namespace]).await;
        real
    }

    /// An empty namespace, then two apps with names of their own, at rest.
    pub(super) async fn begin(&mut self) -> Objects {
        self.frozen = Default::default();
        for kind in ["virtualservices", "destinationrules", "sidecars"] {
            self.delete_all(&format!("/apis/networking.istio.io/v1/namespaces/{NAMESPACE}/{kind}")).await;
        }
        for kind in ["pods", "services"] {
            self.delete_all(&format!("/api/v1/namespaces/{NAMESPACE}/{kind}")).await;
        }
        self.write(always().into()).await;
        self.stored.clear();
        self.until_at_rest(|now| now["objects"] == json!({}) && now["endpoints"] == json!({})).await;
        self.runs += 1;
        let objects = Objects::new(&format!("app-{}", self.runs));
        self.write(objects.services()).await;
        self.stored.clear();
        self.write(objects.first()).await;
        self.until_at_rest(|now| now["objects"].as_object().is_some_and(|objects| objects.len() == 4)).await;
        objects
    }

    /// Until this is so and all proxies have everything, for a while.
    async fn until_at_rest(&self, holds: impl Fn(&Value) -> bool) {
        let (began, mut since) = (Instant::now(), Instant::now());
        let (mut last, mut said) = (self.answers().await, Value::Null);
        loop {
            let answers = self.answers().await;
            let now = answers.since(&last, &self.stored);
            let is_so = holds(&now) && answers.are_in_step(PROXIES) && is_as_stored(&now);
            if !is_so || now != said {
                since = Instant::now();
            } else if since.elapsed() >= QUIET {
                return;
            }
            assert!(began.elapsed() < PATIENCE * 2, "the mesh does not come to rest: {now:#}");
            (last, said) = (answers, now);
            sleep(LOOK).await;
        }
    }

    pub(super) async fn step(&mut self, step: &Step, writes: Vec<Write>) {
        match step {
            Step::Changes(_) => self.write(writes).await,
            Step::Stop(at) => {
                let frozen = self.frozen[*at].take().unwrap_or_else(|| self.bed.freeze(NAMES[*at]));
                self.frozen[*at] = Some(frozen);
            }
            Step::GoOn(at) => self.frozen[*at] = None,
            Step::Restart(_) => {
                self.bed.kill("istiod");
                while self.asked().await.is_some() {
                    sleep(LOOK).await;
                }
                self.write(writes).await;
                self.began = Instant::now();
                // Who starts it may not have noticed yet that it has ended.
                while self.asked().await.is_none() {
                    assert!(self.began.elapsed() < PATIENCE, "istiod does not begin");
                    self.bed.start_istiod();
                    sleep(LOOK).await;
                }
            }
        }
    }

    /// Looks until this holds of what istiod says, and then whether it goes on to hold; the last that it said.
    pub(super) async fn until(&self, before: &Answers, holds: impl Fn(&Value) -> bool) -> (Answers, Value) {
        let (began, mut since) = (Instant::now(), None);
        loop {
            let answers = self.answers().await;
            let now = answers.since(before, &self.stored);
            if !holds(&now) {
                since = None;
                if began.elapsed() >= PATIENCE {
                    return (answers, now);
                }
            } else if since.get_or_insert_with(Instant::now).elapsed() >= QUIET {
                return (answers, now);
            }
            sleep(LOOK).await;
        }
    }

    /// What istiod answers; one that has just begun may not answer everything.
    pub(super) async fn answers(&self) -> Answers {
        let began = Instant::now();
        loop {
            if let Some(answers) = self.asked().await {
                return answers;
            }
            assert!(began.elapsed() < PATIENCE, "istiod does not answer");
            sleep(LOOK).await;
        }
    }

    async fn asked(&self) -> Option<Answers> {
        let mut all = [Value::Null, Value::Null, Value::Null];
        for (answer, path) in all.iter_mut().zip(PATHS) {
            *answer = self.istiod.request(get(path)).await.ok()?;
        }
        Some(Answers(all))
    }

    pub(super) async fn services(&self) -> Value {
        self.istiod.request(get("/debug/registryz")).await.unwrap()
    }

    /// For how long istiod says it has run, and since when it can have run.
    pub(super) fn uptime(&self) -> (Option<f64>, f64) {
        let metrics = self.bed.inside("curl -s 127.0.0.1:15014/metrics").ok().out;
        (uptime(&metrics), self.began.elapsed().as_secs_f64())
    }

    async fn write(&mut self, writes: Vec<Write>) {
        for (path, object) in writes {
            let Some(object) = object else {
                self.delete(&path).await;
                self.stored.retain(|name, _| !is_at(name, &path));
                continue;
            };
            let written = self.put(&path, &object).await;
            if object["kind"] != "Pod" {
                let name = format!(
                    "{} {}",
                    object["kind"].as_str().unwrap(),
                    object["metadata"]["name"].as_str().unwrap()
                );
                self.stored.insert(name, written["metadata"]["resourceVersion"].as_str().unwrap().to_owned());
            }
        }
    }

    /// Makes it, or makes it so; a status apart, as the API server asks for.
    async fn put(&self, path: &str, object: &Value) -> Value {
        let mut written = self.patch(path, object).await;
        if written.is_err() {
            let all = path.rsplit_once('/').unwrap().0;
            let request = http::Request::post(all).header("content-type", "application/json");
            written = self.api.request(request.body(object.to_string().into_bytes()).unwrap()).await;
        }
        if let Some(status) = object.get("status") {
            written = self.patch(&format!("{path}/status"), &json!({"status": status})).await;
        }
        written.unwrap_or_else(|why| panic!("{path}: {why}"))
    }

    pub(super) async fn patch(&self, path: &str, leaves: &Value) -> kube::Result<Value> {
        let request = http::Request::patch(path).header("content-type", "application/merge-patch+json");
        self.api.request(request.body(leaves.to_string().into_bytes()).unwrap()).await
    }

    async fn delete_all(&self, path: &str) {
        let list: Value = self.api.request(get(path)).await.unwrap();
        for object in list["items"].as_array().into_iter().flatten() {
            self.delete(&format!("{path}/{}", object["metadata"]["name"].as_str().unwrap())).await;
        }
    }

    /// At once.
    async fn delete(&self, path: &str) {
        let request = http::Request::delete(format!("{path}?gracePeriodSeconds=0"));
        let answer = self.api.send(request.body(Body::empty()).unwrap()).await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }
}

fn get(path: &str) -> http::Request<Vec<u8>> {
    http::Request::get(path).body(Vec::new()).unwrap()
}

fn is_as_stored(now: &Value) -> bool {
    let mut objects = now["objects"].as_object().into_iter().flatten();
    objects.all(|(_, object)| object["is as stored"] == true)
}
