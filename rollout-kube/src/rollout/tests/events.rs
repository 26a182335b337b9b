//! The published events and their order.

use super::*;

impl World {
    /// Returns the reasons of the events so far, after the publisher has caught up.
    pub(super) async fn event_reasons(&self) -> Vec<String> {
        self.context.publisher.flush(Duration::from_secs(60)).await;
        self.cluster().event_reasons.clone()
    }

    /// Returns the notes of the events so far.
    pub(super) async fn event_notes(&self) -> Vec<String> {
        self.event_reasons().await;
        self.cluster().event_notes.clone()
    }
}

/// The list comes from Argo Rollouts' own end-to-end test.
#[tokio::test(start_paused = true)]
async fn an_update_aborted_retried_and_finished_has_the_events_of_argo_rollouts_in_order() {
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
    let reasons = world.event_reasons().await;
    assert_eq!(reasons, expected, "{reasons:#?}");
}

/// Promoted and aborted before the controller's next turn: the step is over, and nothing was resumed.
#[tokio::test(start_paused = true)]
async fn two_commands_in_one_turn_are_reported_together() {
    let mut world = World::new(json!([{"setWeight": 50}, {"pause": {}}, {"setWeight": 75}])).await;
    world.until_phase("Healthy").await;
    world.image("web:v2");
    world.until_phase("Paused").await;
    world.settle().await;
    let before = world.event_reasons().await.len();
    world.edit(&json!({"status": {"pauseConditions": null, "abort": true}}));
    world.until_phase("Degraded").await;
    let reasons = world.event_reasons().await;
    let first: Vec<&str> =
        reasons[before..].iter().map(String::as_str).filter(|it| *it != "ScalingReplicaSet").collect();
    assert_eq!(first, ["RolloutStepCompleted", "RolloutAborted"], "{reasons:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_problem_is_reported_once_and_so_is_the_deletion() {
    let mut world = World::new(json!([])).await;
    world.turn().await;
    for _ in 0..4 {
        // The status is stored, and the ReplicaSet is refused.
        world.cluster().fail_in = Some((2, 403, false));
        world.turn().await;
    }
    let reasons = world.event_reasons().await;
    assert_eq!(reasons.iter().filter(|reason| *reason == "ReplicaSetCreateError").count(), 1, "{reasons:#?}");
    world.until_phase("Healthy").await;
    world.cluster().objects.remove(ROLLOUT);
    for _ in 0..2 {
        world.memory.driver.read_live();
        world.turn().await;
    }
    let reasons = world.event_reasons().await;
    assert_eq!(reasons.iter().filter(|reason| *reason == "RolloutDeleted").count(), 1, "{reasons:#?}");
    assert_eq!(
        reasons.iter().filter(|reason| *reason == "RolloutAddedToInformer").count(),
        1,
        "{reasons:#?}"
    );
}

/// A Rollout with the name of a deleted one does not inherit its memory.
#[tokio::test(start_paused = true)]
async fn another_rollout_of_the_same_name_starts_fresh() {
    let mut world = World::new(json!([])).await;
    world.until_phase("Healthy").await;
    let mut other = world.cluster().objects[ROLLOUT].clone();
    other["metadata"]["uid"] = json!("another");
    other.as_object_mut().unwrap().shift_remove("status");
    world.cluster().put(ROLLOUT, other);
    world.memory.driver.read_live();
    world.turn().await;
    world.turn().await;
    let reasons = world.event_reasons().await;
    let times = |reason: &str| reasons.iter().filter(|reason_seen| *reason_seen == reason).count();
    assert_eq!((times("RolloutDeleted"), times("RolloutAddedToInformer")), (1, 2), "{reasons:#?}");
}

/// A missing Service is reported in the condition and in one event; when it appears, the rollout continues.
#[tokio::test(start_paused = true)]
async fn a_missing_object_is_reported_once_and_the_rollout_continues_when_it_appears() {
    let mut world = World::new(json!([])).await;
    world.edit(&json!({"spec": {"strategy": {"canary": {"stableService": "web"}}}}));
    for _ in 0..3 {
        world.memory.driver.read_live();
        let (_, next) = world.turn().await;
        let is_held =
            world.status()["message"].as_str().is_none_or(|message| !message.contains("InvalidSpec"));
        assert!(is_held, "while manifests are being applied it may appear soon: {}", world.status());
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
    let reasons = world.event_reasons().await;
    for once in ["TrafficRoutingError", "RolloutUpdated"] {
        assert_eq!(reasons.iter().filter(|reason| *reason == once).count(), 1, "{reasons:#?}");
    }
    assert!(world.status()["currentPodHash"].is_string(), "a decision is stored before it is carried out");
    world.memory.driver.read_live();
    assert_eq!(world.turn().await.0, []);
    world.memory = RolloutMemory::new("p");
    assert_eq!(world.turn().await.0, [], "another process does not withdraw the report");
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"selector": {"app": "web"}}
    });
    world.cluster().put("/api/v1/namespaces/shop/services/web", service);
    world.until_phase("Healthy").await;
}

/// A process that starts reads the same field again: users need no second event for that.
#[tokio::test(start_paused = true)]
async fn an_ignored_field_is_reported_once_for_each_content_of_the_spec() {
    let mut world = World::new(json!([])).await;
    world.edit(&json!({"spec": {"restartAt": "tomorrow"}}));
    let reported = async |world: &World| {
        world.event_reasons().await.iter().filter(|reason| *reason == "FieldIgnored").count()
    };
    let restart = |world: &mut World| {
        world.memory = RolloutMemory::new("q");
        world.context.publisher = Publisher::start(world.context.caches.requests().clone(), "q");
    };
    world.until_phase("Healthy").await;
    assert_eq!(reported(&world).await, 1);
    restart(&mut world);
    world.turn().await;
    world.turn().await;
    assert_eq!(reported(&world).await, 1, "another process has said so");
    restart(&mut world);
    world.edit(&json!({"spec": {"restartAt": "next week"}}));
    world.turn().await;
    assert_eq!(reported(&world).await, 2, "no process has seen this edit yet");
}
