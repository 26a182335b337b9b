//! Header routes.

use super::story::{MINUTE, Story, header, pause, r};
use rollout_core::{CanaryScale, CommandKind, Step};

fn one_pod() -> Step {
    Step::SetCanaryScale(CanaryScale::Replicas(1))
}

#[test]
fn s28_a_rollback_takes_the_route_away_before_the_selector() {
    let mut story = Story::routed(4, [header(), pause()]);
    story.update("v2");
    story.until(|now| now.headers == 1);
    story.forget();
    story.update("v1");
    story.rest();
    story.never(|scene| scene.headers == 1 && scene.canary != "v2");
    assert_eq!((story.now().headers, &*story.now().canary), (0, "v1"));
    story.no_request_failed();
}

#[test]
fn s59_a_header_route_survives_an_eviction() {
    let mut story = Story::routed(4, [one_pod(), header(), pause()]);
    story.update("v2");
    story.until(|now| now.headers == 1);
    story.rest();
    story.world.pods_ready_after(&r("v2"), 5 * MINUTE);
    story.world.lose_pods(&r("v2"), 1);
    story.rest();
    assert_eq!((story.now().headers, story.now().ready("v2"), story.now().step), (1, 1, 2));
}

#[test]
fn s60_header_traffic_falls_back_to_stable_when_superseded() {
    let mut story = Story::routed(4, [header(), pause()]);
    story.update("v2");
    story.until(|now| now.headers == 1);
    story.forget();
    story.update("v3");
    story.until(|now| now.headers == 1 && now.canary == "v3");
    story.never(|scene| scene.headers == 1 && scene.canary == "v3" && scene.ready("v3") == 0);
    assert!(story.scenes().iter().any(|scene| scene.headers == 0), "{:#?}", story.scenes());
    story.no_request_failed();
}

#[test]
fn s64_a_weight_leaves_the_header_route_alone() {
    let steps = [header(), pause(), Step::SetWeight(50), pause(), Step::SetWeight(0), pause()];
    let mut story = Story::routed(4, steps);
    story.update("v2");
    story.until(|now| now.headers == 1);
    story.forget();
    for weight in [50, 0] {
        story.rest();
        story.say(CommandKind::Promote);
        story.until(|now| now.weight == weight);
    }
    story.never(|scene| scene.headers == 0);
}

#[test]
fn s66_a_header_route_as_first_step_waits_for_one_pod_and_does_not_flap() {
    let mut story = Story::routed(4, [header(), pause()]);
    story.world.pods_ready_after(&r("v2"), 5 * MINUTE);
    story.update("v2");
    story.rest();
    let mut headers: Vec<usize> = story.scenes().iter().map(|scene| scene.headers).collect();
    headers.dedup();
    assert_eq!((headers, story.now().ready("v2")), (vec![0, 1], 1));
}

#[test]
fn s62_a_finished_rollout_leaves_no_header_route() {
    let mut story = Story::routed(4, [header(), Step::SetWeight(50)]);
    story.update("v2");
    story.rest();
    story.is_done_with("v2");
    assert_eq!((story.now().headers, story.now().weight), (0, 0));
    story.no_request_failed();
}
