//! `replicas: 0`: what arrives then, what is under way then, and what comes after.

use super::story::{MINUTE, Story, pause};
use rollout_core::{CommandKind, Step, sim::Health};

fn both() -> [Story; 2] {
    let steps = || [Step::SetWeight(50), pause(), Step::SetWeight(100)];
    [Story::routed(4, steps()), Story::unrouted(4, steps())]
}

#[test]
fn an_update_that_arrives_at_zero_is_stable_at_once() {
    for mut story in both() {
        story.pass(10 * MINUTE);
        story.replicas(0);
        story.pass(10 * MINUTE);
        story.update("v2");
        story.rest();
        story.is_done_with("v2");
        let end = story.world.summary();
        assert_eq!((end.health, end.requests.unserved), (Health::Healthy, 0), "{end}");
        story.waits("scaled to zero");

        story.forget();
        story.replicas(4);
        story.rest();
        story.is_done_with("v2");
        story.never(|scene| scene.wanted("v1") > 0);
        assert_eq!(story.now().ready("v2"), 4);
    }
}

#[test]
fn a_first_deploy_at_zero_is_healthy_and_starts_no_steps_later() {
    for routed in [true, false] {
        let steps = [Step::SetWeight(50), pause()];
        let mut story = Story::not_deployed(0, steps, |strategy| strategy.traffic_routing(routed));
        story.rest();
        story.is_done_with("v1");
        assert_eq!(story.world.summary().health, Health::Healthy);
        story.replicas(3);
        story.rest();
        story.is_done_with("v1");
        assert_eq!(story.now().ready("v1"), 3);
    }
}

#[test]
fn an_update_under_way_stays_where_it_is_and_goes_on_later() {
    for mut story in both() {
        story.update("v2");
        story.rest();
        story.replicas(0);
        story.rest();
        assert_eq!(story.world.truth().status.step, 1);
        assert_eq!(story.world.summary().health, Health::Paused);
        story.update("v3");
        story.rest();
        story.is_done_with("v3");
        story.replicas(2);
        story.rest();
        assert_eq!((story.now().ready("v3"), story.now().wanted("v1")), (2, 0));
    }
}

#[test]
fn both_in_one_edit_are_an_update_at_zero_and_back_again_an_update() {
    for mut story in both() {
        story.world.set_spec(|spec| (spec.replicas, spec.target) = (0, "v2".into()));
        story.rest();
        story.is_done_with("v2");
        story.world.set_spec(|spec| (spec.replicas, spec.target) = (2, "v3".into()));
        story.rest();
        story.waits("paused by a step");
        story.say(CommandKind::PromoteFull);
        story.rest();
        story.is_done_with("v3");
        assert_eq!((story.now().ready("v3"), story.now().wanted("v2")), (2, 0));
    }
}
