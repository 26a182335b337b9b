//! Whole controllers of several clusters, each over a simulated API server of its own.

use super::Clusters;
use crate::{Controller, testing::SimulatedApiServer};
use rollout_core::{Time, fleet::ClusterName};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};

const ROLLOUT: &str = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/web";
const ROLLOUTS: &str = "/apis/argoproj.io/v1alpha1/rollouts";
const IN_STEP: &str = r#"{"clusters": ["a", "b"]}"#;

struct Cluster {
    server: SimulatedApiServer,
    /// Whether the API server answers nobody outside of its cluster.
    is_cut_off: Arc<AtomicBool>,
    controller: JoinHandle<()>,
}

struct Fleet(Vec<Cluster>);

/// A client whose requests are lost, and whose watches are silent, while its cluster is cut off.
fn client_from_outside(server: &SimulatedApiServer, is_cut_off: &Arc<AtomicBool>) -> kube::Client {
    let (inner, is_cut_off) = (server.client(), Arc::clone(is_cut_off));
    let service = tower::service_fn(move |request: http::Request<kube::client::Body>| {
        let (inner, is_cut_off) = (inner.clone(), Arc::clone(&is_cut_off));
        async move {
            if is_cut_off.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            inner.send(request).await
        }
    });
    kube::Client::new(service, "default")
}

impl Fleet {
    /// Starts a controller in each of these clusters, with a Rollout of two pods by these steps.
    async fn new(names: &[&str], policy: &str, steps: &Value) -> Self {
        let began = Instant::now();
        let made: Vec<_> =
            names.iter().map(|_| (SimulatedApiServer::start(), Arc::<AtomicBool>::default())).collect();
        let name = |name: &str| ClusterName::new(name).unwrap();
        let start = |me: usize| {
            let (server, is_cut_off) = &made[me];
            server.run_pods();
            let pods = json!({"containers": [{"name": "web", "image": "web:v1"}]});
            let spec = json!({
                "replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "strategy": {"canary": {"steps": steps}},
                "template": {"metadata": {"labels": {"app": "web"}}, "spec": pods}
            });
            let annotations = json!({"rollout-core/fleet": policy});
            server.apply(ROLLOUT, json!({"metadata": {"annotations": annotations}, "spec": spec}));
            let mut clusters = Clusters::new(name(names[me]));
            for (other, (server, is_cut_off)) in made.iter().enumerate().filter(|(other, _)| *other != me) {
                clusters = clusters.cluster(name(names[other]), client_from_outside(server, is_cut_off));
            }
            let clock = move || Time::from_secs(1_769_860_800) + began.elapsed();
            let controller = Controller::builder(server.client()).clock(clock).clusters(clusters);
            let controller = tokio::spawn(async move { controller.run().await.unwrap() });
            Cluster { server: server.clone(), is_cut_off: Arc::clone(is_cut_off), controller }
        };
        let fleet = Self((0..names.len()).map(start).collect());
        sleep(Duration::from_secs(30)).await;
        for at in 0..names.len() {
            assert_eq!(fleet.phase(at), "Healthy", "a first deploy waits for nobody: {}", fleet.status(at));
        }
        fleet
    }

    fn status(&self, at: usize) -> Value {
        self.0[at].server.all(ROLLOUTS)[0]["status"].clone()
    }

    fn phase(&self, at: usize) -> String {
        self.status(at)["phase"].as_str().unwrap_or_default().to_owned()
    }

    fn message(&self, at: usize) -> String {
        self.status(at)["message"].as_str().unwrap_or_default().to_owned()
    }

    fn step(&self, at: usize) -> u64 {
        self.status(at)["currentStepIndex"].as_u64().unwrap_or_default()
    }

    /// GitOps brings the new image to a cluster.
    fn update(&self, at: usize, image: &str) {
        let pods = json!({"containers": [{"name": "web", "image": image}]});
        self.0[at].server.patch(ROLLOUT, &json!({"spec": {"template": {"spec": pods}}}));
    }

    /// GitOps brings the new image to all clusters at once.
    fn update_all(&self, image: &str) {
        (0..self.0.len()).for_each(|at| self.update(at, image));
    }

    /// A person gives a command, as the kubectl plugin does.
    fn command(&self, at: usize, status: &Value) {
        self.0[at].server.patch(ROLLOUT, &json!({"status": status}));
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.0.iter().for_each(|cluster| cluster.controller.abort());
    }
}

fn pauses() -> Value {
    json!([{"setWeight": 50}, {"pause": {"duration": "60s"}}, {"setWeight": 100}, {"pause": {"duration": "60s"}}])
}

async fn secs(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn a_cluster_whose_git_lags_is_waited_for_by_name() {
    let fleet = Fleet::new(&["a", "b"], IN_STEP, &pauses()).await;
    fleet.update(0, "web:v2");
    secs(120).await;
    assert_eq!((fleet.phase(0).as_str(), fleet.step(0)), ("Progressing", 0), "{}", fleet.status(0));
    let message = fleet.message(0);
    assert!(message.contains("waiting until cluster b has the pods for step 1 of 4"), "{message}");
    assert!(message.contains("it has another revision: "), "{message}");
    fleet.update(1, "web:v2");
    secs(30).await;
    assert_eq!((fleet.step(0), fleet.step(1)), (1, 1), "both pause");
    secs(150).await;
    assert_eq!((fleet.phase(0).as_str(), fleet.phase(1).as_str()), ("Healthy", "Healthy"));
}

#[tokio::test(start_paused = true)]
async fn a_later_wave_begins_when_the_earlier_is_done() {
    let fleet = Fleet::new(&["a", "b"], r#"{"waves": [["a"], ["b"]], "soak": "1m"}"#, &pauses()).await;
    fleet.update_all("web:v2");
    secs(100).await;
    assert!(fleet.step(0) > 1, "{}", fleet.status(0));
    assert_eq!(fleet.status(1)["currentStepIndex"], 0);
    assert!(fleet.message(1).contains("waiting until cluster a is done"), "{}", fleet.message(1));
    let pods = |set: &Arc<Value>| set["spec"]["replicas"].as_u64().unwrap_or_default();
    let sets = fleet.0[1].server.all("/apis/apps/v1/replicasets");
    assert_eq!(sets.iter().filter(|set| pods(set) > 0).count(), 1, "no canary pod: {sets:?}");
    secs(60).await;
    assert_eq!((fleet.phase(0).as_str(), fleet.step(1)), ("Healthy", 0), "it soaks");
    secs(200).await;
    assert_eq!(fleet.phase(1), "Healthy");
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_cannot_be_read_holds_the_others_until_it_can() {
    let fleet = Fleet::new(&["a", "b"], IN_STEP, &pauses()).await;
    fleet.update_all("web:v2");
    secs(30).await;
    assert_eq!((fleet.step(0), fleet.step(1)), (1, 1), "both pause");
    fleet.0[1].is_cut_off.store(true, Ordering::Relaxed);
    fleet.0[1].server.cut_watches();
    secs(300).await;
    let message = fleet.message(0);
    assert!(message.contains("waiting until cluster b "), "{message}");
    assert!(message.contains("it cannot be read since 2026-01-31T12:00:3"), "{message}");
    assert!(fleet.step(0) < 4 && fleet.step(1) < 4, "{} {}", fleet.status(0), fleet.status(1));
    fleet.0[1].is_cut_off.store(false, Ordering::Relaxed);
    secs(300).await;
    assert_eq!(
        (fleet.phase(0).as_str(), fleet.phase(1).as_str()),
        ("Healthy", "Healthy"),
        "{}",
        fleet.status(0)
    );
}

#[tokio::test(start_paused = true)]
async fn an_abort_in_one_cluster_aborts_in_all_and_a_retry_begins_in_all() {
    let fleet = Fleet::new(&["a", "b"], IN_STEP, &pauses()).await;
    fleet.update_all("web:v2");
    secs(30).await;
    fleet.command(0, &json!({"abort": true}));
    secs(60).await;
    assert_eq!((fleet.phase(0).as_str(), fleet.phase(1).as_str()), ("Degraded", "Degraded"));
    assert!(fleet.message(1).contains("cluster a"), "{}", fleet.message(1));
    fleet.command(1, &json!({"abort": false}));
    secs(300).await;
    assert_eq!(
        (fleet.phase(0).as_str(), fleet.phase(1).as_str()),
        ("Healthy", "Healthy"),
        "{}",
        fleet.status(0)
    );
}

#[tokio::test(start_paused = true)]
async fn one_promotion_ends_the_pause_in_all_clusters() {
    let steps = json!([{"setWeight": 50}, {"pause": {}}, {"setWeight": 100}, {"pause": {}}]);
    let fleet = Fleet::new(&["a", "b"], IN_STEP, &steps).await;
    fleet.update_all("web:v2");
    secs(60).await;
    assert_eq!((fleet.step(0), fleet.step(1)), (1, 1));
    fleet.command(1, &json!({"pauseConditions": null}));
    secs(60).await;
    assert_eq!((fleet.step(0), fleet.step(1)), (3, 3), "each passed one pause: {}", fleet.status(0));
}

/// A watch tells at least every 60 s that it lives; nothing else is asked.
#[tokio::test(start_paused = true)]
async fn at_rest_another_cluster_is_asked_for_one_watch_a_minute() {
    let fleet = Fleet::new(&["a", "b"], IN_STEP, &pauses()).await;
    secs(120).await;
    let before = fleet.0[1].server.requests();
    secs(3_600).await;
    let after = fleet.0[1].server.requests();
    let more = |what: &str| after[what] - before[what];
    // Its own controller has one watch, and the other has one.
    assert_eq!(more("WATCH rollouts"), 2 * more("WATCH replicasets"));
    let others = |requests: &std::collections::BTreeMap<String, u64>| {
        requests.iter().filter(|(what, _)| !what.starts_with("WATCH")).map(|(_, count)| count).sum::<u64>()
    };
    assert_eq!(others(&after), others(&before), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn a_cluster_to_which_there_is_no_way_counts_as_unreachable() {
    let fleet = Fleet::new(&["a", "b"], r#"{"clusters": ["a", "b", "c"]}"#, &pauses()).await;
    fleet.update_all("web:v2");
    secs(60).await;
    let message = fleet.message(0);
    assert!(
        message.contains("waiting until cluster c has the pods for step 1 of 4; it cannot be read since"),
        "{message}"
    );
}

/// Nothing else would wake it: no time is waited for, and no object changes.
#[tokio::test(start_paused = true)]
async fn a_release_that_waits_says_when_the_other_cluster_can_be_read_no_more_and_again() {
    let fleet = Fleet::new(&["a", "b"], IN_STEP, &pauses()).await;
    fleet.update(0, "web:v2");
    secs(60).await;
    assert!(fleet.message(0).contains("it has another revision: "), "{}", fleet.message(0));
    fleet.0[1].is_cut_off.store(true, Ordering::Relaxed);
    fleet.0[1].server.cut_watches();
    secs(300).await;
    assert!(fleet.message(0).contains("it cannot be read since "), "{}", fleet.message(0));
    fleet.0[1].is_cut_off.store(false, Ordering::Relaxed);
    secs(300).await;
    assert!(fleet.message(0).contains("it has another revision: "), "{}", fleet.message(0));
}
