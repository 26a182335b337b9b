//! Which revision is asked for.

use super::{Row, at, to};
use crate::situation::pods as of;
use rollout_core::{Status, Step};

pub(super) const ROWS: [Row; 16] = [
    (
        "a rollback within the window skips the steps",
        |it| {
            it.at_rest();
            it.spec.rollback_window = 1;
            it.spec.target = "v1".into();
            *it.revisions() = vec![of("v1", 0).number(1), of("v2", 4).number(2)];
        },
        "v1: 4 pods, selected canary → v1, started v1, the steps are skipped: v1 is within the rollback \
         window; waits: pods, destination",
    ),
    (
        "one that goes back further runs them",
        |it| {
            it.at_rest();
            it.spec.rollback_window = 1;
            it.spec.target = "v0".into();
            *it.revisions() = vec![of("v0", 0).number(1), of("v1", 0).number(2), of("v2", 4).number(3)];
        },
        "v0: 2 pods, selected canary → v0, started v0; waits: pods, destination",
    ),
    (
        "a new revision is no rollback",
        |it| {
            it.at_rest();
            it.spec.rollback_window = 9;
            it.spec.target = "v3".into();
            *it.revisions() = vec![of("v2", 4).number(2), of("v3", 0).number(3)];
        },
        "v3: 2 pods, selected canary → v3, started v3; waits: pods, destination",
    ),
    (
        "whether it is one is not known before the revisions are",
        |it| {
            it.at_rest();
            it.spec.rollback_window = 1;
            it.spec.target = "v1".into();
            it.revisions = None;
        },
        "nothing; waits: revisions readable",
    ),
    (
        "the first revision is deployed without steps",
        |it| {
            it.status = Status::default();
            *it.revisions() = vec![];
            it.weight(0);
        },
        "v2: 4 pods, started v2; waits: pods",
    ),
    (
        "another first revision starts anew",
        |it| {
            it.status.stable = None;
            it.spec.target = "v3".into();
            it.weight(0);
        },
        "v3: 4 pods, started v3 instead of v2; waits: pods",
    ),
    (
        "a new revision after a completed update is a new canary",
        |it| {
            it.at_rest();
            it.spec.target = "v3".into();
        },
        "v3: 2 pods, selected canary → v3, started v3; waits: pods, destination",
    ),
    (
        "a newer revision supersedes the canary",
        |it| it.spec.target = "v3".into(),
        "v3: 2 pods, routed canary 0, stable 100, started v3 instead of v2; waits: pods",
    ),
    (
        "the stable revision again is a rollback",
        |it| it.spec.target = "v1".into(),
        "routed canary 0, stable 100, rolled back to stable v1; waits: carrying out",
    ),
    (
        "the same revision again changes nothing",
        |it| it.canary_ready(2, 2),
        "step 1/2 completed (setWeight: 50), paused until somebody promotes; waits: pause",
    ),
    (
        "while the user has paused the rollout, a new revision waits",
        |it| {
            it.canary_ready(2, 2);
            it.spec.paused = true;
            it.spec.target = "v3".into();
        },
        "nothing; waits: paused by the user",
    ),
    (
        "the very first revision does not wait for that",
        |it| {
            it.status = Status::default();
            *it.revisions() = vec![];
            it.weight(0);
            it.spec.paused = true;
        },
        "v2: 4 pods, started v2; waits: paused by the user",
    ),
    (
        "a new revision ends an abort",
        |it| {
            it.abort();
            it.weight(0);
            it.seen().behind.canary = to("v1");
            it.spec.target = "v3".into();
        },
        "v3: 2 pods, selected canary → v3, v2: 4 pods, marked for scale-down at 1970-01-01T00:17:10Z, \
         started v3 instead of v2; waits: pods, destination",
    ),
    (
        "edited steps start again",
        |it| {
            *it = at([Step::SetWeight(50), Step::Pause(None), Step::SetWeight(60)]);
            it.status.step = 1;
            it.status.step_hash = Some("before".into());
            it.canary_ready(2, 2);
        },
        "the steps were edited and start again, step 1/3 completed (setWeight: 50), paused until somebody \
         promotes; waits: pause",
    ),
    (
        "edited steps matter to no completed update",
        |it| {
            it.at_rest();
            it.status.step_hash = Some("before".into());
        },
        "nothing; waits: ",
    ),
    (
        "with no replicas, a new revision is complete at once",
        |it| {
            it.at_rest();
            it.spec.replicas = 0;
            it.spec.target = "v3".into();
            *it.revisions() = vec![of("v2", 0)];
        },
        "v3: 0 pods, started v3, completed: v3 is stable instead of v2, scaled to zero by the user; \
         waits: scaled to zero",
    ),
];
