//! `dynamicStableScale`: stable keeps only the pods that its share of the requests needs.

use super::story::{MINUTE, SECOND, Story, pause, r};
use core::time::Duration;
use rollout_core::{CommandKind, Step};

/// Four replicas, at 75 %.
fn at_three_quarters(abort_delay: Option<Duration>) -> Story {
    let steps = [Step::SetWeight(25), pause(), Step::SetWeight(75), pause()];
    let mut story = Story::with(4, steps, |strategy| {
        strategy.traffic_routing(true).dynamic_stable_scale(true).abort_scale_down_delay(abort_delay)
    });
    story.update("v2");
    story.until(|now| now.weight == 25 && now.wanted("v1") == 3);
    story.say(CommandKind::Promote);
    story.until(|now| now.weight == 75 && now.wanted("v1") == 1);
    story.forget();
    story
}

/// The share that stable gets is never more than its ready pods carry.
fn stable_carries(story: &Story) {
    story.never(|scene| 100 - scene.weight > 25 * scene.ready("v1").min(4) && scene.weight < 75);
}

#[test]
fn s05_a_new_revision_does_not_send_everything_to_a_stable_that_has_shrunk() {
    let mut story = at_three_quarters(None);
    story.world.pods_ready_after(&r("v1"), 30 * SECOND);
    story.update("v3");
    story.until(|now| now.weight == 25 && now.canary == "v3");
    stable_carries(&story);
    story.say(CommandKind::PromoteFull);
    story.rest();
    story.is_done_with("v3");
    story.no_request_failed();
}

#[test]
fn s06_a_rollback_leaves_the_canary_only_when_stable_has_all_its_pods() {
    let mut story = at_three_quarters(None);
    story.world.pods_ready_after(&r("v1"), 30 * SECOND);
    story.update("v1");
    story.until(|now| now.canary == "v1");
    assert_eq!(story.now().ready("v1"), 4);
    story.never(|scene| scene.canary == "v2" && scene.ready("v2") == 0);
    stable_carries(&story);
    story.rest();
    assert_eq!((story.now().wanted("v1"), story.now().wanted("v2")), (4, 0));
    story.no_request_failed();
}

#[test]
fn s07_an_abort_with_a_delay_of_its_own_comes_to_its_end() {
    let delay = 90 * SECOND;
    let mut story = at_three_quarters(Some(delay));
    story.say(CommandKind::Abort);
    story.until(|now| now.weight == 0 && now.scaling_down("v2"));
    let scaling_down = story.world.now();
    story.until(|now| now.wanted("v2") == 0);
    assert!(story.world.now().since(scaling_down) >= delay);
    stable_carries(&story);
    story.rest();
    story.no_request_failed();
}

#[test]
fn s09_an_autoscaler_that_acts_after_an_abort_brings_no_pod_of_the_canary_back() {
    let mut story = at_three_quarters(None);
    story.say(CommandKind::Abort);
    story.rest();
    story.forget();
    for replicas in [6, 8, 5] {
        story.replicas(replicas);
        story.pass(5 * MINUTE);
    }
    story.never(|scene| scene.wanted("v2") > 0 || scene.canary != "v1");
    assert_eq!(story.now().ready("v1"), 5);
    story.no_request_failed();
}

#[test]
fn an_abort_gives_the_weight_back_as_pods_of_stable_become_ready() {
    let mut story = at_three_quarters(None);
    story.world.pods_ready_after(&r("v1"), 20 * SECOND);
    story.say(CommandKind::Abort);
    story.until(|now| now.weight == 0);
    stable_carries(&story);
    assert!(story.scenes().iter().any(|scene| scene.weight == 75 && scene.wanted("v1") == 4));
    story.rest();
    assert_eq!((story.now().wanted("v1"), story.now().wanted("v2")), (4, 0));
    story.no_request_failed();
}

#[test]
fn an_autoscaler_that_acts_in_between_gives_each_side_its_share() {
    let mut story = at_three_quarters(None);
    story.replicas(8);
    story.until(|now| now.ready("v1") == 2 && now.ready("v2") == 6);
    story.replicas(4);
    story.until(|now| now.wanted("v1") == 1 && now.wanted("v2") == 3);
    story.say(CommandKind::PromoteFull);
    story.rest();
    story.is_done_with("v2");
    story.no_request_failed();
}
