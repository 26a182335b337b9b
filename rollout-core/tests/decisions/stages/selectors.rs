//! Writes of selectors.

use super::{Row, at, scale, to};
use crate::situation::pods as of;
use rollout_core::{Range, Step, traffic::Selection};

pub(super) const ROWS: [Row; 12] = [
    (
        "promoted in full and stopped, a destination in use is pointed only at all pods",
        |it| {
            (it.status.promote_full, it.spec.paused) = (true, true);
            it.canary_ready(4, 2);
            it.seen().behind.canary = vec![Selection::Unpinned];
        },
        "nothing; waits: paused by the user, destination, pods",
    ),
    (
        "past the steps, too",
        |it| {
            it.status.step = 2;
            it.canary_ready(4, 2);
            it.seen().behind.canary = vec![Selection::Unpinned];
        },
        "nothing; waits: pods, destination",
    ),
    (
        "at a step, those for its weight are enough",
        |it| {
            it.canary_ready(4, 2);
            it.seen().behind.canary = vec![Selection::Unpinned];
        },
        "selected canary → v2; waits: carrying out",
    ),
    (
        "a canary that has pods without weight gets its destination",
        |it| {
            *it = at([scale(2), Step::Pause(None)]);
            it.weight(0);
            it.canary_ready(2, 2);
            it.seen().behind.canary = to("v1");
        },
        "selected canary → v2, step 1/2 completed (setCanaryScale{replicas: 2}), paused until somebody \
         promotes; waits: pause",
    ),
    (
        "so does one that is to have weight without pods",
        |it| {
            *it = at([scale(0), Step::SetWeight(20)]);
            it.status.step = 1;
            it.weight(0);
            it.canary_ready(1, 1);
            it.seen().behind.canary = to("v1");
        },
        "selected canary → v2; waits: destination",
    ),
    (
        "where stable has no pod, the destination of a canary that nobody wants stays",
        |it| {
            *it = at([scale(0), Step::Pause(None)]);
            it.weight(0);
            it.canary_ready(1, 1);
            it.stable_ready(0);
        },
        "step 1/2 completed (setCanaryScale{replicas: 0}), paused until somebody promotes; waits: pause, \
         old pods",
    ),
    (
        "stable's destination needs no pods where no request reaches it",
        |it| {
            *it = at([Step::SetWeight(100), Step::Pause(None)]);
            it.weight(100);
            it.stable_ready(1);
            it.seen().behind.stable = vec![Selection::Unpinned];
        },
        "selected stable → v1, step 1/2 completed (setWeight: 100), paused until somebody promotes; waits: \
         pause",
    ),
    (
        "it needs them where a route that is not ours leads there",
        |it| {
            *it = at([Step::SetWeight(100), Step::Pause(None)]);
            it.weight(100);
            it.stable_ready(1);
            it.seen().behind.stable = vec![Selection::Unpinned];
            it.seen().used_elsewhere.stable = true;
        },
        "step 1/2 completed (setWeight: 100), paused until somebody promotes; waits: pause, pods",
    ),
    (
        "a successor needs all its pods while stable has none, because it may have to take everything",
        |it| {
            it.supersede();
            it.revisions()[2] = of("v3", 4).ready(Range::exact(3));
            it.stable_ready(0);
        },
        "nothing; waits: routes of another revision, stable unavailable, stable can carry, pods, old pods",
    ),
    (
        "it does not while stable has some",
        |it| {
            it.supersede();
            it.revisions()[2] = of("v3", 4).ready(Range::exact(3));
            it.stable_ready(1);
        },
        "v3: 2 pods; waits: routes of another revision, stable can carry, destination, old pods",
    ),
    (
        "nor under a managed route, which goes first",
        |it| {
            it.supersede();
            it.managed(&["testers"]);
            it.revisions()[2] = of("v3", 4).ready(Range::exact(3));
            it.stable_ready(0);
        },
        "nothing; waits: routes of another revision, stable unavailable, stable can carry, stable can carry, \
         destination, old pods",
    ),
    (
        "a subset without weight leads to the canary before its pods are ready",
        |it| {
            *it = at([scale(2), Step::Pause(None)]);
            it.weight(0);
            it.canary_ready(2, 0);
            it.seen().behind.canary = to("v1");
        },
        "selected canary → v2; waits: pods",
    ),
];
