//! The buttons of Argo CD: which can be pressed when, and that each does what it says.

use crate::world::World;
use serde_json::{Value, json};
use std::time::Duration;

/// The phase, the step and the weight of the canary.
fn state(rollout: &Value) -> (String, Value, Value) {
    let status = &rollout["status"];
    let weight = &status["canary"]["weights"]["canary"]["weight"];
    (status["phase"].as_str().unwrap().to_owned(), status["currentStepIndex"].clone(), weight.clone())
}

impl World {
    fn enabled(&self) -> String {
        self.argo_cd.enabled(&self.rollout()).join(" ")
    }

    /// An update to v2 that waits at its first pause, at 5 %.
    async fn at_first_pause() -> Self {
        let mut world = Self::at_rest("weight").await;
        world.update("v2");
        world.until_paused_at(1).await;
        assert_eq!(state(&world.rollout()), ("Paused".to_owned(), json!(1), json!(5)));
        world
    }

    async fn until_healthy(&mut self) {
        self.until(|rollout| {
            let status = &rollout["status"];
            status["phase"] == "Healthy" && status["stableRS"] == status["currentPodHash"]
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn each_state_has_its_buttons() {
    let mut world = World::at_rest("weight").await;
    assert_eq!(world.enabled(), "pause restart");
    world.update("v2");
    world.until_paused_at(1).await;
    assert_eq!(world.enabled(), "abort promote-full restart resume skip-current-step");
    world.press("abort");
    world.until(|rollout| rollout["status"]["phase"] == "Degraded").await;
    assert_eq!(world.enabled(), "promote-full restart retry");
}

#[tokio::test(start_paused = true)]
async fn resume_ends_the_pause_and_no_other() {
    let mut world = World::at_first_pause().await;
    world.press("resume");
    world.until_paused_at(3).await;
    assert_eq!(state(&world.rollout()).2, json!(50));
    world.pass(Duration::from_secs(60)).await;
    assert_eq!(state(&world.rollout()).1, json!(3));
    world.press("resume");
    world.until_healthy().await;
}

#[tokio::test(start_paused = true)]
async fn pause_holds_a_release_and_resume_lets_it_go_on() {
    let mut world = World::at_rest("weight").await;
    world.press("pause");
    world.update("v2");
    world.pass(Duration::from_secs(60)).await;
    let rollout = world.rollout();
    assert_eq!(rollout["status"]["message"], "manually paused");
    assert_eq!(rollout["status"]["currentPodHash"], rollout["status"]["stableRS"], "not begun");
    assert!(world.enabled().contains("resume"), "{}", world.enabled());
    world.press("resume");
    assert_eq!(world.rollout()["spec"]["paused"], false);
    world.until_paused_at(1).await;
}

#[tokio::test(start_paused = true)]
async fn skip_current_step_goes_one_step_on() {
    let mut world = World::at_first_pause().await;
    world.press("skip-current-step");
    world.until_paused_at(3).await;
    world.press("skip-current-step");
    world.until_healthy().await;
}

#[tokio::test(start_paused = true)]
async fn promote_full_skips_all_steps() {
    let mut world = World::at_first_pause().await;
    world.press("promote-full");
    world.until_healthy().await;
    let past_a_pause = world.said.iter().filter(|(health, _)| health == "Suspended").count();
    assert_eq!(past_a_pause, 1, "only the first pause: {:#?}", world.said);
    let status = world.rollout()["status"].clone();
    assert_ne!(status["promoteFull"], true, "{status:#}");
}

#[tokio::test(start_paused = true)]
async fn abort_goes_back_and_retry_begins_again() {
    let mut world = World::at_first_pause().await;
    let stable = world.rollout()["status"]["stableRS"].clone();
    world.press("abort");
    world.until(|rollout| state(rollout).0 == "Degraded" && state(rollout).2 == json!(0)).await;
    assert_eq!(world.rollout()["status"]["stableRS"], stable);
    // Nothing goes on by itself.
    world.pass(Duration::from_secs(1_800)).await;
    assert_eq!(state(&world.rollout()).0, "Degraded");
    world.press("retry");
    world.until_paused_at(1).await;
    assert_eq!(state(&world.rollout()).2, json!(5));
    world.press("abort");
    world.until(|rollout| state(rollout).0 == "Degraded").await;
    world.press("promote-full");
    world.until_healthy().await;
    assert_ne!(world.rollout()["status"]["stableRS"], stable);
}

/// No pod is an object here, so the restart waits for them.
#[tokio::test(start_paused = true)]
async fn restart_asks_for_new_pods_and_holds_up_no_release() {
    let mut world = World::at_first_pause().await;
    world.press("restart");
    let rollout = world.rollout();
    assert!(rollout["spec"]["restartAt"].as_str().unwrap().starts_with("2027-"), "{rollout:#}");
    world.until(|rollout| rollout["status"]["stableRS"] == rollout["status"]["currentPodHash"]).await;
    let (health, message) = world.argo_cd.health(&world.rollout());
    assert_eq!(health, "Progressing");
    assert!(message.starts_with("rollout is restarting"), "{message}");
}
