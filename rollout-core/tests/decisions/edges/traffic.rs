//! What is written, and in which order.

use super::{Row, at, header, not_yet, scale};
use crate::situation::pods as of;
use rollout_core::{
    Range, Step,
    traffic::{Selection, Settled},
};

pub(super) const ROWS: [Row; 24] = [
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
        "promoted in full, nothing is added that the steps would have added, also while it is stopped",
        |it| {
            *it = at([Step::SetWeight(50), header("testers")]);
            it.status.promote_full = true;
            it.spec.paused = true;
        },
        "routed canary 100, stable 0; waits: paused by the user",
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
        "on a first deploy nobody waits long for endpoints, though an old revision without pods exists",
        |it| {
            it.status.stable = None;
            it.weight(0);
            it.seen().endpoints[1].1 = not_yet(970);
            *it.revisions() = vec![of("v0", 0), of("v2", 4)];
        },
        "selected stable → v2, the first deploy of v2 continues without confirmation of its endpoints by \
         proxy-1: check that a Service selects its pods, completed: v2 is stable; waits: carrying out",
    ),
    (
        "a canary without weight does not take over from an unavailable stable",
        |it| {
            *it = at([scale(2), Step::Pause(None)]);
            it.weight(0);
            it.stable_unavailable();
            it.canary_ready(2, 2);
        },
        "step 1/2 completed (setCanaryScale{replicas: 2}), paused until somebody promotes; waits: pause",
    ),
    (
        "past the steps, only the managed routes that are there stay",
        |it| {
            *it = at([header("testers"), header("others")]);
            it.status.step = 2;
            it.weight(100);
            it.managed(&["testers"]);
            it.canary_ready(4, 3);
        },
        "nothing; waits: pods",
    ),
    (
        "a canary whose pods are gone loses its weight",
        |it| {
            it.canary_ready(2, 0);
        },
        "routed canary 0, stable 100; waits: pods",
    ),
    (
        "a step is not over while objects disagree",
        |it| {
            it.canary_ready(2, 2);
            let mut other = it.seen().routes[0].clone();
            other.weight = Range::exact(5);
            it.seen().routes.push(other);
        },
        "routed canary 50, stable 50; waits: carrying out",
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
        "a header route stays while the canary has no pods",
        |it| {
            *it = at([header("testers"), Step::Pause(None)]);
            it.weight(0);
            it.managed(&["testers"]);
            it.canary_ready(1, 0);
        },
        "nothing; waits: pods",
    ),
    (
        "a canary that takes over from an unavailable stable keeps its managed route",
        |it| {
            *it = at([header("testers"), Step::SetWeight(50), Step::Pause(None)]);
            it.status.step = 2;
            it.managed(&["testers"]);
            it.stable_unavailable();
        },
        "routed canary 100, stable 0, paused until somebody promotes; waits: pause",
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
        "a canary without ready pods does not take over",
        |it| {
            it.stable_unavailable();
            it.canary_ready(2, 0);
        },
        "v2: 4 pods; waits: pods, stable can carry",
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
