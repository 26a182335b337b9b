//! A world for runs.

use crate::{
    analysis::{
        provider::{Provider, Question, Told},
        runner::{RunContext, Runner},
    },
    cache::Caches,
    rollout::Publisher,
    store::Requests,
    testing::SimulatedApiServer,
};
use async_trait::async_trait;
use rollout_core::{
    Time,
    analysis::{Answer, Value as Measured},
};
use serde_json::{Value, json};
use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

/// When the world begins.
pub(super) const BEGIN: i64 = 1_769_860_800;

/// Says after how many seconds a provider answers, and what.
type Script = dyn Fn(&Asked) -> (u64, Answer) + Send + Sync;

/// A provider that answers what a script says.
pub(super) struct Played {
    began: Instant,
    answer: Box<Script>,
    pub(super) asked: Mutex<Vec<Asked>>,
}

/// What was asked, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) second: u64,
    pub(super) run: String,
    pub(super) metric: String,
    pub(super) provider: Value,
}

#[async_trait]
impl Provider for Played {
    async fn ask(&self, question: Question<'_>) -> Told {
        let name = |field: &str| question.run["metadata"][field].as_str().unwrap().to_owned();
        let asked = Asked {
            second: self.began.elapsed().as_secs(),
            run: format!("{}/{}", name("namespace"), name("name")),
            metric: question.metric.name().to_owned(),
            provider: question.metric.provider().clone(),
        };
        let (wait, answer) = (self.answer)(&asked);
        self.asked.lock().unwrap().push(asked);
        sleep(Duration::from_secs(wait)).await;
        Told::answer(answer)
    }
}

impl fmt::Debug for Played {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Played")
    }
}

/// A simulated API server, and processes that run AnalysisRuns on it.
pub(super) struct World {
    pub(super) server: SimulatedApiServer,
    pub(super) provider: Arc<Played>,
    pub(super) instance: Option<String>,
    began: Instant,
    processes: AtomicU32,
}

impl World {
    /// A world whose provider answers this, after so many seconds.
    pub(super) fn new(answer: impl Fn(&Asked) -> (u64, Answer) + Send + Sync + 'static) -> Self {
        let began = Instant::now();
        let provider = Played { began, answer: Box::new(answer), asked: Mutex::default() };
        let (server, provider) = (SimulatedApiServer::start(), Arc::new(provider));
        Self { server, provider, instance: None, began, processes: AtomicU32::new(0) }
    }

    /// Starts a process with this many workers; it is killed when what is returned is dropped.
    pub(super) fn start(&self, workers: usize) -> JoinSet<()> {
        let mut requests = Requests::new(self.server.client(), "us");
        requests.add_all(crate::runs::kinds());
        let process = self.processes.fetch_add(1, Ordering::Relaxed);
        let publisher = Publisher::start_for_runs(requests.clone(), &format!("p{process}"));
        let (caches, mut changes) = Caches::new(requests, None);
        let began = self.began;
        let context = RunContext {
            caches: Arc::new(caches),
            publisher,
            provider: self.provider.clone(),
            instance: self.instance.clone(),
            clock: Arc::new(move || Time::from_secs(BEGIN) + began.elapsed()),
            has_subresource: AtomicBool::new(false),
        };
        let mut tasks = JoinSet::new();
        let (tell, wakes) = tokio::sync::mpsc::unbounded_channel();
        tasks.spawn(Runner::new(Arc::new(context), workers).run(wakes));
        tasks.spawn(async move {
            while let Some(change) = changes.recv().await {
                if let Some(run) = Runner::concerned(&change) {
                    let _ = tell.send(run);
                }
            }
        });
        tasks
    }

    pub(super) fn apply(&self, name: &str, spec: &Value) {
        self.server.apply(&path("shop", name), json!({"spec": spec}));
    }

    pub(super) fn run(&self, name: &str) -> Value {
        let all = self.server.all("/apis/argoproj.io/v1alpha1/analysisruns");
        all.iter().find(|run| run["metadata"]["name"] == name).map(|run| (**run).clone()).unwrap_or_default()
    }

    pub(super) fn status(&self, name: &str) -> Value {
        self.run(name)["status"].clone()
    }

    /// Waits until this second of the world.
    pub(super) async fn until(&self, second: u64) {
        tokio::time::sleep_until(self.began + Duration::from_secs(second)).await;
    }

    pub(super) fn seconds_asked(&self) -> Vec<u64> {
        self.provider.asked.lock().unwrap().iter().map(|asked| asked.second).collect()
    }

    /// Returns type, reason and message of all events, in order.
    pub(super) fn events(&self) -> Vec<String> {
        let mut events = self.server.all("/api/v1/events");
        events.sort_by_key(|event| {
            event["metadata"]["resourceVersion"].as_str().unwrap().parse::<u64>().unwrap()
        });
        let text = |event: &Value, field: &str| event[field].as_str().unwrap().to_owned();
        let line = |event: &Arc<Value>| {
            format!("{} {}: {}", text(event, "type"), text(event, "reason"), text(event, "message"))
        };
        events.iter().map(line).collect()
    }
}

pub(super) fn path(namespace: &str, name: &str) -> String {
    format!("/apis/argoproj.io/v1alpha1/namespaces/{namespace}/analysisruns/{name}")
}

pub(super) fn number(number: f64) -> Answer {
    Answer::Value(Measured::Numbers(vec![number]))
}

/// A metric that is good below 5, with these fields besides.
pub(super) fn metric(name: &str, more: &Value) -> Value {
    let mut metric = json!({
        "name": name, "successCondition": "result[0] < 5", "provider": {"prometheus": {"query": "errors"}}
    });
    for (field, value) in more.as_object().into_iter().flatten() {
        metric[field.as_str()] = value.clone();
    }
    metric
}
