//! Old revisions that are deleted.

use super::{Row, to};
use crate::situation::pods as of;
use rollout_core::{Range, Time};

pub(super) const ROWS: [Row; 3] = [
    (
        "only old revisions without any pod are deleted",
        |it| {
            it.status.stable = Some("v2".into());
            it.spec.paused = true;
            it.spec.target = "v3".into();
            it.spec.revision_history_limit = 0;
            it.weight(0);
            it.seen().behind.stable = to("v2");
            *it.revisions() = ["v0", "v3", "v4"].map(|name| of(name, 0)).into();
            let scale_down_deadline = Some(Time::from_secs(9000));
            it.revisions().extend([
                of("v2", 4),
                of("v5", 1).scale_down_deadline(scale_down_deadline),
                of("v6", 0).ready(Range::exact(1)),
            ]);
        },
        "deleted old revision v0, deleted old revision v4; waits: paused by the user, scale-down delay",
    ),
    (
        "nothing is deleted while something else is done",
        |it| {
            it.status.stable = Some("v2".into());
            it.spec.revision_history_limit = 0;
            it.weight(0);
            it.seen().behind.stable = to("v2");
            *it.revisions() = vec![of("v0", 0), of("v1", 0), of("v2", 3)];
        },
        "v2: 4 pods; waits: carrying out",
    ),
    (
        "nothing is deleted while an update is under way",
        |it| {
            it.spec.revision_history_limit = 0;
            it.canary_ready(2, 2);
            it.revisions().push(of("v0", 0));
        },
        "step 1/2 completed (setWeight: 50), paused until somebody promotes; waits: pause",
    ),
];
