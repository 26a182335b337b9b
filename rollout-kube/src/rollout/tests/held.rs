//! Updates that continue or go back despite an invalid Rollout, and what they report meanwhile.

use super::*;
use rollout_core::fleet::FLEET_ANNOTATION;

/// Creates a world in the pause of an update from v1 to v2, at 50 %.
async fn at_fifty() -> World {
    let mut world = World::new(json!([{"setWeight": 50}, {"pause": {}}])).await;
    world.until_phase("Healthy").await;
    world.image("web:v2");
    world.until_phase("Paused").await;
    world.settle().await;
    world
}

impl World {
    fn pods(&self) -> Vec<u64> {
        let mut sets = self.replica_sets();
        sets.sort_by_key(|set| set["spec"]["template"]["spec"]["containers"][0]["image"].to_string());
        sets.iter().map(|set| set["spec"]["replicas"].as_u64().unwrap()).collect()
    }

    fn condition(&self, kind: &str) -> Value {
        let status = self.status();
        let list = status["conditions"].as_array().unwrap();
        list.iter().find(|condition| condition["type"] == kind).cloned().unwrap_or_default()
    }

    async fn is_back(&mut self) {
        self.until(|rollout| {
            rollout["status"]["abortedAt"].is_string() && rollout["status"]["availableReplicas"] == 2
        })
        .await;
        for _ in 0..10 {
            self.memory.driver.read_live();
            self.turn().await;
            self.run_pods();
        }
        assert_eq!(self.pods(), [2, 0], "{}", self.status());
        assert_eq!(self.condition("Progressing")["reason"], "RolloutAborted");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_time_of_a_restart_is_reported_once_and_holds_nothing() {
    let mut world = at_fifty().await;
    world.edit(&json!({"spec": {"restartAt": "now"}}));
    world.settle().await;
    assert_eq!(world.status()["message"], "CanaryPauseStep");
    let notes = world.event_notes().await;
    let reported: Vec<_> = notes.iter().filter(|note| note.contains("spec.restartAt")).collect();
    assert_eq!(
        reported,
        [
            "spec.restartAt: it is not a time such as 2026-01-31T12:00:00Z, so no pod is restarted; the release continues"
        ]
    );
    world.edit(&json!({"status": {"pauseConditions": null}}));
    world.until_phase("Healthy").await;
    assert_eq!(world.pods(), [0, 2]);
}

#[tokio::test(start_paused = true)]
async fn an_abort_goes_back_even_with_an_invalid_strategy() {
    let broken = [
        json!({"canary": {"steps": [{"setWeight": 500}]}}),
        json!({"canary": {"steps": "none"}}),
        json!({"canary": {"steps": [{"analysis": {"templates": [{"templateName": "t"}]}}]}}),
        json!({"canary": {"analysis": {"templates": [{"templateName": "t"}]}}}),
        json!({"canary": {"maxSurge": 0, "maxUnavailable": 0}}),
    ];
    for strategy in broken {
        for by_annotation in [false, true] {
            let mut world = at_fifty().await;
            world.edit(&json!({"spec": {"strategy": strategy, "replicas": 2}}));
            world.settle().await;
            let message = world.status()["message"].to_string();
            assert!(message.contains("InvalidSpec"), "{strategy}: {message}");
            assert_eq!(world.pods(), [1, 1], "nothing moves before an abort");
            if by_annotation {
                world.command_here("abort", None);
            } else {
                world.edit(&json!({"status": {"abort": true}}));
            }
            world.is_back().await;
            assert_eq!(world.condition("InvalidSpec")["status"], "True", "{strategy}");
            assert_eq!(world.status()["phase"], "Degraded");
            if by_annotation {
                assert_eq!(world.receipt()["answer"], "accepted");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_release_of_several_clusters_is_refused_and_can_be_aborted() {
    let mut world = at_fifty().await;
    let policy = json!({"clusters": ["a", "b"]}).to_string();
    world.edit(&json!({"metadata": {"annotations": {FLEET_ANNOTATION: policy}}}));
    world.settle().await;
    let message = world.status()["message"].to_string();
    assert!(message.contains("start it with `--cluster NAME`"), "{message}");
    assert_eq!(world.pods(), [1, 1], "nothing moves before an abort");
    world.edit(&json!({"status": {"abort": true}}));
    world.is_back().await;
}

#[tokio::test(start_paused = true)]
async fn only_an_abort_is_accepted_while_the_spec_is_invalid() {
    let mut world = at_fifty().await;
    world.edit(&json!({"spec": {"strategy": {"canary": {"steps": [{"setWeight": 500}]}}}}));
    world.edit(&json!({"status": {"promoteFull": true, "pauseConditions": null}}));
    world.command_here("promote-full", None);
    for _ in 0..5 {
        world.memory.driver.read_live();
        world.turn().await;
        world.run_pods();
    }
    assert_eq!(world.pods(), [1, 1], "{}", world.status());
}

#[tokio::test(start_paused = true)]
async fn an_abort_without_a_strategy_is_kept_until_there_is_one() {
    let mut world = at_fifty().await;
    let strategy = world.cluster().objects[ROLLOUT]["spec"]["strategy"].clone();
    world.edit(&json!({"spec": {"strategy": {"canary": null}}}));
    world.settle().await;
    world.edit(&json!({"status": {"abort": true}}));
    world.settle().await;
    assert!(world.status()["abortedAt"].is_string(), "{}", world.status());
    assert_eq!(world.pods(), [1, 1], "without a strategy, nothing can go back");
    world.edit(&json!({"spec": {"strategy": strategy}}));
    world.is_back().await;
}

#[tokio::test(start_paused = true)]
async fn a_missing_stable_replica_set_is_reported_and_the_canary_takes_over() {
    let mut world = at_fifty().await;
    let sets: Vec<String> =
        world.cluster().objects.keys().filter(|path| path.contains("/replicasets/")).cloned().collect();
    let stable = world.status()["stableRS"].as_str().unwrap().to_owned();
    let path = sets.into_iter().find(|path| path.ends_with(&stable)).unwrap();
    world.cluster().objects.remove(&path);
    for second in 0..20 {
        world.memory.driver.read_live();
        world.turn().await;
        world.run_pods();
        tokio::time::advance(Duration::from_secs(1)).await;
        if second == 5 {
            assert_eq!(world.pods(), [1], "not yet");
        }
    }
    assert_eq!(world.pods(), [2]);
    let status = world.status();
    assert_eq!(status["phase"], "Degraded");
    assert!(status["message"].as_str().unwrap().starts_with("StableGone: the stable revision"), "{status}");
    assert_eq!(world.condition("Waiting")["reason"], "StableGone");
    let reasons = world.event_reasons().await;
    assert_eq!(reasons.iter().filter(|reason| *reason == "RolloutWaiting").count(), 1, "{reasons:?}");
    world.command_here("abort", None);
    world.settle().await;
    assert_eq!(world.receipt()["answer"], "rejected");
    assert!(world.receipt()["why"].to_string().contains("nothing to go back to"));
    world.edit(&json!({"status": {"pauseConditions": null}}));
    world.until_phase("Healthy").await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_replica_set_is_never_reported_as_created() {
    let mut world = World::new(json!([])).await;
    world.turn().await;
    for _ in 0..3 {
        world.cluster().fail_in = Some((2, 422, false));
        world.turn().await;
        let progressing = world.condition("Progressing");
        assert_eq!(
            (&progressing["status"], &progressing["reason"]),
            (&json!("False"), &json!("ReplicaSetCreateError")),
            "{progressing}"
        );
    }
    assert!(world.condition("Progressing")["message"].to_string().contains("a fault"));
    world.until_phase("Healthy").await;
    assert_eq!(world.condition("Progressing")["reason"], "NewReplicaSetAvailable");
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_in_the_message_a_condition_and_later_an_event() {
    let mut world = at_fifty().await;
    world.edit(&json!({"status": {"pauseConditions": null}}));
    for _ in 0..70 {
        world.turn().await;
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    let status = world.status();
    assert_eq!(
        status["message"].as_str().unwrap().split_once(": ").unwrap().1.split(" of ").next().unwrap(),
        "waiting for pods"
    );
    let condition = world.condition("Waiting");
    assert_eq!((&condition["status"], &condition["reason"]), (&json!("True"), &json!("Pods")));
    assert!(condition["message"].to_string().contains("ends when pods become ready"), "{condition}");
    let reasons = world.event_reasons().await;
    assert!(reasons.iter().any(|reason| *reason == "RolloutWaiting"), "{reasons:?}");
    world.until_phase("Healthy").await;
    world.settle().await;
    assert_eq!(world.condition("Waiting"), Value::Null, "the wait is over");
}

/// A fence that succeeds in between, or in part, does not reset the back-off of the failing write.
#[tokio::test(start_paused = true)]
async fn a_write_that_always_fails_is_retried_less_and_less_often() {
    for (part, code) in
        ["/status", "/replicasets"].into_iter().flat_map(|part| [500, 409, 403].map(|code| (part, code)))
    {
        let mut world = World::new(json!([])).await;
        world.until_phase("Healthy").await;
        world.settle().await;
        world.cluster().fails = Some((part, code));
        world.edit(&json!({"spec": {"replicas": 5}}));
        let (began, mut tried) = (Instant::now(), 0);
        while began.elapsed() < Duration::from_secs(600) {
            let (writes, next) = world.turn().await;
            tried += writes.iter().filter(|(_, path)| path.contains(part)).count();
            let at = next.map_or_else(Instant::now, |next| Instant::now() + next);
            tokio::time::sleep_until(world.memory.earliest().max(at)).await;
            assert!(tried < 60, "{part} {code}: {tried} in {:?}", began.elapsed());
        }
        assert!((8..40).contains(&tried), "{part} {code}: {tried}");
    }
}
