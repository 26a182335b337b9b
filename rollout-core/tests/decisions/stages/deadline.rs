//! Pods that make no progress.

use super::{Row, at};
use rollout_core::{Progress, Step, Time, traffic::Selection};

pub(super) const ROWS: [Row; 3] = [
    (
        "late pods of stable do not abort the update",
        |it| {
            *it = at([Step::SetWeight(60)]);
            it.canary_ready(3, 3);
            it.stable_ready(1);
            it.seen().behind.stable = vec![Selection::Unpinned];
            it.spec.progress_deadline_abort = true;
            it.status.progress = Some(Progress::new(Time::from_secs(100), 1));
        },
        "routed canary 60, stable 40, the pods of v1 make no progress; waits: pods",
    ),
    (
        "late pods of a first deploy are told",
        |it| {
            it.status.stable = None;
            it.weight(0);
            *it.revisions() = vec![];
            it.status.progress = Some(Progress::new(Time::from_secs(100), 0));
        },
        "v2: 4 pods, the pods of v2 make no progress; waits: pods",
    ),
    (
        "late pods of the canary abort the update, which then waits for nothing else",
        |it| {
            it.canary_ready(2, 1);
            it.spec.progress_deadline_abort = true;
            it.status.progress = Some(Progress::new(Time::from_secs(100), 1));
        },
        "routed canary 0, stable 100, the pods of v2 make no progress, aborted v2: its pods made no \
         progress; waits: aborted",
    ),
];
