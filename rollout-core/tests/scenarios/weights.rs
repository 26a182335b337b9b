//! Re-pointing, weights, capacity.

use super::story::{MINUTE, SECOND, Story, pause, r};
use core::time::Duration;
use rollout_core::{Answer, CanaryScale, CommandKind, IntOrPercent, Step, Threshold, command::Rejection};

#[test]
fn s01_weight_goes_before_the_canary_names_a_new_revision() {
    let mut story = Story::routed(10, [Step::SetWeight(5), pause()]);
    story.update("v2");
    story.until(|now| now.weight == 5);
    story.forget();
    story.update("v3");
    story.until(|now| now.canary == "v3" && now.weight == 5);
    assert_eq!(story.weights(), [5, 0, 5]);
    story.never(|scene| scene.canary == "v3" && scene.weight > 0 && scene.ready("v3") == 0);
    story.no_request_failed();
}

#[test]
fn s02_a_canary_that_is_named_is_not_scaled_down() {
    let mut story = Story::routed(10, [Step::SetWeight(30), pause()]);
    story.update("v2");
    story.until(|now| now.weight == 30);
    story.forget();
    story.world.break_pods(&r("v1"));
    story.world.pods_never_ready(&r("v3"));
    story.update("v3");
    story.pass(10 * MINUTE);
    assert_eq!(story.now().canary, "v2");
    story.never(|scene| scene.canary == "v2" && scene.weight > 0 && scene.wanted("v2") < 3);
    story.never(|scene| scene.weight == 0 && scene.wanted("v2") < 3);
}

#[test]
fn s03_what_lost_its_traffic_is_kept_for_the_delay() {
    let delay = Duration::from_secs(120);
    let steps = [Step::SetWeight(80), pause()];
    let mut story =
        Story::with(5, steps, |strategy| strategy.traffic_routing(true).scale_down_delay(Some(delay)));
    story.update("v2");
    story.until(|now| now.weight == 80);
    story.update("v3");
    story.until(|now| now.scaling_down("v2"));
    let scaling_down = story.world.now();
    story.until(|now| now.wanted("v2") == 0);
    assert!(story.world.now().since(scaling_down) >= delay);
}

#[test]
fn s11_after_an_abort_the_canary_destination_leads_to_stable() {
    let mut story = Story::routed(4, [Step::SetWeight(50), pause()]);
    story.update("v2");
    story.until(|now| now.weight == 50);
    story.say(CommandKind::Abort);
    story.rest();
    assert_eq!((story.now().weight, &*story.now().canary, story.now().wanted("v2")), (0, "v1", 0));
    story.no_request_failed();
}

#[test]
fn s12_one_unready_stable_pod_does_not_hold_an_abort() {
    let mut story = Story::routed(10, [Step::SetWeight(50), pause()]);
    story.update("v2");
    story.until(|now| now.weight == 50);
    story.world.pods_ready_after(&r("v1"), 24 * 60 * MINUTE);
    story.world.unready_pods(&r("v1"), 1);
    story.say(CommandKind::Abort);
    story.pass(MINUTE);
    assert_eq!((story.now().weight, &*story.now().canary, story.now().ready("v1")), (0, "v1", 9));
}

#[test]
fn s13_one_failing_pod_of_many_does_not_hold_a_switch() {
    let threshold = Some(Threshold::Percent(90));
    let mut story = Story::with(20, [Step::SetWeight(100)], |strategy| {
        strategy.traffic_routing(true).replica_progress_threshold(threshold)
    });
    story.update("v2");
    story.until(|now| now.ready("v2") == 20);
    story.world.pods_ready_after(&r("v2"), 24 * 60 * MINUTE);
    story.world.unready_pods(&r("v2"), 1);
    story.until(|now| now.stable == "v2" && now.weight == 0);
    assert_eq!(story.now().ready("v2"), 19);
}

#[test]
fn s15_while_it_is_promoted_traffic_never_flips_back() {
    let mut story = Story::routed(10, [Step::SetWeight(50), Step::SetWeight(100)]);
    story.update("v2");
    story.rest();
    assert_eq!(story.weights(), [0, 50, 100, 0]);
    story.never(|scene| scene.canary == "v2" && scene.step == 2 && scene.weight == 0 && scene.stable == "v1");
    story.is_done_with("v2");
    story.no_request_failed();
}

#[test]
fn s16_abort_of_a_finished_rollout_changes_nothing() {
    let mut story = Story::routed(3, [Step::SetWeight(50)]);
    story.update("v2");
    story.rest();
    story.forget();
    let answer = story.world.command(CommandKind::Abort);
    assert_eq!(answer, Answer::Rejected(Rejection::NothingUnderWay));
    story.rest();
    assert_eq!(story.scenes().len(), 1);
}

#[test]
fn s17_more_stable_pods_than_replicas_give_no_odd_weight() {
    let mut story = Story::routed(10, [Step::SetWeight(50), pause()]);
    story.update("v2");
    story.until(|now| now.weight == 50);
    story.replicas(2);
    story.say(CommandKind::Abort);
    story.rest();
    story.never(|scene| scene.weight > 100);
    assert_eq!((story.now().weight, story.now().wanted("v1")), (0, 2));
}

#[test]
fn s19_a_huge_total_does_not_overflow() {
    let total = 100_000_000;
    let steps = [Step::SetWeight(total / 2), pause()];
    let mut story = Story::with(30, steps, |strategy| strategy.max_weight(total));
    story.update("v2");
    story.until(|now| now.weight == total / 2);
    assert_eq!(story.now().wanted("v2"), 15);
    story.say(CommandKind::PromoteFull);
    story.rest();
    story.is_done_with("v2");
}

#[test]
fn s20_every_guard_knows_the_declared_total() {
    let steps = [Step::SetWeight(50), pause(), Step::SetWeight(1_000)];
    let mut story = Story::with(4, steps, |strategy| strategy.max_weight(1_000));
    story.update("v2");
    story.until(|now| now.weight == 50);
    assert_eq!(story.now().wanted("v2"), 1);
    story.rest();
    story.say(CommandKind::Promote);
    story.rest();
    assert_eq!(story.weights(), [0, 50, 1_000, 0]);
    story.is_done_with("v2");
}

#[test]
fn s21_the_fewest_pods_are_no_more_than_replicas() {
    let mut story = Story::with(2, [Step::SetWeight(1), pause()], |strategy| {
        strategy.traffic_routing(true).min_pods_per_replica_set(Some(5))
    });
    story.update("v2");
    story.until(|now| now.weight == 1);
    assert_eq!(story.now().wanted("v2"), 2);
}

#[test]
fn s23_an_autoscaler_in_mid_canary_does_not_take_stable_away() {
    let mut story = Story::unrouted(10, [Step::SetWeight(20), pause()]);
    story.update("v2");
    story.until(|now| now.step == 1);
    story.forget();
    for replicas in [4, 20, 10] {
        story.replicas(replicas);
        story.rest();
        assert!(story.now().ready("v1") + story.now().ready("v2") >= replicas);
    }
    story.never(|scene| scene.ready("v1") == 0);
}

#[test]
fn s24_git_and_an_autoscaler_that_disagree_do_not_empty_stable() {
    let mut story = Story::routed(3, [Step::SetWeight(50), pause()]);
    story.update("v2");
    story.until(|now| now.weight == 50);
    story.forget();
    for replicas in [2, 3, 2, 3] {
        story.replicas(replicas);
        story.pass(SECOND);
    }
    story.rest();
    story.never(|scene| scene.ready("v1") < 2 || scene.weight != 50);
    story.no_request_failed();
}

#[test]
fn s25_nothing_is_named_before_its_pods_are_there() {
    let steps = [Step::SetWeight(50)];
    let mut story = Story::not_deployed(3, steps, |strategy| strategy.traffic_routing(true));
    story.world.pods_ready_after(&r("v1"), MINUTE);
    story.rest();
    assert_eq!(story.now().stable, "v1");
    story.never(|scene| scene.stable == "v1" && scene.ready("v1") < 3);
}

#[test]
fn s27_pods_that_never_come_leave_the_traffic_where_it_is_served() {
    let mut story = Story::routed(10, [Step::SetWeight(50), pause()]);
    story.update("v2");
    story.until(|now| now.weight == 50);
    story.world.pods_never_ready(&r("v2"));
    story.say(CommandKind::PromoteFull);
    story.pass(60 * MINUTE);
    assert_eq!((story.now().weight, story.now().ready("v2")), (50, 5));
    story.waits("waiting for pods of v2");
    story.no_request_failed();
}

#[test]
fn s33_old_pods_in_their_delay_do_not_oscillate() {
    let mut story = Story::routed(10, [Step::SetWeight(50)]);
    story.update("v2");
    story.until(|now| now.scaling_down("v1"));
    story.forget();
    story.world.lose_pods(&r("v1"), 3);
    story.replicas(8);
    story.rest();
    let wanted: Vec<u32> = story.scenes().iter().map(|scene| scene.wanted("v1")).collect();
    assert!(wanted.is_sorted_by(|before, after| before >= after), "{wanted:?}");
    assert_eq!(story.now().wanted("v1"), 0);
}

#[test]
fn s47_an_aborted_canary_keeps_no_pods_of_its_scales() {
    let scale = |pods| Step::SetCanaryScale(CanaryScale::Replicas(pods));
    let mut story = Story::routed(5, [scale(2), scale(4), pause()]);
    story.update("v2");
    story.until(|now| now.ready("v2") == 4);
    story.say(CommandKind::Abort);
    story.rest();
    assert_eq!(story.now().wanted("v2"), 0);
}

#[test]
fn s71_weights_that_somebody_changed_are_put_right() {
    let mut story = Story::routed(4, [Step::SetWeight(50), pause()]);
    story.update("v2");
    story.until(|now| now.weight == 50);
    story.rest();
    story.world.reapply();
    assert_eq!((story.now().weight, &*story.now().canary), (0, "*"));
    story.rest();
    let now = story.now();
    assert_eq!((now.weight, &*now.canary, &*now.stable), (50, "v2", "v1"));
    story.no_request_failed();
}

#[test]
fn s31_a_basic_canary_is_superseded() {
    let mut story = Story::with(10, [Step::SetWeight(30), pause()], |strategy| {
        strategy.max_surge(IntOrPercent::Int(1)).max_unavailable(IntOrPercent::Int(0))
    });
    story.update("v2");
    story.until(|now| now.ready("v2") == 3);
    story.update("v3");
    story.until(|now| now.wanted("v2") == 0 && now.ready("v3") == 3);
    story.never(|scene| scene.pods.iter().map(|(_, _, ready, _)| ready).sum::<u32>() < 10);
}

#[test]
fn s44_a_rollback_within_the_window_skips_the_steps() {
    let steps = [Step::SetWeight(5), pause(), Step::SetWeight(50), pause()];
    for (window, weights) in [(1, vec![0, 100, 0]), (0, vec![0, 5])] {
        let mut story = Story::routed(4, steps.clone());
        story.world.set_spec(|spec| spec.rollback_window = window);
        story.update("v2");
        story.until(|now| now.weight == 5);
        story.say(CommandKind::PromoteFull);
        story.rest();
        story.forget();
        story.update("v1");
        story.rest();
        assert_eq!(story.weights(), weights, "{window}");
        story.no_request_failed();
    }
}

/// Argo Rollouts' `TestIstioUpdateInMiddleZeroCanaryReplicas`.
#[test]
fn a_canary_with_pods_and_without_weight_is_superseded() {
    let scale = Step::SetCanaryScale(CanaryScale::Replicas(1));
    let mut story = Story::routed(1, [Step::SetWeight(0), scale, pause(), Step::SetWeight(50), pause()]);
    for (revision, before) in [("v2", "v1"), ("v3", "v2")] {
        story.update(revision);
        story.rest();
        let now = story.now();
        assert_eq!((now.ready(revision), now.weight), (1, 0), "{revision}");
        assert_eq!(now.wanted("v1"), 1, "stable has all requests");
        assert!(before == "v1" || now.wanted(before) == 0, "{before} has no purpose any more");
    }
    assert_eq!(story.now().step, 2);
    story.no_request_failed();
}

/// Argo Rollouts' `TestCanaryUnScaleDownOnAbort`.
#[test]
fn an_aborted_canary_without_a_delay_keeps_its_pods() {
    let mut story = Story::with(2, [Step::SetWeight(50), pause()], |strategy| {
        strategy.traffic_routing(true).abort_scale_down_delay(Some(Duration::ZERO))
    });
    story.update("v2");
    story.until(|now| now.weight == 50);
    story.say(CommandKind::Abort);
    story.rest();
    let now = story.now();
    assert_eq!((now.wanted("v2"), now.weight), (1, 0));
}
