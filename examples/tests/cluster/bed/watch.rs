//! Watches on everything that a rollout touches.

use super::{RUNTIME, follow, seen::Seen};
use kube::{
    Api, Client,
    api::{DynamicObject, ListParams},
    core::ApiResource,
};
use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::task::JoinHandle;

/// Group, version, kind, plural.
const KINDS: &[(&str, &str, &str, &str)] = &[
    ("argoproj.io", "v1alpha1", "Rollout", "rollouts"),
    ("argoproj.io", "v1alpha1", "AnalysisRun", "analysisruns"),
    ("apps", "v1", "ReplicaSet", "replicasets"),
    ("", "v1", "Pod", "pods"),
    ("", "v1", "Service", "services"),
    ("", "v1", "Event", "events"),
    ("networking.istio.io", "v1", "VirtualService", "virtualservices"),
    ("networking.istio.io", "v1", "DestinationRule", "destinationrules"),
];

#[derive(Debug, Default)]
struct Board {
    /// Who looks takes a copy: however long that takes, and whatever is asked meanwhile, the watches go on.
    seen: Mutex<Arc<Seen>>,
    news: Condvar,
}

impl Board {
    fn add(&self, kind: &'static str, object: &DynamicObject, is_there: bool) {
        let name = object.metadata.name.clone().unwrap_or_default();
        let mut value = serde_json::to_value(object).unwrap();
        if let Some(metadata) = value["metadata"].as_object_mut() {
            metadata.remove("managedFields");
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::make_mut(&mut seen).add(kind, name, value, is_there);
        drop(seen);
        self.news.notify_all();
    }
}

/// Keeps what is seen in one namespace, from its beginning.
#[derive(Debug)]
pub(super) struct Watch {
    board: Arc<Board>,
    rollouts: Api<DynamicObject>,
    tasks: Vec<JoinHandle<()>>,
}

/// How long a watch may lag behind.
const LAG: Duration = Duration::from_secs(20);

impl Watch {
    /// Begins, before anything is in the namespace.
    pub(super) fn start(client: &Client, namespace: &str) -> Self {
        let board = Arc::new(Board::default());
        let api = |(group, version, kind, plural): (&str, &str, &str, &str)| {
            let api_version =
                if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
            let (kind, plural) = (kind.to_owned(), plural.to_owned());
            let resource = ApiResource {
                group: group.to_owned(),
                version: version.to_owned(),
                api_version,
                kind,
                plural,
            };
            Api::namespaced_with(client.clone(), namespace, &resource)
        };
        let tasks = KINDS.iter().map(|kind| {
            let (board, name) = (Arc::clone(&board), kind.2);
            follow(api(*kind), move |object, is_there| board.add(name, &object, is_there))
        });
        Self { tasks: tasks.collect(), rollouts: api(KINDS[0]), board }
    }

    /// Waits until the Rollouts are seen as they are now, or later. If the API server does not answer, it has nothing
    /// to wait for.
    pub(super) fn catch_up(&self) {
        let Ok(Ok(now)) = RUNTIME
            .block_on(async { tokio::time::timeout(LAG, self.rollouts.list(&ListParams::default())).await })
        else {
            return;
        };
        let number = |version: &str| version.parse::<u64>().unwrap();
        for rollout in now {
            let (name, version) =
                (rollout.metadata.name.unwrap(), rollout.metadata.resource_version.unwrap());
            let is_seen = self.wait(LAG, |seen| {
                let mut its =
                    seen.changes().iter().rev().filter(|one| one.kind == "Rollout" && one.name == name);
                let newest = its.next()?.object["metadata"]["resourceVersion"].as_str()?;
                (number(newest) >= number(&version)).then_some(())
            });
            assert!(is_seen.is_some(), "the watch shows nothing of version {version} of the Rollout {name}");
        }
    }

    /// Waits for news until `find` finds something.
    pub(super) fn wait<T>(&self, within: Duration, find: impl Fn(&Seen) -> Option<T>) -> Option<T> {
        let until = Instant::now() + within;
        let mut seen = self.board.seen.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let now = Arc::clone(&seen);
            drop(seen);
            if let Some(found) = find(&now) {
                return Some(found);
            }
            seen = self.board.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if !Arc::ptr_eq(&seen, &now) {
                continue;
            }
            drop(now);
            let left = until.checked_duration_since(Instant::now())?;
            seen = self.board.news.wait_timeout(seen, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Looks at what is there now.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        let now = Arc::clone(&self.board.seen.lock().unwrap_or_else(PoisonError::into_inner));
        look(&now)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}
