//! `kubectl argo rollouts restart`.

use super::{pods::PODS, *};

const ASKED: &str = "2026-01-01T00:01:00Z";

impl World {
    /// Creates the pods of every ReplicaSet, all of them older than the restart.
    fn create_old_pods(&mut self, image: &str, names: &[&str]) {
        self.create_pods(image, names.iter().map(ToString::to_string));
        for name in names {
            self.change_pod(name, "creationTimestamp", "2026-01-01T00:00:00Z");
        }
    }

    fn change_pod(&mut self, name: &str, field: &str, value: &str) {
        let mut pod = self.cluster().objects[&format!("{PODS}/{name}")].clone();
        pod["metadata"][field] = json!(value);
        self.show(name, pod);
    }

    /// Replaces an evicted pod by a newer one.
    fn replace_pod(&mut self, image: &str, old: &str, new: &str) {
        self.change_pod(old, "deletionTimestamp", ASKED);
        self.create_pods(image, [new.to_owned()]);
        self.change_pod(new, "creationTimestamp", "2026-01-01T00:02:00Z");
    }

    /// Runs turns; returns the pods that they evicted.
    async fn evicted(&mut self) -> Vec<String> {
        let mut evicted = Vec::new();
        for _ in 0..4 {
            self.memory.driver.read_live();
            let (writes, _) = self.turn().await;
            self.run_pods();
            let pods = writes.iter().filter(|(_, path)| path.ends_with("/eviction"));
            evicted.extend(pods.filter_map(|(_, path)| path.rsplit('/').nth(1).map(str::to_owned)));
        }
        evicted
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_evicts_one_pod_after_the_other_and_is_then_recorded() {
    let mut world = World::new(json!([])).await;
    world.until_phase("Healthy").await;
    world.create_old_pods("web:v1", &["a", "b"]);
    world.edit(&json!({"spec": {"restartAt": ASKED}}));
    assert_eq!(world.evicted().await, ["a"]);
    assert_eq!(
        (&world.status()["phase"], &world.status()["message"]),
        (&json!("Progressing"), &json!("rollout is restarting"))
    );
    world.replace_pod("web:v1", "a", "c");
    assert_eq!(world.evicted().await, ["b"]);
    assert_eq!(world.status()["restartedAt"], json!(null));
    world.replace_pod("web:v1", "b", "d");
    assert_eq!(world.evicted().await, [""; 0]);
    assert_eq!(
        (&world.status()["phase"], &world.status()["restartedAt"]),
        (&json!("Healthy"), &json!(ASKED))
    );
    assert_eq!(world.settle().await, 0);
    assert_eq!(world.turn().await, (vec![], None), "nothing is left to do");
}

#[tokio::test(start_paused = true)]
async fn a_restart_that_a_budget_refuses_stops_neither_a_release_nor_an_abort() {
    let mut world = World::new(json!([{"setWeight": 50}, {"pause": {}}])).await;
    world.until_phase("Healthy").await;
    world.create_old_pods("web:v1", &["a", "b"]);
    world.cluster().fails = Some(("/eviction", 429));
    world.edit(&json!({"spec": {"restartAt": ASKED}}));
    assert_eq!(world.evicted().await, ["a"], "the next attempt is in 30 s");
    let next = world.turn().await.1.unwrap();
    assert_eq!(next, Duration::from_secs(30));
    world.image("web:v2");
    world.until_phase("Paused").await;
    world.edit(&json!({"status": {"abort": true}}));
    world.until_phase("Degraded").await;
    let waits =
        world.cluster().event_reasons.iter().filter(|reason| *reason == "RolloutRestartWaits").count();
    assert_eq!(waits, 1);
    world.cluster().fails = None;
    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!(world.evicted().await, ["a"]);
    assert_ne!(world.turn().await.1, Some(Duration::ZERO), "the attempt that was due is over");
}

#[tokio::test(start_paused = true)]
async fn a_restart_in_the_future_begins_in_time() {
    let mut world = World::new(json!([])).await;
    let began = Instant::now();
    let start = rollout_core::Time::parse_rfc3339("2026-01-01T00:00:30Z").unwrap();
    world.context.clock = Arc::new(move || start + began.elapsed());
    world.until_phase("Healthy").await;
    world.create_old_pods("web:v1", &["a", "b"]);
    world.edit(&json!({"spec": {"restartAt": ASKED}}));
    assert_eq!(world.evicted().await, [""; 0]);
    let next = world.turn().await.1.unwrap();
    assert_eq!(start + began.elapsed() + next, rollout_core::Time::parse_rfc3339(ASKED).unwrap());
    tokio::time::advance(next).await;
    assert_eq!(world.evicted().await, ["a"]);
}

#[tokio::test(start_paused = true)]
async fn an_eviction_means_one_pod_and_not_a_later_one_of_its_name() {
    let mut world = World::new(json!([])).await;
    world.until_phase("Healthy").await;
    world.create_old_pods("web:v1", &["a", "b"]);
    world.edit(&json!({"spec": {"restartAt": ASKED}}));
    assert_eq!(world.evicted().await, ["a"]);
    let uid = world.cluster().objects[&format!("{PODS}/a")]["metadata"]["uid"].clone();
    let asked = world.asked.lock().unwrap();
    let eviction = asked.iter().find(|asked| asked.uri.contains("/pods/a/eviction")).unwrap();
    assert_eq!(eviction.body["deleteOptions"]["preconditions"]["uid"], uid);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_is_gone_needs_no_eviction() {
    let mut world = World::new(json!([])).await;
    world.until_phase("Healthy").await;
    world.create_old_pods("web:v1", &["a", "b"]);
    world.cluster().fails = Some(("/eviction", 404));
    world.edit(&json!({"spec": {"restartAt": ASKED}}));
    assert_eq!(world.evicted().await, ["a"], "the watch will show that it is gone");
    // Events are sent beside the turns.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!world.cluster().event_reasons.iter().any(|reason| reason == "RolloutRestartWaits"));
}

#[tokio::test(start_paused = true)]
async fn evictions_without_an_answer_delay_a_turn_by_two_seconds_in_all() {
    let mut world = World::new(json!([])).await;
    world.until_phase("Healthy").await;
    world.create_old_pods("web:v1", &["a", "b"]);
    world.cluster().silent = Some("/eviction");
    let canary = json!({"maxUnavailable": 2});
    world.edit(&json!({"spec": {"restartAt": ASKED, "strategy": {"canary": canary}}}));
    let began = Instant::now();
    assert_eq!(world.evicted().await, ["a"]);
    assert_eq!(began.elapsed(), Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_turn_evicts_ten_pods_at_most() {
    let mut world = World::new(json!([])).await;
    let canary = json!({"maxUnavailable": "100%"});
    world.edit(&json!({"spec": {"replicas": 25, "strategy": {"canary": canary}}}));
    world.until_phase("Healthy").await;
    let names: Vec<String> = (0..25).map(|number| format!("pod-{number:02}")).collect();
    world.create_old_pods("web:v1", &names.iter().map(String::as_str).collect::<Vec<_>>());
    world.edit(&json!({"spec": {"restartAt": ASKED}}));
    let (writes, _) = world.turn().await;
    assert_eq!(writes.iter().filter(|(_, path)| path.ends_with("/eviction")).count(), 10);
}

#[tokio::test(start_paused = true)]
async fn stable_comes_first() {
    let mut world = World::new(json!([{"setWeight": 50}, {"pause": {}}])).await;
    world.until_phase("Healthy").await;
    world.image("web:v2");
    world.until_phase("Paused").await;
    world.create_old_pods("web:v2", &["canary"]);
    world.create_old_pods("web:v1", &["stable"]);
    world.edit(&json!({"spec": {"restartAt": ASKED}}));
    assert_eq!(world.evicted().await, ["stable"], "the Rollout as a whole has room for one");
}
