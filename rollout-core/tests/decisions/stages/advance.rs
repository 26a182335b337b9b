//! How far the steps go.

use super::{Row, at, header, not_yet, scale};
use crate::situation::pods as of;
use core::time::Duration;
use rollout_core::{Range, Step, Time};

pub(super) const ROWS: [Row; 17] = [
    (
        "a weight that every proxy has completes its step",
        |it| it.canary_ready(2, 2),
        "step 1/2 completed (setWeight: 50), paused until somebody promotes; waits: pause",
    ),
    (
        "a weight that is not written yet does not",
        |it| {
            it.weight(5);
            it.canary_ready(2, 2);
        },
        "routed canary 50, stable 50; waits: carrying out",
    ),
    (
        "a weight that a proxy does not have yet does not",
        |it| {
            it.canary_ready(2, 2);
            it.seen().routes_settled = not_yet(999);
        },
        "nothing; waits: settled",
    ),
    ("a weight whose pods are not there does not", |it| it.canary_ready(2, 1), "nothing; waits: pods"),
    (
        "a scale is complete when its pods are available",
        |it| {
            *it = at([scale(3), Step::Pause(None)]);
            it.weight(0);
            it.canary_ready(3, 3);
        },
        "step 1/2 completed (setCanaryScale{replicas: 3}), paused until somebody promotes; waits: pause",
    ),
    (
        "a header route is complete when it is written",
        |it| {
            *it = at([header("testers"), Step::Pause(None)]);
            it.weight(0);
            it.managed(&["testers"]);
            it.canary_ready(1, 1);
        },
        "step 1/2 completed (setHeaderRoute: testers), paused until somebody promotes; waits: pause",
    ),
    (
        "a pause holds for its duration",
        |it| {
            *it = at([Step::Pause(Some(Duration::from_secs(600)))]);
            it.weight(0);
            it.canary_ready(0, 0);
            it.status.paused_at = Some(Time::from_secs(401));
        },
        "selected canary → v1; waits: pause",
    ),
    (
        "and ends after it",
        |it| {
            *it = at([Step::Pause(Some(Duration::from_secs(600))), Step::SetWeight(0), Step::Pause(None)]);
            it.weight(0);
            it.canary_ready(0, 0);
            it.status.paused_at = Some(Time::from_secs(400));
        },
        "selected canary → v1, resumed, step 1/3 completed (pause: 600s), step 2/3 completed (setWeight: \
         0), paused until somebody promotes; waits: pause",
    ),
    (
        "a pause without a duration waits for somebody",
        |it| {
            *it = at([Step::Pause(None)]);
            it.weight(0);
            it.canary_ready(0, 0);
            it.status.paused_at = Some(Time::from_secs(400));
        },
        "selected canary → v1; waits: pause",
    ),
    (
        "nothing advances while the user has paused the rollout",
        |it| {
            it.canary_ready(2, 2);
            it.spec.paused = true;
        },
        "nothing; waits: paused by the user",
    ),
    (
        "nothing advances while the traffic is unknown",
        |it| {
            it.canary_ready(2, 2);
            it.seen = None;
        },
        "nothing; waits: traffic readable",
    ),
    (
        "nothing advances after an abort",
        |it| {
            it.canary_ready(2, 2);
            it.abort();
            it.weight(0);
        },
        "selected canary → v1; waits: aborted",
    ),
    (
        "past the last step, the canary becomes stable when it has everything",
        |it| {
            it.status.step = 2;
            it.weight(100);
        },
        "selected stable → v2, completed: v2 is stable instead of v1; waits: destination",
    ),
    (
        "a promotion in full skips the steps",
        |it| {
            it.status.promote_full = true;
            it.canary_ready(2, 2);
        },
        "v2: 4 pods; waits: pods",
    ),
    (
        "a step beyond the last counts as past the steps",
        |it| {
            it.status.step = 9;
            it.weight(100);
        },
        "selected stable → v2, completed: v2 is stable instead of v1; waits: destination",
    ),
    (
        "on a first deploy nobody waits long for endpoints, though an old revision without pods exists",
        |it| {
            it.status.stable = None;
            it.weight(0);
            it.seen().endpoints[1].1 = not_yet(970);
            *it.revisions() = vec![of("v0", 0), of("v2", 4)];
        },
        "selected stable → v2, the first deploy of v2 continues without confirmation of its endpoints by \
         proxy-1: check that a Service selects its pods, completed: v2 is stable; waits: carrying out",
    ),
    (
        "a step is not over while objects disagree",
        |it| {
            it.canary_ready(2, 2);
            let mut other = it.seen().routes[0].clone();
            other.weight = Range::exact(5);
            it.seen().routes.push(other);
        },
        "routed canary 50, stable 50; waits: carrying out",
    ),
];
