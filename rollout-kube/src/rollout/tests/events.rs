//! What is told in events, and in which order.

use super::*;

impl World {
    /// The reasons of the events so far; the publisher works beside the turns.
    pub(super) async fn event_reasons(&self) -> Vec<String> {
        self.context.publisher.flush(Duration::from_secs(60)).await;
        self.cluster().event_reasons.clone()
    }

    /// Their notes.
    pub(super) async fn event_notes(&self) -> Vec<String> {
        self.event_reasons().await;
        self.cluster().event_notes.clone()
    }
}

/// The list is Argo Rollouts' own end-to-end test.
#[tokio::test(start_paused = true)]
async fn an_update_aborted_retried_and_finished_is_told_in_the_order_of_argo_rollouts() {
    let mut world = World::new(json!([{"setWeight": 50}, {"pause": {}}])).await;
    world.edit(&json!({"spec": {"replicas": 1}}));
    world.until_phase("Healthy").await;
    world.image("web:v2");
    world.until_phase("Paused").await;
    world.settle().await;
    world.edit(&json!({"status": {"abort": true}}));
    world.until_phase("Degraded").await;
    world.settle().await;
    world.edit(&json!({"status": {"abort": false}}));
    world.until_phase("Paused").await;
    world.edit(&json!({"status": {"pauseConditions": null}}));
    world.until_phase("Healthy").await;
    world.settle().await;
    let expected = [
        "RolloutAddedToInformer",
        "RolloutUpdated",
        "NewReplicaSetCreated",
        "RolloutNotCompleted",
        "ScalingReplicaSet",
        "RolloutCompleted",
        "RolloutUpdated",
        "NewReplicaSetCreated",
        "RolloutNotCompleted",
        "ScalingReplicaSet",
        "RolloutStepCompleted",
        "RolloutPaused",
        "ScalingReplicaSet",
        "RolloutAborted",
        "ScalingReplicaSet",
        "RolloutStepCompleted",
        "RolloutPaused",
        "RolloutStepCompleted",
        "RolloutResumed",
        "ScalingReplicaSet",
        "RolloutCompleted",
    ];
    let told = world.event_reasons().await;
    assert_eq!(told, expected, "{told:#?}");
}

/// Promoted and aborted before the controller looked: the step is over, and nothing has gone on.
#[tokio::test(start_paused = true)]
async fn two_commands_of_one_turn_are_told_together() {
    let mut world = World::new(json!([{"setWeight": 50}, {"pause": {}}, {"setWeight": 75}])).await;
    world.until_phase("Healthy").await;
    world.image("web:v2");
    world.until_phase("Paused").await;
    world.settle().await;
    let before = world.event_reasons().await.len();
    world.edit(&json!({"status": {"pauseConditions": null, "abort": true}}));
    world.until_phase("Degraded").await;
    let told = world.event_reasons().await;
    let first: Vec<&str> =
        told[before..].iter().map(String::as_str).filter(|it| *it != "ScalingReplicaSet").collect();
    assert_eq!(first, ["RolloutStepCompleted", "RolloutAborted"], "{told:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_trouble_is_told_once_and_the_end_too() {
    let mut world = World::new(json!([])).await;
    world.turn().await;
    for _ in 0..4 {
        // The status is stored, and the ReplicaSet is refused.
        world.cluster().fail_in = Some((2, 403, false));
        world.turn().await;
    }
    let told = world.event_reasons().await;
    assert_eq!(told.iter().filter(|reason| *reason == "ReplicaSetCreateError").count(), 1, "{told:?}");
    world.until_phase("Healthy").await;
    world.cluster().objects.remove(ROLLOUT);
    for _ in 0..2 {
        world.memory.driver.read_live();
        world.turn().await;
    }
    let told = world.event_reasons().await;
    assert_eq!(told.iter().filter(|reason| *reason == "RolloutDeleted").count(), 1, "{told:?}");
    assert_eq!(told.iter().filter(|reason| *reason == "RolloutAddedToInformer").count(), 1, "{told:?}");
}

/// What was known of a Rollout that is gone is not known of another one with its name.
#[tokio::test(start_paused = true)]
async fn another_rollout_of_the_same_name_begins_anew() {
    let mut world = World::new(json!([])).await;
    world.until_phase("Healthy").await;
    let mut other = world.cluster().objects[ROLLOUT].clone();
    other["metadata"]["uid"] = json!("another");
    other.as_object_mut().unwrap().shift_remove("status");
    world.cluster().put(ROLLOUT, other);
    world.memory.driver.read_live();
    world.turn().await;
    world.turn().await;
    let told = world.event_reasons().await;
    let times = |reason: &str| told.iter().filter(|told| *told == reason).count();
    assert_eq!((times("RolloutDeleted"), times("RolloutAddedToInformer")), (1, 2), "{told:?}");
}

/// A Service that is not there is said in the condition and in one event; when it comes, the rollout goes on.
#[tokio::test(start_paused = true)]
async fn what_is_missing_is_told_once_and_the_rollout_goes_on_when_it_comes() {
    let mut world = World::new(json!([])).await;
    world.edit(&json!({"spec": {"strategy": {"canary": {"stableService": "web"}}}}));
    for _ in 0..3 {
        world.memory.driver.read_live();
        let (_, next) = world.turn().await;
        let is_held =
            world.status()["message"].as_str().is_none_or(|message| !message.contains("InvalidSpec"));
        assert!(is_held, "in a folder that is being applied it is about to come: {}", world.status());
        assert!(next.unwrap() <= Duration::from_secs(5), "{next:?}");
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    assert!(!world.event_reasons().await.contains(&"TrafficRoutingError".to_owned()));
    assert_eq!(world.status()["phase"], "Progressing", "the first deploy waits meanwhile");
    tokio::time::advance(Duration::from_secs(3)).await;
    for _ in 0..4 {
        world.memory.driver.read_live();
        world.turn().await;
    }
    let message = world.status()["message"].as_str().unwrap().to_owned();
    assert!(message.starts_with("InvalidSpec: ") && message.contains("shop/web not found"), "{message}");
    assert!(world.replica_sets().len() <= 1);
    let told = world.event_reasons().await;
    for once in ["TrafficRoutingError", "RolloutUpdated"] {
        assert_eq!(told.iter().filter(|reason| *reason == once).count(), 1, "{told:?}");
    }
    assert!(world.status()["currentPodHash"].is_string(), "what is decided is stored before it is done");
    world.memory.driver.read_live();
    assert_eq!(world.turn().await.0, []);
    world.memory = RolloutMemory::new("p");
    assert_eq!(world.turn().await.0, [], "another process does not take back what is said");
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"selector": {"app": "web"}}
    });
    world.cluster().put("/api/v1/namespaces/shop/services/web", service);
    world.until_phase("Healthy").await;
}
