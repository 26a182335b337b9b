//! Writes of routes.

use super::{Row, at, header, not_yet};
use crate::situation::pods as of;
use rollout_core::{
    Step,
    traffic::{Selection, Settled},
};

pub(super) const ROWS: [Row; 3] = [
    (
        "weight falls before a destination is changed",
        |it| {
            it.abort();
            it.canary_ready(2, 2);
            it.revisions().push(of("v0", 4));
            it.seen().behind.stable.push(Selection::Revision("v0".into()));
            it.seen().endpoints.push(("v0".into(), Settled::Yes));
        },
        "routed canary 0, stable 100; waits: aborted",
    ),
    (
        "a destination is changed before weight rises",
        |it| {
            it.weight(5);
            it.canary_ready(2, 2);
            it.revisions().push(of("v0", 4));
            it.seen().behind.stable.push(Selection::Revision("v0".into()));
        },
        "selected stable → v1; waits: carrying out",
    ),
    (
        "nothing is added to an object that only has too many managed routes",
        |it| {
            *it = at([header("testers"), Step::Pause(None)]);
            it.weight(0);
            it.managed(&["testers", "others"]);
            it.canary_ready(1, 1);
            it.seen().selectors_settled = not_yet(999);
        },
        "routed managed routes: testers; waits: carrying out",
    ),
];
