//! The end of an update when the two destinations swap their roles.

use super::{Row, header};
use crate::situation::Situation;
use rollout_core::{Step, Strategy};

/// Past the steps, with all the weight.
fn complete(it: &mut Situation) {
    let strategy =
        Strategy::builder().managed_route("testers").steps([Step::SetWeight(50), header("testers")]);
    *it = Situation::of(strategy.ping_pong(true).build().unwrap());
    it.status.step = 2;
    it.weight(100);
}

pub(super) const ROWS: [Row; 4] = [
    ("the swap is all that happens", complete, "completed: v2 is stable instead of v1; waits: "),
    (
        "managed routes are removed before it",
        |it| {
            complete(it);
            it.managed(&["testers"]);
        },
        "routed without managed routes; waits: carrying out",
    ),
    (
        "but not before the canary has all the weight",
        |it| {
            complete(it);
            it.weight(50);
            it.managed(&["testers"]);
        },
        "routed canary 100, stable 0; waits: carrying out",
    ),
    (
        "after it, the canary's destination is idle and follows",
        |it| {
            complete(it);
            it.status.stable = Some("v2".into());
            it.weight(0);
            it.seen().behind.stable = super::to("v2");
            it.seen().behind.canary = super::to("v1");
        },
        "selected canary → v2; waits: carrying out",
    ),
];
