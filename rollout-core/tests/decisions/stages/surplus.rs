//! Pods that a basic canary removes.

use super::{Row, basic, not_yet};
use crate::situation::{Situation, pods as of};
use rollout_core::{Range, Step, Strategy};

pub(super) const ROWS: [Row; 3] = [
    (
        "what has no role goes before an aborted canary",
        |it| {
            *it = basic(4, 0);
            it.abort();
            *it.revisions() = vec![of("v1", 2), of("v2", 2), of("v0", 2)];
        },
        "v1: 4 pods, v0: 0 pods; waits: fence posts, aborted",
    ),
    (
        "the canary's pods go before stable's",
        |it| {
            *it = basic(2, 0);
            *it.revisions() = vec![of("v1", 3), of("v2", 3).available(Range::new(2, 3))];
        },
        "v2: 2 pods; waits: fence posts",
    ),
    (
        "nothing is said of selectors where no pod is to go",
        |it| {
            let strategy = Strategy::builder().stable_service(true).step(Step::Pause(None)).build().unwrap();
            *it = Situation::of(strategy);
            *it.revisions() = vec![of("v1", 4), of("v2", 0)];
            it.seen().behind.canary.clear();
            it.seen().selectors_settled = not_yet(999);
        },
        "paused until somebody promotes; waits: pause",
    ),
];
