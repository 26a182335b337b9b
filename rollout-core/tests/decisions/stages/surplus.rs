//! Pods that a basic canary removes.

use super::{Row, basic, not_yet};
use crate::situation::{Situation, pods as of};
use rollout_core::{Range, Step, Strategy};

pub(super) const ROWS: [Row; 5] = [
    (
        "pods that are ready but not available yet do not go like broken ones",
        |it| {
            *it = basic(1, 0);
            it.status.stable = None;
            it.spec.target = "v3".into();
            *it.revisions() = vec![of("v2", 4).ready(Range::exact(2)).available(Range::exact(0))];
        },
        "v3: 1 pods, v2: 2 pods, started v3 instead of v2; waits: pods, fence posts",
    ),
    (
        "above the bound they go as far as enough ready pods stay",
        |it| {
            *it = basic(1, 0);
            it.at_rest();
            it.spec.replicas = 2;
            *it.revisions() = vec![of("v2", 6).available(Range::exact(0))];
        },
        "v2: 2 pods; waits: carrying out",
    ),
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
