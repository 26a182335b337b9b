//! Stuck rollouts and commands.

use super::story::{MINUTE, SECOND, Story, pause, r};
use core::time::Duration;
use rollout_core::{
    AbortReason, CommandKind, Step, Strategy,
    sim::{CoreMesh, Fault, ReadKind},
};

#[test]
fn s29_a_healthy_canary_replaces_a_broken_stable() {
    let mut story = Story::routed(4, [Step::SetWeight(50), pause()]);
    story.update("v2");
    story.until(|now| now.weight == 50);
    story.world.break_pods(&r("v1"));
    story.until(|now| now.weight == 100);
    story.say(CommandKind::Promote);
    story.rest();
    story.is_done_with("v2");
    assert_eq!((&*story.now().stable, story.now().wanted("v1")), ("v2", 0));
}

#[test]
fn s30_a_broken_canary_never_blocks_what_fixes_it() {
    let mut story = Story::routed(4, [Step::SetWeight(50)]);
    story.world.pods_never_ready(&r("v2"));
    story.update("v2");
    story.pass(MINUTE);
    story.update("v3");
    story.rest();
    story.is_done_with("v3");
    assert_eq!(story.now().wanted("v2"), 0);
    story.no_request_failed();
}

#[test]
fn s30_an_abort_of_a_broken_canary_completes() {
    let mut story = Story::routed(4, [Step::SetWeight(50)]);
    story.world.pods_never_ready(&r("v2"));
    story.update("v2");
    story.pass(MINUTE);
    story.say(CommandKind::Abort);
    story.rest();
    assert_eq!((story.now().weight, story.now().wanted("v2")), (0, 0));
}

#[test]
fn s30_the_progress_deadline_aborts() {
    let mut story = Story::routed(4, [Step::SetWeight(50)]);
    story.world.set_spec(|spec| {
        spec.progress_deadline = 2 * MINUTE;
        spec.progress_deadline_abort = true;
    });
    story.world.pods_never_ready(&r("v2"));
    story.update("v2");
    let began = story.world.now();
    story.rest();
    let aborted = story.world.truth().status.aborted.clone().unwrap();
    assert_eq!(aborted.why, AbortReason::ProgressDeadline);
    assert!(aborted.at.since(began) >= 2 * MINUTE && aborted.at.since(began) < 3 * MINUTE);
    assert_eq!(story.now().wanted("v2"), 0);
}

#[test]
fn s34_abort_wins_over_promote_full() {
    let mut story = Story::routed(4, [Step::SetWeight(50), pause()]);
    story.update("v2");
    story.until(|now| now.weight == 50);
    story.world.pods_never_ready(&r("v2"));
    story.say(CommandKind::PromoteFull);
    story.pass(MINUTE);
    story.say(CommandKind::Abort);
    story.rest();
    assert_eq!((story.now().weight, story.now().wanted("v2")), (0, 0));
    assert!(story.world.truth().status.aborted.is_some());
}

#[test]
fn s37_nothing_restarts_an_aborted_rollout_by_itself() {
    let mut story = Story::routed(4, [Step::SetWeight(50), pause()]);
    story.update("v2");
    story.until(|now| now.weight == 50);
    story.say(CommandKind::Abort);
    story.rest();
    story.forget();
    story.world.crash();
    story.world.reapply();
    story.world.lose_pods(&r("v1"), 1);
    story.rest();
    story.never(|scene| scene.weight > 0);
    assert!(story.world.truth().status.aborted.is_some());
    story.waits("aborted");
}

#[test]
fn s40_promote_full_also_ends_the_users_own_pause() {
    let mut story = Story::routed(4, [Step::SetWeight(50), pause()]);
    story.update("v2");
    story.until(|now| now.weight == 50);
    story.say(CommandKind::Pause);
    story.rest();
    story.waits("paused by the user");
    story.say(CommandKind::PromoteFull);
    story.rest();
    story.is_done_with("v2");
    assert!(!story.world.truth().spec.paused);
}

#[test]
fn s42_neither_a_pause_nor_a_delay_runs_into_the_progress_deadline() {
    let delay = Some(Duration::from_secs(1_800));
    let steps = [Step::SetWeight(50), Step::Pause(Some(30 * MINUTE))];
    let mut story = Story::with(4, steps, |strategy| strategy.traffic_routing(true).scale_down_delay(delay));
    story.world.set_spec(|spec| {
        spec.progress_deadline = MINUTE;
        spec.progress_deadline_abort = true;
    });
    story.update("v2");
    story.rest();
    story.is_done_with("v2");
    assert_eq!(story.world.truth().status.progress, None);
    assert_eq!(story.now().wanted("v1"), 0);
}

#[test]
fn s43_a_lost_node_moves_no_step_of_a_finished_rollout() {
    let mut story = Story::routed(4, [Step::SetWeight(50), pause()]);
    story.forget();
    story.world.pods_ready_after(&r("v1"), 5 * MINUTE);
    story.world.lose_pods(&r("v1"), 2);
    story.rest();
    story.never(|scene| scene.step != 2 || scene.weight != 0);
    story.is_done_with("v1");
    assert_eq!(story.now().ready("v1"), 4);
}

#[test]
fn s50_a_failed_read_starts_no_canary() {
    let mut story = Story::routed(4, [Step::SetWeight(50), pause()]);
    story.world.reads_fail(ReadKind::Workloads, true);
    story.update("v2");
    story.pass(10 * MINUTE);
    assert_eq!(story.now().pods.len(), 1);
    story.waits("could not be read");
    story.world.reads_fail(ReadKind::Workloads, false);
    story.until(|now| now.weight == 50);
}

#[test]
fn s75_somebody_elses_write_is_a_new_snapshot_and_no_failure() {
    let mut story = Story::routed(4, [Step::SetWeight(50)]);
    for writes_before in 0..12 {
        story.world.fault(writes_before, Fault::Conflict);
    }
    story.update("v2");
    story.rest();
    story.is_done_with("v2");
    assert_eq!(story.weights(), [0, 50, 100, 0]);
    story.no_request_failed();
}

#[test]
fn a_frozen_mesh_holds_a_supersede_and_says_for_whom() {
    let mut story = Story::routed(4, [Step::SetWeight(50), pause()]);
    story.update("v2");
    story.until(|now| now.weight == 50);
    story.pass(10 * SECOND);
    story.world.freeze();
    story.update("v3");
    story.pass(20 * MINUTE);
    story.waits("behind: proxy-1, proxy-2");
    assert_eq!((&*story.now().canary, story.now().scaling_down("v2")), ("v2", false));
    story.world.thaw();
    story.until(|now| now.canary == "v3" && now.weight == 50);
    story.no_request_failed();
}

/// Nobody is better off by waiting: the pods of a first deploy are the only ones there are.
#[test]
fn a_first_deploy_whose_endpoints_nobody_shows_goes_on_after_half_a_minute() {
    for services in [false, true] {
        let strategy = Strategy::builder()
            .traffic_routing(true)
            .stable_service(services)
            .canary_service(services)
            .step(Step::SetWeight(50))
            .build()
            .unwrap();
        let mesh = if services { CoreMesh::new().services() } else { CoreMesh::new() };
        let mut story = Story::over(mesh, strategy, 2);
        story.world.freeze();
        story.pass(20 * SECOND);
        story.waits("every proxy has the endpoints of v1");
        story.pass(MINUTE);
        story.is_done_with("v1");
        let decisions = story.world.summary().decisions;
        story.pass(10 * MINUTE);
        assert!(story.world.summary().decisions < decisions + 5 * 60, "it looks less and less often");
        // An update is another matter.
        story.update("v2");
        story.pass(10 * MINUTE);
        assert_eq!(story.now().weight, 0);
    }
}
