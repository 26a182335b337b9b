//! Pods of a basic canary.

use super::{Row, basic};
use crate::situation::{Situation, pods as of};
use rollout_core::{Step, Strategy, Time};

pub(super) const ROWS: [Row; 8] = [
    (
        "a canary that replaces a stable that is gone keeps its pods between two looks",
        |it| {
            let steps = [Step::SetWeight(50), Step::Pause(None)];
            *it = Situation::of(Strategy::builder().steps(steps).build().unwrap());
            it.revisions().remove(0);
        },
        "step 1/2 completed (setWeight: 50), paused until somebody promotes; waits: pause, stable gone, \
         stable unavailable",
    ),
    (
        "pods that may not go yet",
        |it| {
            *it = basic(2, 0);
            it.canary_ready(2, 0);
        },
        "nothing; waits: pods, fence posts",
    ),
    (
        "pods that may not come yet",
        |it| {
            *it = basic(0, 2);
            it.canary_ready(0, 0);
        },
        "v1: 2 pods; waits: pods, fence posts",
    ),
    (
        "a deadline without pods stays",
        |it| {
            *it = basic(2, 2);
            it.spec.strategy = Strategy::builder().step(Step::Pause(None)).build().unwrap();
            it.status.step_hash = Some(it.spec.strategy.step_hash().into());
            it.revisions()[1] = of("v2", 0).scale_down_deadline(Some(Time::from_secs(1030)));
        },
        "paused until somebody promotes; waits: pause",
    ),
    (
        "a stable that exists is not looked at as one that is gone",
        |it| {
            *it = basic(2, 2);
            it.stable_ready(0);
        },
        "v2: 2 pods, v1: 2 pods; waits: fence posts",
    ),
    (
        "past the steps, all pods of the canary are needed",
        |it| {
            *it = basic(4, 0);
            it.status.step = 1;
            it.canary_ready(4, 2);
        },
        "v1: 2 pods; waits: pods, fence posts",
    ),
    (
        "a step ends when stable has no more pods than it should",
        |it| {
            *it = basic(2, 2);
            it.canary_ready(2, 2);
        },
        "v1: 2 pods; waits: fence posts",
    ),
    (
        "a stable that exists and is unavailable keeps its share",
        |it| {
            *it = basic(2, 2);
            it.stable_unavailable();
            it.canary_ready(2, 2);
        },
        "v1: 2 pods; waits: fence posts",
    ),
];
