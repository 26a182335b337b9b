//! Pods that are removed, and scale-down deadlines that are set.

use super::{Row, at, header, scale, to};
use crate::situation::{Situation, pods as of};
use core::time::Duration;
use rollout_core::{Step, Strategy, Time};

pub(super) const ROWS: [Row; 10] = [
    (
        "only the newest old revisions keep their pods for the delay",
        |it| {
            let strategy = Strategy::builder().traffic_routing(true).scale_down_delay_revision_limit(Some(1));
            *it = Situation::of(strategy.step(Step::Pause(None)).build().unwrap());
            it.at_rest();
            it.revisions().extend([of("v0", 4).number(1), of("v1", 4).number(2)]);
            it.seen().behind.canary = to("v2");
        },
        "v0: 4 pods, marked for scale-down at 1970-01-01T00:16:40Z, v1: 4 pods, marked for scale-down at \
         1970-01-01T00:17:10Z; waits: carrying out",
    ),
    (
        "one that has a deadline gets an earlier one when newer ones follow",
        |it| {
            let strategy = Strategy::builder().traffic_routing(true).scale_down_delay_revision_limit(Some(1));
            *it = Situation::of(strategy.step(Step::Pause(None)).build().unwrap());
            it.at_rest();
            let later = Some(Time::from_secs(1020));
            let old = |name: &str, number| of(name, 4).number(number).scale_down_deadline(later);
            it.revisions().extend([old("v0", 1), old("v1", 2)]);
        },
        "v0: 4 pods, marked for scale-down at 1970-01-01T00:16:40Z; waits: scale-down delay",
    ),
    (
        "no pods go while a proxy may come back of which nothing is known",
        |it| {
            it.seen().proxies_known_in = Duration::from_secs(1);
            it.revisions()[0] = of("v1", 6);
            it.revisions().push(of("v0", 4).scale_down_deadline(Some(Time::from_secs(900))));
            it.spec.paused = true;
        },
        "nothing; waits: paused by the user, proxies known",
    ),
    (
        "when every proxy is known, they go",
        |it| {
            it.revisions()[0] = of("v1", 6);
            it.revisions().push(of("v0", 4).scale_down_deadline(Some(Time::from_secs(900))));
            it.spec.paused = true;
        },
        "v1: 4 pods, v2: 2 pods, v0: 0 pods; waits: paused by the user",
    ),
    (
        "the canary keeps what could carry everything while stable has no pod",
        |it| it.stable_ready(0),
        "step 1/2 completed (setWeight: 50), paused until somebody promotes; waits: pause, stable unavailable",
    ),
    (
        "one pod stays for a managed route that is to be written",
        |it| {
            *it = at([scale(0), header("testers")]);
            it.status.step = 1;
            it.weight(0);
            it.canary_ready(1, 0);
        },
        "nothing; waits: pods",
    ),
    (
        "one pod stays for a managed route that is to go",
        |it| {
            *it = at([scale(0), Step::Pause(None)]);
            it.weight(0);
            it.managed(&["testers"]);
            it.stable_ready(0);
            it.canary_ready(1, 1);
        },
        "nothing; waits: stable can carry",
    ),
    (
        "with a route, only what has pods and no deadline gets one",
        |it| {
            it.weight(5);
            let scaling_down = of("v9", 4).scale_down_deadline(Some(Time::from_secs(1010)));
            it.revisions().extend([of("v0", 0), scaling_down, of("v8", 4)]);
        },
        "routed canary 50, stable 50, v8: 4 pods, marked for scale-down at 1970-01-01T00:17:10Z; waits: \
         carrying out",
    ),
    (
        "a canary with more pods than its position wants loses them",
        |it| {
            it.weight(50);
        },
        "v2: 2 pods, step 1/2 completed (setWeight: 50), paused until somebody promotes; waits: pause",
    ),
    (
        "one pod stays for a weight that is to be written",
        |it| {
            *it = at([scale(0), Step::SetWeight(20)]);
            it.status.step = 1;
            it.weight(0);
            it.canary_ready(1, 0);
        },
        "nothing; waits: pods",
    ),
];
