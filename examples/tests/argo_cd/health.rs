//! The health in every state of both canaries of the guide.

use crate::{
    lua::ArgoCd,
    world::{PROVIDER, World},
};
use rollout_core::analysis::Phase;
use serde_json::json;

impl World {
    /// Whether Argo CD has said this, and a message with this in it.
    fn has_said(&self, health: &str, message: &str) -> bool {
        self.said.iter().any(|(said, why)| said == health && why.contains(message))
    }
}

#[tokio::test(start_paused = true)]
async fn a_release_by_weight() {
    let mut world = World::at_rest("weight").await;
    assert_eq!(world.argo_cd.health(&world.rollout()), ("Healthy".into(), String::new()));
    // Argo CD must not say that all is well before the controller has seen the new version.
    world.update("v2");
    let (health, message) = world.argo_cd.health(&world.rollout());
    assert_eq!((&*health, &*message), ("Progressing", "Waiting for rollout spec update to be observed"));
    for step in [1, 3] {
        world.until_paused_at(step).await;
        assert_eq!(world.argo_cd.health(&world.rollout()), ("Suspended".into(), "CanaryPauseStep".into()));
    }
    world.until(|rollout| rollout["status"]["phase"] == "Healthy").await;
    assert_eq!(world.rollout()["status"]["stableRS"], world.rollout()["status"]["currentPodHash"]);
    for (health, message) in [
        ("Progressing", "more replicas need to be updated"),
        ("Progressing", "waiting for all steps to complete"),
    ] {
        assert!(world.has_said(health, message), "{health} {message}: {:#?}", world.said);
    }
}

#[tokio::test(start_paused = true)]
async fn a_release_by_header_that_is_aborted() {
    let mut world = World::at_rest("header").await;
    world.update("v2");
    world.until_paused_at(2).await;
    world.change_rollout(&json!({"spec": {"paused": true}}));
    world.until(|rollout| rollout["status"]["message"] == "manually paused").await;
    world.change_rollout(&json!({"spec": {"paused": false}}));
    world.until(|rollout| rollout["status"]["message"] == "CanaryPauseStep").await;
    world.change_rollout(&json!({"status": {"abort": true}}));
    world.until(|rollout| rollout["status"]["phase"] == "Degraded").await;
    assert!(world.has_said("Degraded", "RolloutAborted: Rollout aborted update to revision 2"));
    world.update("v1");
    world.until(|rollout| rollout["status"]["phase"] == "Healthy").await;
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong() {
    let mut world = World::at_rest("weight").await;
    let route = |name: &str| {
        let service = json!({"virtualService": {"name": name}});
        json!({"spec": {"strategy": {"canary": {"trafficRouting": {"istio": service}}}}})
    };
    world.change_rollout(&route("nowhere"));
    world.until(|rollout| rollout["status"]["phase"] == "Degraded").await;
    assert!(world.has_said("Degraded", "InvalidSpec"), "{:#?}", world.said);
    world.change_rollout(&route("provider"));
    world.until(|rollout| rollout["status"]["phase"] == "Healthy").await;
    world.change_rollout(&json!({"spec": {"replicas": 0}}));
    world.until(|rollout| rollout["status"]["replicas"] == 0).await;
    assert_eq!(world.argo_cd.health(&world.rollout()).0, "Healthy");
    assert_eq!(world.rollout()["metadata"]["name"], PROVIDER);
}

#[test]
fn a_run_of_an_analysis() {
    let argo_cd = ArgoCd::default();
    for (phase, expected) in [
        (Phase::Pending, "Progressing"),
        (Phase::Running, "Progressing"),
        (Phase::Successful, "Healthy"),
        (Phase::Failed, "Degraded"),
        (Phase::Error, "Degraded"),
        (Phase::Inconclusive, "Unknown"),
    ] {
        let run = json!({"spec": {}, "status": {"phase": phase.to_string(), "message": "why"}});
        assert_eq!(argo_cd.health_of_run(&run), (expected.to_owned(), "why".to_owned()), "{phase}");
    }
    assert_eq!(argo_cd.health_of_run(&json!({"spec": {}})).0, "Progressing", "before it is looked at");
    let run = json!({"spec": {"metrics": []}, "status": {"phase": "Running"}});
    assert_eq!(argo_cd.patch("terminate", &run, ""), json!({"spec": {"terminate": true}}));
}
