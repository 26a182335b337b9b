//! The times of the week at which a release and its steps may begin. It is Thursday, 00:16:40.

use super::{Row, at, header};
use crate::situation::{Situation, pods as of};
use core::time::Duration;
use rollout_core::{Step, Time, pace::Windows};

const MINUTE: Duration = Duration::from_secs(60);

/// The update at its first step, at 50 %, twenty minutes before a window.
fn closed(it: &mut Situation, next: Step) {
    *it = at([Step::SetWeight(50), next]);
    it.spec.windows = "00:36-01:00".parse().unwrap();
}

/// The update is wanted, and nothing of it is there yet.
fn not_begun(it: &mut Situation) {
    closed(it, Step::Pause(None));
    it.weight(0);
    it.seen().behind.canary = super::to("v1");
    it.revisions().truncate(1);
}

pub(super) const ROWS: [Row; 16] = [
    (
        "the next step waits for its window",
        |it| closed(it, Step::SetWeight(80)),
        "v2: 2 pods; waits: step windows",
    ),
    (
        "in a window it begins",
        |it| {
            closed(it, Step::SetWeight(80));
            it.spec.windows = "Thu 00:00-01:00".parse().unwrap();
        },
        "routed canary 80, stable 20, step 1/2 completed (setWeight: 50); waits: carrying out",
    ),
    ("so does a managed route", |it| closed(it, header("testers")), "v2: 2 pods; waits: step windows"),
    (
        "a pause begins at any time",
        |it| closed(it, Step::Pause(Some(MINUTE))),
        "v2: 2 pods, step 1/2 completed (setWeight: 50), paused until 1970-01-01T00:36:00Z; waits: pause",
    ),
    (
        "the last step done, the full weight waits as well",
        |it| {
            *it = at([Step::SetWeight(50)]);
            it.spec.windows = Windows::never();
        },
        "v2: 2 pods; waits: step windows",
    ),
    (
        "a pause lasts until the next step may begin",
        |it| {
            *it = at([Step::SetWeight(50), Step::Pause(Some(MINUTE))]);
            it.spec.windows = "00:36-01:00".parse().unwrap();
            it.status.step = 1;
            it.status.paused_at = Some(Time::from_secs(990));
        },
        "v2: 2 pods; waits: pause",
    ),
    (
        "one that ended in a window that nobody saw waits for the next",
        |it| {
            *it = at([Step::SetWeight(50), Step::Pause(Some(MINUTE))]);
            it.spec.windows = "00:02-00:03; 00:36-01:00".parse().unwrap();
            it.status.step = 1;
            it.status.paused_at = Some(Time::from_secs(60));
        },
        "v2: 2 pods; waits: step windows",
    ),
    (
        "without any window, only a person ends it",
        |it| {
            *it = at([Step::SetWeight(50), Step::Pause(Some(MINUTE))]);
            it.spec.windows = Windows::never();
            it.status.step = 1;
            it.status.paused_at = Some(Time::from_secs(990));
        },
        "v2: 2 pods; waits: pause",
    ),
    ("a release that has not begun waits", not_begun, "nothing; waits: step windows"),
    (
        "one that a person promotes to the end does not",
        |it| {
            not_begun(it);
            it.status.promote_full = true;
        },
        "v2: 4 pods, selected canary → v2; waits: pods, destination",
    ),
    (
        "nor one whose first step is a pause",
        |it| {
            not_begun(it);
            it.spec.strategy = at([Step::Pause(None)]).spec.strategy;
            it.status.step_hash = Some(it.spec.strategy.step_hash().into());
        },
        "paused until somebody promotes; waits: pause",
    ),
    (
        "nor a first deploy",
        |it| {
            not_begun(it);
            it.status.stable = None;
            it.revisions().clear();
        },
        "v2: 4 pods; waits: pods",
    ),
    (
        "the canary that it replaces is withdrawn at once",
        |it| {
            closed(it, Step::Pause(None));
            it.spec.target = "v3".into();
        },
        "routed canary 0, stable 100, started v3 instead of v2; waits: step windows",
    ),
    (
        "one that has pods has begun, and goes on",
        |it| {
            closed(it, Step::Pause(None));
            it.weight(0);
            it.revisions()[1] = of("v2", 2);
        },
        "routed canary 50, stable 50; waits: carrying out",
    ),
    (
        "an abort waits for nothing",
        |it| {
            closed(it, Step::Pause(None));
            it.abort();
        },
        "routed canary 0, stable 100; waits: aborted",
    ),
    (
        "nor does an undo",
        |it| {
            closed(it, Step::Pause(None));
            it.spec.target = "v1".into();
        },
        "routed canary 0, stable 100, rolled back to stable v1; waits: carrying out",
    ),
];
