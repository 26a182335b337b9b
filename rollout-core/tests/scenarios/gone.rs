//! A stable revision whose workload somebody deleted in the middle of an update.

use super::story::{MINUTE, SECOND, Story, pause, r};
use rollout_core::{Answer, CommandKind, Step, command::Rejection};

fn at_fifty(more: &[Step]) -> Story {
    let steps = [&[Step::SetWeight(50), pause()], more].concat();
    let mut story = Story::routed(4, steps);
    story.update("v2");
    story.rest();
    story
}

#[test]
fn the_canary_takes_over_after_ten_seconds() {
    let mut story = at_fifty(&[]);
    story.world.lose_workload(&r("v1"));
    story.pass(9 * SECOND);
    assert_eq!(story.now().weight, 50, "not yet");
    story.waits("the stable revision v1 no longer exists");
    story.pass(60 * SECOND);
    assert_eq!((story.now().weight, story.now().ready("v2")), (100, 4));
    story.waits("the stable revision v1 no longer exists");
    story.say(CommandKind::Promote);
    story.rest();
    story.is_done_with("v2");
}

#[test]
fn an_abort_says_that_there_is_nothing_to_go_back_to() {
    for when in [SECOND, 60 * SECOND] {
        let mut story = at_fifty(&[Step::SetWeight(75), pause()]);
        story.world.lose_workload(&r("v1"));
        story.pass(when);
        for kind in [CommandKind::Abort, CommandKind::Undo] {
            assert_eq!(story.world.command(kind), Answer::Rejected(Rejection::StableGone), "{kind}");
        }
        story.say(CommandKind::PromoteFull);
        story.rest();
        story.is_done_with("v2");
    }
}

#[test]
fn the_same_manifest_again_repairs_it() {
    let mut story = at_fifty(&[]);
    story.world.lose_workload(&r("v1"));
    story.pass(60 * SECOND);
    story.update("v1");
    story.rest();
    story.is_done_with("v1");
    assert_eq!((story.now().weight, story.now().ready("v1"), story.now().wanted("v2")), (0, 4, 0));
}

#[test]
fn a_canary_that_was_given_up_or_has_no_weight_does_not_take_over() {
    let mut story = at_fifty(&[]);
    story.say(CommandKind::Abort);
    story.rest();
    story.world.lose_workload(&r("v1"));
    story.pass(60 * SECOND);
    assert_eq!(story.now().weight, 0);
    let mut story = Story::routed(4, [Step::SetCanaryScale(rollout_core::CanaryScale::Replicas(2)), pause()]);
    story.update("v2");
    story.rest();
    story.world.lose_workload(&r("v1"));
    story.pass(60 * SECOND);
    assert_eq!(story.now().weight, 0);
    story.waits("no longer exists");
}

#[test]
fn without_a_traffic_manager_the_canary_gets_all_pods() {
    let mut story = Story::unrouted(4, [Step::SetWeight(50), pause()]);
    story.update("v2");
    story.rest();
    story.world.lose_workload(&r("v1"));
    story.pass(60 * SECOND);
    assert_eq!(story.now().ready("v2"), 4);
    story.say(CommandKind::Promote);
    story.rest();
    story.is_done_with("v2");
}

#[test]
fn the_progress_deadline_does_not_abort_to_nowhere() {
    let mut story = at_fifty(&[Step::SetWeight(75)]);
    story.world.set_spec(|spec| {
        spec.progress_deadline = MINUTE;
        spec.progress_deadline_abort = true;
    });
    story.world.pods_never_ready(&r("v2"));
    story.world.lose_workload(&r("v1"));
    story.say(CommandKind::Promote);
    story.pass(10 * MINUTE);
    assert_eq!(story.world.truth().status.aborted, None);
    assert_eq!(story.now().weight, 100, "what is left answers");
}
