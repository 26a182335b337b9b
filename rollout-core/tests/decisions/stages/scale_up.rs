//! Pods that are added, and scale-down deadlines that are removed.

use super::{Row, scale, to};
use crate::situation::{Situation, pods as of};
use rollout_core::{Strategy, Time, traffic::Selection};

pub(super) const ROWS: [Row; 4] = [
    (
        "an aborted canary gets no pods back, also where it keeps those it has",
        |it| {
            let strategy = Strategy::builder().traffic_routing(true).abort_scale_down_delay(None);
            *it = Situation::of(strategy.step(scale(3)).build().unwrap());
            it.abort();
            it.weight(0);
            it.seen().behind.canary = to("v1");
            it.canary_ready(1, 1);
        },
        "v2: 1 pods, marked for scale-down at 1970-01-01T00:17:10Z; waits: aborted",
    ),
    (
        "a revision in use that has no pods keeps its deadline",
        |it| {
            it.canary_ready(2, 2);
            it.revisions().push(of("v0", 0).scale_down_deadline(Some(Time::from_secs(1010))));
            it.seen().behind.stable.push(Selection::Revision("v0".into()));
        },
        "selected stable → v1, step 1/2 completed (setWeight: 50), paused until somebody promotes; waits: \
         pause",
    ),
    (
        "a revision in use loses its deadline",
        |it| {
            it.canary_ready(2, 2);
            it.revisions().push(of("v0", 4).scale_down_deadline(Some(Time::from_secs(1010))));
            it.seen().behind.stable.push(Selection::Revision("v0".into()));
        },
        "v0: 4 pods, selected stable → v1, step 1/2 completed (setWeight: 50), paused until somebody \
         promotes; waits: pause",
    ),
    (
        "a canary in use loses its deadline once",
        |it| {
            it.revisions()[1] = of("v2", 2).scale_down_deadline(Some(Time::from_secs(1010)));
        },
        "v2: 2 pods, step 1/2 completed (setWeight: 50), paused until somebody promotes; waits: pause",
    ),
];
