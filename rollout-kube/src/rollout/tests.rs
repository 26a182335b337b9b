//! One rollout against a simulated API server: the edge cases of a turn.

use super::{Context, Publisher, Release, RolloutMemory, abandoned_index, memory::Key, turn};
use crate::{
    cache::Caches,
    control_plane::DataPlanes,
    store::{
        Requests,
        mock::{Asked, server},
    },
};
use rollout_core::traffic::ObjectRef;
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::Instant;

mod abandoned;
mod adopted;
mod analysis;
mod analysis_lint;
mod cluster;
mod commands;
mod events;
mod hand_over;
mod held;
mod hostile;
mod malformed;
mod metadata;
mod metadata_limits;
mod pods;
mod restart;
mod rivals;
mod workload_ref;

use cluster::{Cluster, merge};

const ROLLOUT: &str = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/web";

struct World {
    cluster: Arc<Mutex<Cluster>>,
    /// Every request so far.
    asked: Arc<Mutex<Vec<Asked>>>,
    context: Context,
    memory: RolloutMemory,
    key: Key,
}

impl World {
    /// Creates a world with a new Rollout.
    async fn new(steps: Value) -> Self {
        let cluster = Arc::new(Mutex::new(Cluster::default()));
        cluster.lock().unwrap().put(
            ROLLOUT,
            json!({
                "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
                "metadata": {"name": "web", "namespace": "shop", "generation": 1},
                "spec": {
                    "replicas": 2, "selector": {"matchLabels": {"app": "web"}},
                    "strategy": {"canary": {"steps": steps}},
                    "template": {
                        "metadata": {"labels": {"app": "web"}},
                        "spec": {"containers": [{"name": "c", "image": "web:v1"}]}
                    }
                }
            }),
        );
        let asked = Arc::clone(&cluster);
        let (client, asked) = server(move |request| asked.lock().unwrap().answer(request));
        let mut requests = Requests::new(client, "us");
        requests.add_all(crate::runs::kinds());
        let publisher = Publisher::start(requests.clone(), "p");
        let (caches, _) = Caches::new(requests, None);
        let caches = caches.index("", "Service", abandoned_index("", "Service"));
        for kind in [("argoproj.io", "Rollout"), ("apps", "ReplicaSet")] {
            caches.start(&ObjectRef::new(kind.0, kind.1, "", "")).await.unwrap();
        }
        let context = Context {
            caches: Arc::new(caches),
            publisher,
            factory: Arc::new(|_, _, _| Ok(None)),
            data_planes: DataPlanes::none(),
            clusters: None,
            instance: None,
            dry_run: false,
            runs_analyses: true,
            releases: vec![Release {
                group: String::new(),
                kind: "Service".to_owned(),
                remove: Arc::new(rollout_core::backend::release_service),
            }],
            process: "p".to_owned(),
            clock: Arc::new(crate::rollout::wall_clock),
        };
        let key = ("shop".to_owned(), "web".to_owned());
        Self { cluster, asked, context, memory: RolloutMemory::new("p"), key }
    }

    /// Runs one turn; returns its writes, and how soon the next is due.
    async fn turn(&mut self) -> (Vec<(String, String)>, Option<Duration>) {
        self.cluster().writes.clear();
        let after = Box::pin(turn(&self.context, &self.key, &mut self.memory)).await;
        // Lists that the turn began, and did not wait for.
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        let next = after.next.map(|at| at.saturating_duration_since(Instant::now()));
        (std::mem::take(&mut self.cluster().writes), next)
    }

    fn cluster(&self) -> std::sync::MutexGuard<'_, Cluster> {
        self.cluster.lock().unwrap()
    }

    fn replica_sets(&self) -> Vec<Value> {
        let cluster = self.cluster();
        let sets = cluster.objects.iter().filter(|(path, _)| path.contains("/replicasets/"));
        sets.map(|(_, set)| set.clone()).collect()
    }

    /// Gives the only ReplicaSet two pods, this many of them ready, and lets the next turn see it.
    fn counts(&mut self, ready: u32) {
        let mut cluster = self.cluster();
        let found = cluster.objects.iter().find(|(path, _)| path.contains("/replicasets/")).unwrap();
        let (path, mut set) = (found.0.clone(), found.1.clone());
        set["status"] = json!({"observedGeneration": 1, "replicas": 2, "readyReplicas": ready});
        cluster.put(&path, set);
        drop(cluster);
        self.memory.driver.read_live();
    }

    /// Gives every ReplicaSet the pods that it wants.
    fn run_pods(&mut self) {
        let mut cluster = self.cluster();
        let sets = cluster.objects.iter().filter(|(path, _)| path.contains("/replicasets/"));
        for (path, mut set) in sets.map(|(path, set)| (path.clone(), set.clone())).collect::<Vec<_>>() {
            let pods = set["spec"]["replicas"].clone();
            let status = json!({
                "observedGeneration": set["metadata"]["generation"], "replicas": pods, "readyReplicas": pods,
                "availableReplicas": pods
            });
            if set["status"] != status {
                set["status"] = status;
                cluster.put(&path, set);
            }
        }
    }

    /// Changes the Rollout as a user does.
    fn edit(&mut self, patch: &Value) {
        let mut cluster = self.cluster();
        let mut rollout = cluster.objects[ROLLOUT].clone();
        let spec = rollout["spec"].clone();
        merge(&mut rollout, patch);
        if rollout["spec"] != spec {
            let generation = rollout["metadata"]["generation"].as_u64().unwrap_or(0);
            rollout["metadata"]["generation"] = json!(generation + 1);
        }
        cluster.put(ROLLOUT, rollout);
        drop(cluster);
        self.memory.driver.read_live();
    }

    fn image(&mut self, image: &str) {
        let containers = json!([{"name": "c", "image": image}]);
        self.edit(&json!({"spec": {"template": {"spec": {"containers": containers}}}}));
    }

    /// Runs turns, with instant pods and an advancing clock, until this holds for the Rollout.
    async fn until(&mut self, what: impl Fn(&Value) -> bool) {
        for _ in 0..60 {
            if what(&self.cluster().objects[ROLLOUT]) {
                return;
            }
            self.memory.driver.read_live();
            self.turn().await;
            self.run_pods();
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        panic!("not within 60 turns: {}", self.status());
    }

    async fn until_phase(&mut self, phase: &str) {
        self.until(|rollout| rollout["status"]["phase"] == phase).await;
    }

    fn status(&self) -> Value {
        self.cluster().objects[ROLLOUT]["status"].clone()
    }

    /// Runs turns until nothing is written any more.
    async fn settle(&mut self) -> usize {
        let mut writes = 0;
        for _ in 0..20 {
            let (written, next) = self.turn().await;
            writes += written.len();
            if written.is_empty() && next.is_none_or(|next| !next.is_zero()) {
                return writes;
            }
        }
        panic!("it does not settle");
    }
}

fn verbs(writes: &[(String, String)]) -> Vec<String> {
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    writes.iter().map(|(verb, path)| format!("{verb} {}", last(path))).collect()
}

#[tokio::test(start_paused = true)]
async fn the_status_is_stored_before_the_first_pod_and_nothing_is_written_at_rest() {
    let mut world = World::new(json!([])).await;
    let (fence, next) = world.turn().await;
    assert!(fence.is_empty(), "no object to fence yet: {fence:?}");
    assert_eq!(next, Some(Duration::ZERO));
    let (writes, _) = world.turn().await;
    assert_eq!(verbs(&writes)[..2], ["PUT status", "POST replicasets"]);
    assert_eq!(world.replica_sets()[0]["metadata"]["annotations"]["rollout-core/fence"], "p-1");
    world.settle().await;
    let (writes, _) = world.turn().await;
    assert_eq!(writes, []);
    assert_eq!(world.status()["phase"], "Progressing");
    assert_eq!(
        world.cluster().objects[ROLLOUT]["metadata"]["annotations"]["rollout.argoproj.io/revision"],
        "1"
    );
}

#[tokio::test(start_paused = true)]
async fn counts_wait_a_little_for_another_change_and_are_then_stored() {
    let mut world = World::new(json!([])).await;
    world.settle().await;
    world.counts(0);
    world.counts(1);
    let (writes, next) = world.turn().await;
    assert_eq!((writes, next), (vec![], Some(Duration::from_secs(5))));
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(verbs(&world.turn().await.0), ["PUT status"]);
    assert_eq!(world.status()["readyReplicas"], 1);
}

/// Argo Rollouts' tests scale a Rollout a few times and then wait for `Healthy`.
#[tokio::test(start_paused = true)]
async fn a_rollout_that_waits_for_nothing_shows_each_change_at_once() {
    let mut world = World::new(json!([])).await;
    world.until_phase("Healthy").await;
    for paused in [true, false].into_iter().cycle().take(12) {
        world.edit(&json!({"spec": {"paused": paused}}));
        world.settle().await;
        let generation = world.cluster().objects[ROLLOUT]["metadata"]["generation"].to_string();
        let status = world.status();
        let phase = if paused { "Paused" } else { "Healthy" };
        assert_eq!((&status["phase"], &status["observedGeneration"]), (&json!(phase), &json!(generation)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_compare_and_swap_carries_out_nothing_and_is_no_error() {
    let mut world = World::new(json!([])).await;
    world.turn().await;
    world.cluster().fault = Some((409, false));
    let (writes, next) = world.turn().await;
    assert_eq!(verbs(&writes), ["PUT status"]);
    assert_eq!(next, Some(Duration::ZERO));
    assert!(world.memory.driver.nonce().is_some(), "a conflict is known not to have taken effect");
    world.settle().await;
    assert_eq!(world.replica_sets().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_unclear_answer_is_followed_by_a_fence_and_a_live_reading() {
    for took_effect in [false, true] {
        let mut world = World::new(json!([])).await;
        world.settle().await;
        // More pods are wanted; the outcome of the ReplicaSet's write is unknown.
        let mut rollout = world.cluster().objects[ROLLOUT].clone();
        rollout["spec"]["replicas"] = json!(5);
        world.cluster().put(ROLLOUT, rollout);
        world.memory.driver.read_live();
        let path =
            world.cluster().objects.keys().find(|path| path.contains("/replicasets/")).unwrap().clone();
        // The first write is the proof; the outcome of the second is unknown.
        world.cluster().fail_in = Some((2, 500, took_effect));
        let (_, next) = world.turn().await;
        assert_eq!(next, Some(Duration::ZERO));
        assert_eq!(world.memory.driver.nonce(), None);
        assert_eq!(world.cluster().objects[&path]["spec"]["replicas"] == 5, took_effect);
        world.settle().await;
        let cluster = world.cluster();
        assert_eq!(cluster.objects[&path]["spec"]["replicas"], 5);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_write_is_retried_less_and_less_often() {
    let mut world = World::new(json!([])).await;
    world.turn().await;
    let mut waits = Vec::new();
    for _ in 0..4 {
        world.cluster().fault = Some((403, false));
        waits.push(world.turn().await.1.unwrap().as_secs());
    }
    assert_eq!(waits, [2, 4, 8, 16]);
}

#[tokio::test(start_paused = true)]
async fn all_errors_are_reported_and_nothing_else_is_touched() {
    let mut world = World::new(json!([{"setWeight": 101}, {"analysis": {}}])).await;
    let (writes, next) = world.turn().await;
    assert_eq!(verbs(&writes), ["PUT status"]);
    assert_eq!(next, None, "no hot loop");
    let status = world.status();
    assert_eq!(status["phase"], "Degraded");
    let message = status["message"].as_str().unwrap();
    assert!(message.starts_with("InvalidSpec: The Rollout \"web\" is invalid: "), "{message}");
    assert!(message.contains("SetWeight needs to be between 0 and 100"), "{message}");
    assert_eq!(world.turn().await.0, [], "it is reported once");
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_status_holds_the_rollout() {
    let mut world = World::new(json!([])).await;
    let mut rollout = world.cluster().objects[ROLLOUT].clone();
    rollout["status"] = json!({"currentStepIndex": "three"});
    world.cluster().put(ROLLOUT, rollout);
    world.memory.driver.read_live();
    let (writes, next) = world.turn().await;
    assert_eq!((verbs(&writes), next), (vec!["PUT status".to_owned()], None));
    assert!(world.memory.last_logged.contains("cannot be read"), "{}", world.memory.last_logged);
    let status = world.status();
    assert_eq!(status["currentStepIndex"], "three", "the user must fix it");
    let message = status["message"].as_str().unwrap();
    assert!(message.contains("status.currentStepIndex: must be a whole number from 0"), "{message}");
    assert_eq!(world.turn().await, (vec![], None), "it is reported once");
    world.edit(&json!({"status": {"currentStepIndex": 0}}));
    world.until_phase("Healthy").await;
}

#[tokio::test(start_paused = true)]
async fn another_instances_rollout_is_left_alone() {
    let mut world = World::new(json!([])).await;
    let mut rollout = world.cluster().objects[ROLLOUT].clone();
    rollout["metadata"]["labels"] = json!({"argo-rollouts.argoproj.io/controller-instance-id": "blue"});
    world.cluster().put(ROLLOUT, rollout);
    world.memory.driver.read_live();
    assert_eq!(world.turn().await, (vec![], None));
    world.context.instance = Some("blue".to_owned());
    world.memory.driver.read_live();
    world.turn().await;
    assert!(!world.turn().await.0.is_empty(), "now it is ours");
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_writes_nothing() {
    let mut world = World::new(json!([])).await;
    world.context.dry_run = true;
    for _ in 0..3 {
        assert_eq!(world.turn().await.0, []);
    }
    assert!(world.memory.last_logged.contains("2 pods"), "{}", world.memory.last_logged);
}

#[tokio::test(start_paused = true)]
async fn an_edited_min_ready_time_reaches_the_pods_of_the_current_revision() {
    let mut world = World::new(json!([])).await;
    world.until_phase("Healthy").await;
    world.settle().await;
    world.edit(&json!({"spec": {"minReadySeconds": 20}}));
    assert_eq!(world.settle().await, 2, "the ReplicaSet, and which generation was observed");
    assert_eq!(world.replica_sets()[0]["spec"]["minReadySeconds"], 20);
}

#[tokio::test(start_paused = true)]
async fn during_an_update_new_pods_keep_away_from_the_nodes_of_stable() {
    let steps = json!([{"setWeight": 50}, {"pause": {}}]);
    let mut world = World::new(steps).await;
    world.edit(&json!({"spec": {"strategy": {"canary": {
        "antiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}
    }}}}));
    world.until_phase("Healthy").await;
    let rules = |world: &World, image: &str| {
        let sets = world.replica_sets();
        let set = sets.iter().find(|set| set["spec"]["template"]["spec"]["containers"][0]["image"] == image);
        let lists = &set.unwrap()["spec"]["template"]["spec"]["affinity"]["podAntiAffinity"];
        let terms = lists["requiredDuringSchedulingIgnoredDuringExecution"].as_array().cloned();
        let values = |term: Value| term["labelSelector"]["matchExpressions"][0]["values"][0].clone();
        terms.unwrap_or_default().into_iter().map(values).collect::<Vec<_>>()
    };
    assert_eq!(rules(&world, "web:v1"), [Value::Null; 0], "there is no update");
    let stable = world.status()["stableRS"].clone();
    world.image("web:v2");
    world.until_phase("Paused").await;
    assert_eq!((rules(&world, "web:v2"), rules(&world, "web:v1")), (vec![stable.clone()], vec![]));
    world.edit(&json!({"status": {"promoteFull": true}}));
    world.until(|rollout| rollout["status"]["stableRS"] != stable).await;
    world.until_phase("Healthy").await;
    world.settle().await;
    assert_eq!(rules(&world, "web:v2"), [Value::Null; 0], "the update is over");
}
