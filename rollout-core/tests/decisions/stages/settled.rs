//! What every proxy must have before the next write.

use super::{Row, not_yet, to};
use core::time::Duration;
use rollout_core::traffic::Settled;

pub(super) const ROWS: [Row; 7] = [
    (
        "endpoints that nobody reports are waited for",
        |it| {
            it.weight(5);
            it.canary_ready(2, 2);
            it.seen().endpoints.clear();
        },
        "nothing; waits: grace period",
    ),
    (
        "routes that a proxy does not have hold the next write of selectors",
        |it| {
            it.at_rest();
            it.seen().behind.canary = to("v1");
            it.seen().routes_settled = not_yet(999);
        },
        "nothing; waits: settled",
    ),
    (
        "selectors that a proxy does not have hold a rise",
        |it| {
            it.weight(5);
            it.canary_ready(2, 2);
            it.seen().selectors_settled = not_yet(999);
        },
        "nothing; waits: settled",
    ),
    (
        "endpoints that a proxy does not have hold a rise",
        |it| {
            it.weight(5);
            it.canary_ready(2, 2);
            it.seen().endpoints[1].1 = not_yet(999);
        },
        "nothing; waits: settled",
    ),
    (
        "where nobody can tell, a grace period stands in",
        |it| {
            it.weight(5);
            it.canary_ready(2, 2);
            it.seen().endpoints[1].1 = Settled::Unknown { age: Duration::from_secs(1) };
        },
        "nothing; waits: grace period",
    ),
    (
        "after which it counts as settled",
        |it| {
            it.weight(5);
            it.canary_ready(2, 2);
            it.seen().endpoints[1].1 = Settled::Unknown { age: Duration::from_secs(2) };
        },
        "routed canary 50, stable 50; waits: carrying out",
    ),
    (
        "an abort does not wait for the canary's endpoints",
        |it| {
            it.abort();
            it.canary_ready(2, 2);
            it.seen().endpoints[1].1 = not_yet(999);
        },
        "routed canary 0, stable 100; waits: aborted",
    ),
];
