//! What must hold before weight or a managed route moves.

use super::{Row, at, header, not_yet, other_route, scale};
use crate::situation::pods as of;
use rollout_core::{
    Range, Step,
    traffic::{ManagedSeen, Selection},
};

pub(super) const ROWS: [Row; 16] = [
    (
        "a step lowers the weight only when every proxy has stable's selector",
        |it| {
            *it = at([Step::SetWeight(50), Step::SetWeight(20), Step::Pause(None)]);
            it.status.step = 1;
            it.canary_ready(2, 2);
            it.seen().selectors_settled = not_yet(999);
        },
        "nothing; waits: settled",
    ),
    (
        "weight rises when enough pods are available, not when they are only ready",
        |it| {
            it.weight(5);
            it.revisions()[1] = of("v2", 2).available(Range::exact(1));
        },
        "nothing; waits: pods",
    ),
    (
        "a canary that takes over from an unavailable stable need only be ready",
        |it| {
            it.stable_unavailable();
            it.revisions()[1] = of("v2", 4).available(Range::exact(0));
        },
        "routed canary 100, stable 0; waits: pods",
    ),
    (
        "one pod is enough for all traffic where the scale says so",
        |it| {
            *it = at([scale(1), Step::SetWeight(100), Step::Pause(None)]);
            it.status.step = 1;
            it.canary_ready(1, 1);
        },
        "routed canary 100, stable 0; waits: carrying out",
    ),
    (
        "a successor that waits for its destination takes the old managed route away although stable is unavailable",
        |it| {
            *it = at([header("testers"), Step::Pause(None)]);
            it.supersede();
            it.weight(0);
            it.managed(&["testers"]);
            it.stable_unavailable();
        },
        "routed without managed routes; waits: routes of another revision",
    ),
    (
        "a canary that leads keeps its managed route while stable is unavailable",
        |it| {
            *it = at([Step::SetWeight(0), Step::Pause(None)]);
            it.weight(0);
            it.managed(&["testers"]);
            it.stable_unavailable();
        },
        "v2: 1 pods; waits: stable can carry",
    ),
    (
        "an aborted canary keeps its managed route while stable is unavailable",
        |it| {
            it.abort();
            it.weight(0);
            it.managed(&["testers"]);
            it.stable_unavailable();
        },
        "nothing; waits: stable can carry, destination, old pods, aborted",
    ),
    (
        "an edited header route is not written while stable cannot take the requests that leave it",
        |it| {
            *it = at([header("testers"), Step::Pause(None)]);
            it.weight(0);
            it.seen().routes[0].managed = vec![ManagedSeen::new(other_route("testers"))];
            it.stable_ready(0);
        },
        "v2: 1 pods; waits: stable can carry",
    ),
    (
        "it is written when stable can",
        |it| {
            *it = at([header("testers"), Step::Pause(None)]);
            it.weight(0);
            it.seen().routes[0].managed = vec![ManagedSeen::new(other_route("testers"))];
            it.stable_ready(1);
        },
        "routed managed routes: testers; waits: carrying out",
    ),
    (
        "after a commit, whatever is behind stable is better than no pod at all",
        |it| {
            it.status.stable = Some("v2".into());
            it.weight(100);
            it.canary_ready(4, 0);
        },
        "routed canary 0, stable 100; waits: carrying out",
    ),
    (
        "stable carries with seven of ten pods",
        |it| {
            it.abort();
            it.stable_ready(3);
        },
        "routed canary 0, stable 100; waits: aborted",
    ),
    (
        "a canary that has the whole weight needs no managed route, and no stable",
        |it| {
            *it = at([header("testers"), Step::SetHeaderRoute { name: "testers".into(), route: None }]);
            it.status.step = 2;
            it.weight(100);
            it.managed(&["testers"]);
            it.stable_unavailable();
        },
        "routed without managed routes; waits: carrying out",
    ),
    (
        "where a stable without pods has all the traffic, a managed route does not keep its successor away",
        |it| {
            *it = at([Step::SetWeight(100), header("testers")]);
            it.weight(100);
            it.managed(&["testers"]);
            it.seen().behind.canary = vec![Selection::Revision("v1".into())];
            it.seen().routes[0].written_for = Some("v1".into());
            it.stable_unavailable();
        },
        "routed without managed routes; waits: routes of another revision, stable can carry",
    ),
    (
        "stable carries with as many pods as the canary",
        |it| {
            it.abort();
            it.stable_ready(2);
            it.canary_ready(2, 2);
        },
        "routed canary 0, stable 100; waits: aborted",
    ),
    (
        "weight goes back when every proxy knows stable's pods",
        |it| {
            it.abort();
            it.canary_ready(2, 2);
            it.seen().endpoints[0].1 = not_yet(999);
        },
        "nothing; waits: settled, destination, old pods, aborted",
    ),
    (
        "where the canary's pods are gone, it goes back before",
        |it| {
            it.abort();
            it.canary_ready(2, 0);
            it.seen().endpoints[0].1 = not_yet(999);
        },
        "routed canary 0, stable 100; waits: aborted",
    ),
];
