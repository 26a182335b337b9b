//! `dynamicStableScale`: a stable that follows the weight.

use super::{Row, not_yet, to};
use crate::situation::{Situation, pods as of};
use rollout_core::{Step, Strategy};

/// At 50 %, with two of the four pods on either side.
fn follows(it: &mut Situation) {
    let steps = [Step::SetWeight(50), Step::Pause(None), Step::SetWeight(100), Step::Pause(None)];
    let strategy = Strategy::builder().traffic_routing(true).dynamic_stable_scale(true).steps(steps);
    *it = Situation::of(strategy.build().unwrap());
    it.canary_ready(2, 2);
    it.revisions()[0] = of("v1", 2);
}

pub(super) const ROWS: [Row; 14] = [
    (
        "stable shrinks to its share",
        |it| {
            follows(it);
            it.revisions()[0] = of("v1", 4);
        },
        "v1: 2 pods, step 1/4 completed (setWeight: 50), paused until somebody promotes; waits: pause",
    ),
    (
        "not before every proxy has the routes",
        |it| {
            follows(it);
            it.revisions()[0] = of("v1", 4);
            it.seen().routes_settled = not_yet(999);
        },
        "nothing; waits: settled",
    ),
    (
        "no pods go in a plan that writes routes",
        |it| {
            follows(it);
            it.revisions()[0] = of("v1", 4);
            it.weight(25);
        },
        "routed canary 50, stable 50; waits: carrying out",
    ),
    (
        "it keeps a pod until the canary is stable",
        |it| {
            follows(it);
            it.status.step = 3;
            it.weight(100);
            *it.revisions() = vec![of("v1", 4), of("v2", 4)];
        },
        "v1: 1 pods, paused until somebody promotes; waits: pause",
    ),
    (
        "after that its pods go without a delay",
        |it| {
            follows(it);
            it.status.stable = Some("v2".into());
            it.status.step = 4;
            it.weight(0);
            it.seen().behind.stable = to("v2");
            *it.revisions() = vec![of("v1", 1), of("v2", 4)];
        },
        "v1: 1 pods, marked for scale-down at 1970-01-01T00:16:40Z; waits: carrying out",
    ),
    (
        "after an abort, stable grows at once and the weight stays",
        |it| {
            follows(it);
            it.abort();
        },
        "v1: 4 pods; waits: stable can carry, destination, old pods, aborted",
    ),
    (
        "the weight falls by what the pods that came carry",
        |it| {
            follows(it);
            it.abort();
            it.stable_ready(3);
        },
        "routed canary 25, stable 75; waits: aborted",
    ),
    (
        "all of it when all of them are back",
        |it| {
            follows(it);
            it.abort();
            it.stable_ready(4);
        },
        "routed canary 0, stable 100; waits: aborted",
    ),
    (
        "at once when the canary has no pod",
        |it| {
            follows(it);
            it.abort();
            it.stable_ready(1);
            it.canary_ready(2, 0);
        },
        "routed canary 0, stable 100; waits: aborted",
    ),
    (
        "a lower weight is reached in the same way",
        |it| {
            follows(it);
            it.weight(100);
            it.status.step = 0;
            *it.revisions() = vec![of("v1", 1), of("v2", 4)];
        },
        "v1: 2 pods, routed canary 75, stable 25; waits: carrying out",
    ),
    (
        "a newer revision waits until stable has everything",
        |it| {
            follows(it);
            it.supersede();
        },
        "v1: 4 pods; waits: routes of another revision, stable can carry, destination, old pods",
    ),
    (
        "routes of the older revision stay its own until all weight is gone",
        |it| {
            follows(it);
            it.supersede();
            it.stable_ready(3);
        },
        "routed canary 25, stable 75; waits: routes of another revision",
    ),
    (
        "routes that cannot be read do not make it grow",
        |it| {
            follows(it);
            it.seen = None;
        },
        "nothing; waits: traffic readable",
    ),
    (
        "a selector of the user's is replaced with the pods of the share",
        |it| {
            follows(it);
            it.weight(75);
            it.status.step = 1;
            it.seen().behind.stable = vec![rollout_core::traffic::Selection::Unpinned];
            it.revisions()[0] = of("v1", 1);
        },
        "v1: 2 pods, selected stable → v1, paused until somebody promotes; waits: pause, stable can carry",
    ),
];
