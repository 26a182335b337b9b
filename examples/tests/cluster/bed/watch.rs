//! Watches on everything that a rollout touches.

use super::{RUNTIME, seen::Seen};
use futures::{StreamExt as _, TryStreamExt as _};
use kube::{
    Api, Client,
    api::{DynamicObject, ListParams, WatchEvent, WatchParams},
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

/// Keeps what is seen in one namespace, from its beginning.
#[derive(Debug)]
pub(super) struct Watch {
    board: Arc<Board>,
    tasks: Vec<JoinHandle<()>>,
}

impl Watch {
    /// Begins, before anything is in the namespace.
    pub(super) fn start(client: &Client, namespace: &str) -> Self {
        let board = Arc::new(Board::default());
        let tasks = KINDS.iter().map(|(group, version, kind, plural)| {
            let api_version =
                if group.is_empty() { (*version).to_owned() } else { format!("{group}/{version}") };
            let resource = ApiResource {
                group: (*group).to_owned(),
                version: (*version).to_owned(),
                api_version,
                kind: (*kind).to_owned(),
                plural: (*plural).to_owned(),
            };
            let api = Api::namespaced_with(client.clone(), namespace, &resource);
            let version = RUNTIME.block_on(api.list(&ListParams::default().limit(1))).unwrap();
            let version = version.metadata.resource_version.unwrap();
            RUNTIME.spawn(follow(api, kind, version, Arc::clone(&board)))
        });
        Self { tasks: tasks.collect(), board }
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

/// Follows one kind, for ever; a stream that is cut is taken up where it was.
async fn follow(api: Api<DynamicObject>, kind: &'static str, mut version: String, board: Arc<Board>) {
    loop {
        let Ok(stream) = api.watch(&WatchParams::default(), &version).await else {
            tokio::time::sleep(Duration::from_millis(200)).await;
            continue;
        };
        let mut stream = stream.boxed();
        while let Ok(Some(event)) = stream.try_next().await {
            let (object, is_there) = match event {
                WatchEvent::Added(object) | WatchEvent::Modified(object) => (object, true),
                WatchEvent::Deleted(object) => (object, false),
                WatchEvent::Bookmark(_) => continue,
                WatchEvent::Error(_) => break,
            };
            if let Some(new) = &object.metadata.resource_version {
                version.clone_from(new);
            }
            let name = object.metadata.name.clone().unwrap_or_default();
            let mut value = serde_json::to_value(&object).unwrap();
            if let Some(metadata) = value["metadata"].as_object_mut() {
                metadata.remove("managedFields");
            }
            let mut seen = board.seen.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::make_mut(&mut seen).add(kind, name, value, is_there);
            drop(seen);
            board.news.notify_all();
        }
    }
}
