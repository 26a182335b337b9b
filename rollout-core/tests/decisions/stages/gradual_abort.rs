//! A gradual abort. It is 100 s after the abort.

use super::{Row, to};
use crate::situation::Situation;
use core::time::Duration;
use rollout_core::{Range, pace::GradualAbort};

/// The canary had 50 % and was aborted.
fn aborted(it: &mut Situation, percent: u32, every: u64) {
    it.abort();
    it.spec.gradual_abort = Some(GradualAbort::new(percent, Duration::from_secs(every)));
}

pub(super) const ROWS: [Row; 10] = [
    ("what is due falls", |it| aborted(it, 5, 30), "routed canary 30, stable 70; waits: aborted"),
    (
        "what is not due stays, and its time is known",
        |it| {
            aborted(it, 5, 30);
            it.weight(30);
        },
        "nothing; waits: gradual abort, destination, old pods, aborted",
    ),
    (
        "a canary that had less than its step asks for gains nothing",
        |it| {
            aborted(it, 5, 30);
            it.weight(7);
        },
        "nothing; waits: gradual abort, destination, old pods, aborted",
    ),
    (
        "of two objects with different weights, none gains",
        |it| {
            aborted(it, 5, 30);
            let mut behind = it.seen().routes[0].clone();
            behind.weight = Range::exact(10);
            it.seen().routes.push(behind);
        },
        "routed canary 10, stable 90; waits: aborted",
    ),
    (
        "at last everything falls",
        |it| {
            aborted(it, 25, 100);
            it.weight(25);
        },
        "routed canary 0, stable 100; waits: aborted",
    ),
    (
        "without a ready canary pod, everything falls at once",
        |it| {
            aborted(it, 5, 30);
            it.canary_ready(4, 0);
        },
        "routed canary 0, stable 100; waits: aborted",
    ),
    (
        "managed routes go at once",
        |it| {
            aborted(it, 5, 30);
            it.weight(30);
            it.managed(&["testers"]);
        },
        "routed without managed routes; waits: gradual abort, aborted",
    ),
    (
        "a newer revision does not wait for it",
        |it| {
            aborted(it, 5, 30);
            it.spec.target = "v3".into();
        },
        "v3: 2 pods, routed canary 0, stable 100, started v3 instead of v2; waits: pods",
    ),
    (
        "nor does an undo",
        |it| {
            aborted(it, 5, 30);
            it.spec.target = "v1".into();
        },
        "routed canary 0, stable 100, rolled back to stable v1; waits: carrying out",
    ),
    (
        "routes that lead elsewhere are no canary's",
        |it| {
            aborted(it, 5, 30);
            it.seen().behind.canary = to("v1");
        },
        "routed canary 0, stable 100; waits: aborted",
    ),
];
