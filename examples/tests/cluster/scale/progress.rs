//! How far all Rollouts are, as watches show it.

use super::apps::resource;
use crate::bed::{Bed, follow};
use kube::{Api, core::ApiResource};
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::task::JoinHandle;

/// When something was seen, and at which version: these are in the order of all writes.
#[derive(Debug, Clone, Copy)]
struct Mark {
    version: u64,
    seen: Instant,
}

/// A number that changed: since when, and what it is now.
#[derive(Debug)]
struct Change {
    at: Mark,
    to: i64,
}

/// Takes in an object that has changed.
type Take = fn(&mut App, &Value, Mark);

/// One Rollout with its VirtualService.
#[derive(Debug, Default)]
struct App {
    /// The image that it has released in full, while nothing is under way.
    done: Option<String>,
    steps: Vec<Change>,
    weights: Vec<Change>,
}

type Board = (Mutex<HashMap<String, App>>, Condvar);

/// Follows the whole cluster until it is dropped.
#[derive(Debug)]
pub(super) struct Progress {
    board: Arc<Board>,
    tasks: [JoinHandle<()>; 2],
}

impl Drop for Progress {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Progress {
    pub(super) fn follow(bed: &Bed) -> Self {
        let board = Arc::<Board>::default();
        let rollouts = watch(bed, &resource("argoproj.io/v1alpha1", "Rollout"), &board, rollout);
        let routes = watch(bed, &resource("networking.istio.io/v1beta1", "VirtualService"), &board, routes);
        Self { board, tasks: [rollouts, routes] }
    }

    fn apps(&self) -> MutexGuard<'_, HashMap<String, App>> {
        self.board.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until so many have released this image in full, and have all traffic at stable; how many have, in the end.
    pub(super) fn until_done(&self, image: &str, count: usize, within: Duration) -> usize {
        let until = Instant::now() + within;
        let mut apps = self.apps();
        loop {
            let done = apps.values().filter(|app| app.is_done(image)).count();
            let left = until.saturating_duration_since(Instant::now());
            if done >= count || left.is_zero() {
                return done;
            }
            apps = self.board.1.wait_timeout(apps, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// How long after a rise of a weight was written the step that wanted it was over, for all that were; sorted.
    pub(super) fn settles(&self) -> Vec<Duration> {
        let mut all: Vec<Duration> = self.apps().values().flat_map(App::settles).collect();
        all.sort_unstable();
        all
    }
}

impl App {
    fn is_done(&self, image: &str) -> bool {
        let at_stable = self.weights.last().is_none_or(|weight| weight.to == 0);
        self.done.as_deref() == Some(image) && at_stable
    }

    /// The steps are the weight 5, a pause, the weight 50, a pause; what the last one leads to is no step.
    fn settles(&self) -> Vec<Duration> {
        let over = |weight: &Change| {
            let step = match weight.to {
                5 => 1,
                50 => 3,
                _ => return None,
            };
            let over = self
                .steps
                .iter()
                .find(|step_is| step_is.at.version > weight.at.version && step_is.to >= step)?;
            Some(over.at.seen.saturating_duration_since(weight.at.seen))
        };
        self.weights.iter().filter_map(over).collect()
    }
}

fn rollout(app: &mut App, object: &Value, at: Mark) {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let is_observed = object["metadata"]["generation"].as_i64().unwrap_or(0).to_string()
        == text("/status/observedGeneration");
    let (stable, newest) = (text("/status/stableRS"), text("/status/currentPodHash"));
    let is_done = is_observed && text("/status/phase") == "Healthy" && stable == newest && !stable.is_empty();
    app.done = is_done.then(|| text("/spec/template/spec/containers/0/image").to_owned());
    if let Some(step) = object.pointer("/status/currentStepIndex").and_then(Value::as_i64) {
        note(&mut app.steps, Change { at, to: step });
    }
}

fn routes(app: &mut App, object: &Value, at: Mark) {
    let weight = object.pointer("/spec/http/0/route/1/weight").and_then(Value::as_i64);
    note(&mut app.weights, Change { at, to: weight.unwrap_or(0) });
}

fn note(changes: &mut Vec<Change>, change: Change) {
    if changes.last().is_none_or(|last| last.to != change.to) {
        changes.push(change);
    }
}

/// Follows one kind in the whole cluster.
fn watch(bed: &Bed, resource: &ApiResource, board: &Arc<Board>, take: Take) -> JoinHandle<()> {
    let board = Arc::clone(board);
    follow(Api::all_with(bed.client(), resource), move |object, is_there| {
        if !is_there {
            return;
        }
        let (name, version) = (object.metadata.name.clone(), object.metadata.resource_version.clone());
        let mark = Mark { version: version.unwrap().parse().unwrap(), seen: Instant::now() };
        let value = serde_json::to_value(&object).unwrap();
        let mut apps = board.0.lock().unwrap_or_else(PoisonError::into_inner);
        take(apps.entry(name.unwrap()).or_default(), &value, mark);
        drop(apps);
        board.1.notify_all();
    })
}
