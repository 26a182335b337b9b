//! Which routes and pods a position wants, also when stable or the canary is gone.

use super::{Row, at, header, scale};
use rollout_core::Step;

pub(super) const ROWS: [Row; 7] = [
    (
        "promoted in full, nothing is added that the steps would have added, also while it is stopped",
        |it| {
            *it = at([Step::SetWeight(50), header("testers")]);
            it.status.promote_full = true;
            it.spec.paused = true;
        },
        "routed canary 100, stable 0; waits: paused by the user",
    ),
    (
        "a canary without weight does not take over from an unavailable stable",
        |it| {
            *it = at([scale(2), Step::Pause(None)]);
            it.weight(0);
            it.stable_unavailable();
            it.canary_ready(2, 2);
        },
        "step 1/2 completed (setCanaryScale{replicas: 2}), paused until somebody promotes; waits: pause",
    ),
    (
        "past the steps, only the managed routes that are there stay",
        |it| {
            *it = at([header("testers"), header("others")]);
            it.status.step = 2;
            it.weight(100);
            it.managed(&["testers"]);
            it.canary_ready(4, 3);
        },
        "nothing; waits: pods",
    ),
    (
        "a canary whose pods are gone loses its weight",
        |it| {
            it.canary_ready(2, 0);
        },
        "routed canary 0, stable 100; waits: pods",
    ),
    (
        "a header route stays while the canary has no pods",
        |it| {
            *it = at([header("testers"), Step::Pause(None)]);
            it.weight(0);
            it.managed(&["testers"]);
            it.canary_ready(1, 0);
        },
        "nothing; waits: pods",
    ),
    (
        "a canary that takes over from an unavailable stable keeps its managed route",
        |it| {
            *it = at([header("testers"), Step::SetWeight(50), Step::Pause(None)]);
            it.status.step = 2;
            it.managed(&["testers"]);
            it.stable_unavailable();
        },
        "routed canary 100, stable 0, paused until somebody promotes; waits: pause",
    ),
    (
        "a canary without ready pods does not take over",
        |it| {
            it.stable_unavailable();
            it.canary_ready(2, 0);
        },
        "v2: 4 pods; waits: pods, stable can carry",
    ),
];
