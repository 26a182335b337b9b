//! What is told in events, and in which order.

use super::*;

impl World {
    /// The events so far; the publisher works beside the turns.
    async fn told(&self) -> Vec<String> {
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
        self.cluster().told.clone()
    }
}

/// The list is the reference's own end-to-end test.
#[tokio::test(start_paused = true)]
async fn an_update_aborted_retried_and_finished_is_told_in_the_references_order() {
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
    let told = world.told().await;
    assert_eq!(told, expected, "{told:#?}");
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
    let told = world.told().await;
    assert_eq!(told.iter().filter(|reason| *reason == "ReplicaSetCreateError").count(), 1, "{told:?}");
    world.until_phase("Healthy").await;
    world.cluster().objects.remove(ROLLOUT);
    for _ in 0..2 {
        world.memory.live_next = true;
        world.turn().await;
    }
    let told = world.told().await;
    assert_eq!(told.iter().filter(|reason| *reason == "RolloutDeleted").count(), 1, "{told:?}");
    assert_eq!(told.iter().filter(|reason| *reason == "RolloutAddedToInformer").count(), 1, "{told:?}");
}
