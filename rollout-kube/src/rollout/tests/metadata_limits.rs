//! Labels and annotations of pods: how much one turn writes, how often, and what is forgotten.

use super::{metadata::metadata, pods::PODS, *};

fn stable(labels: &Value) -> Value {
    metadata(&json!(null), &json!({"labels": labels}))
}

impl World {
    /// Runs a turn; returns how many writes it sent to paths that hold this text.
    async fn writes_to(&mut self, part: &str) -> usize {
        self.turn().await.0.iter().filter(|(_, path)| path.contains(part)).count()
    }

    fn labels(&self, pod: &str) -> Value {
        let mut labels = self.cluster().objects[&format!("{PODS}/{pod}")]["metadata"]["labels"].clone();
        labels.as_object_mut().unwrap().retain(|key, _| !key.starts_with("rollouts-"));
        labels
    }

    async fn failures_reported(&self) -> usize {
        // Events are sent beside the turns.
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.cluster().event_reasons.iter().filter(|reason| *reason == "PodMetadataError").count()
    }
}

/// Names of pods, in order.
fn names(kind: &'static str, count: usize) -> impl Iterator<Item = String> {
    (0..count).map(move |index| format!("{kind}-{index:03}"))
}

async fn healthy(steps: Value) -> World {
    let mut world = World::new(steps).await;
    world.until_phase("Healthy").await;
    world
}

#[tokio::test(start_paused = true)]
async fn a_turn_writes_fifty_pods_at_most_each_by_its_uid() {
    let mut world = healthy(json!([])).await;
    world.create_pods("web:v1", names("pod", 120));
    world.edit(&stable(&json!({"role": "stable"})));
    let mut written = Vec::new();
    for _ in 0..5 {
        written.push(world.writes_to("/pods/").await);
    }
    written.retain(|count| *count > 0);
    assert_eq!(written, [50, 50, 20]);
    let uid = world.cluster().objects[&format!("{PODS}/pod-000")]["metadata"]["uid"].clone();
    let asked = world.asked.lock().unwrap();
    let patch = asked.iter().find(|asked| asked.uri.contains("/pods/pod-000")).unwrap();
    assert_eq!(patch.body["metadata"]["uid"], uid, "it fails if another pod has the name");
}

#[tokio::test(start_paused = true)]
async fn pods_that_keep_failing_come_after_the_others() {
    let mut world = healthy(json!([])).await;
    world.create_pods("web:v1", names("bad", 100));
    world.cluster().fails = Some(("/pods/bad", 422));
    world.edit(&stable(&json!({"role": "stable"})));
    for _ in 0..3 {
        world.turn().await;
    }
    world.create_pods("web:v1", names("good", 40));
    for good in names("good", 40) {
        let mut pod = world.cluster().objects[&format!("{PODS}/{good}")].clone();
        pod["metadata"]["labels"]["role"] = json!("another");
        world.show(&good, pod);
    }
    // The others may be retried, too.
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(world.writes_to("/pods/").await, 50);
    for good in names("good", 40) {
        assert_eq!(world.labels(&good)["role"], "stable", "{good}");
    }
}

#[tokio::test(start_paused = true)]
async fn pods_without_an_answer_delay_a_turn_by_two_seconds_in_all() {
    let mut world = healthy(json!([{"setWeight": 50}, {"pause": {}}])).await;
    world.image("web:v2");
    world.until_phase("Paused").await;
    world.create_pods("web:v1", names("v1", 20));
    world.create_pods("web:v2", names("v2", 20));
    world.cluster().silent = Some("/pods/");
    let role = json!({"labels": {"role": "any"}});
    world.edit(&metadata(&role, &role));
    let began = Instant::now();
    let (writes, next) = world.turn().await;
    assert_eq!(writes.iter().filter(|(_, path)| path.contains("/pods/")).count(), 10);
    assert_eq!(began.elapsed(), Duration::from_secs(2));
    assert_ne!(next, Some(Duration::ZERO), "the next turn does not begin at once");
}

#[tokio::test(start_paused = true)]
async fn a_replica_set_that_cannot_be_written_is_retried_after_a_pause() {
    let mut world = healthy(json!([])).await;
    world.cluster().fails = Some(("/replicasets/", 403));
    world.edit(&stable(&json!({"role": "stable"})));
    let mut writes = 0;
    for _ in 0..5 {
        writes += world.writes_to("/replicasets/").await;
    }
    assert_eq!(writes, 1);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_is_gone_is_no_failure() {
    let mut world = healthy(json!([])).await;
    world.create_pods("web:v1", names("pod", 1));
    world.cluster().fails = Some(("/pods/", 404));
    world.edit(&stable(&json!({"role": "stable"})));
    world.turn().await;
    world.turn().await;
    assert_eq!(world.failures_reported().await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_reported_again_if_all_was_right_in_between() {
    let mut world = healthy(json!([])).await;
    world.create_pods("web:v1", names("pod", 2));
    // The same report again would be counted, and not be a new event.
    for (round, pod) in ["/pods/pod-000", "/pods/pod-001"].into_iter().enumerate() {
        let role = format!("role-{round}");
        world.cluster().fails = Some((pod, 422));
        world.edit(&stable(&json!({"role": role})));
        for _ in 0..4 {
            world.turn().await;
        }
        assert_eq!(world.failures_reported().await, round + 1);
        world.cluster().fails = None;
        tokio::time::advance(Duration::from_secs(300)).await;
        world.turn().await;
        assert_eq!(
            [world.labels("pod-000"), world.labels("pod-001")].map(|of| of["role"].clone()),
            [&*role, &*role]
        );
    }
}

/// Two changes, one after the other, while no pod can be written: what the first took away is remembered.
#[tokio::test(start_paused = true)]
async fn a_key_is_not_forgotten_while_a_pod_has_it() {
    let mut world = World::new(json!([])).await;
    world.edit(&stable(&json!({"one": "1", "two": "2"})));
    world.until_phase("Healthy").await;
    world.create_pods("web:v1", names("pod", 1));
    world.cluster().fails = Some(("/pods/", 422));
    for labels in [json!({"one": null, "two": "2"}), json!({"one": null, "two": null, "three": "3"})] {
        world.edit(&stable(&labels));
        for _ in 0..3 {
            world.turn().await;
        }
    }
    world.cluster().fails = None;
    tokio::time::advance(Duration::from_secs(300)).await;
    world.turn().await;
    assert_eq!(world.labels("pod-000"), json!({"app": "web", "three": "3"}));
}
