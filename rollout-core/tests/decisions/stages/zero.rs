//! `replicas: 0`.

use super::Row;
use crate::situation::pods as of;
use rollout_core::{Range, Time};

pub(super) const ROWS: [Row; 8] = [
    (
        "the canary goes before stable",
        |it| it.spec.replicas = 0,
        "v2: 0 pods, scaled to zero by the user; waits: scaled to zero",
    ),
    (
        "then stable goes",
        |it| {
            it.spec.replicas = 0;
            it.canary_ready(0, 0);
        },
        "v1: 0 pods, scaled to zero by the user; waits: scaled to zero",
    ),
    (
        "then nothing is left to do",
        |it| {
            it.spec.replicas = 0;
            it.status.scaled_to_zero = true;
            *it.revisions() = vec![of("v1", 0), of("v2", 0)];
        },
        "nothing; waits: scaled to zero",
    ),
    (
        "an update that arrives then gets its workload",
        |it| {
            it.spec.replicas = 0;
            it.spec.target = "v3".into();
            *it.revisions() = vec![of("v1", 0), of("v2", 0)];
        },
        "v3: 0 pods, started v3 instead of v2, completed: v3 is stable instead of v1, scaled to zero by the \
         user; waits: scaled to zero",
    ),
    (
        "a stable that is gone is not waited for",
        |it| {
            it.status.scaled_to_zero = true;
            it.weight(0);
            it.revisions().remove(0);
        },
        "routed canary 50, stable 50, stable has pods again; waits: stable gone",
    ),
    (
        "stable comes back first",
        |it| {
            it.status.scaled_to_zero = true;
            *it.revisions() = vec![of("v1", 0), of("v2", 0)];
        },
        "v1: 4 pods; waits: scaling up from zero, pods",
    ),
    (
        "its pods are asked for once",
        |it| {
            it.status.scaled_to_zero = true;
            it.stable_ready(0);
        },
        "nothing; waits: scaling up from zero, pods",
    ),
    (
        "and its deadline is taken off",
        |it| {
            it.status.scaled_to_zero = true;
            let none = Range::exact(0);
            it.revisions()[0] = of("v1", 4).ready(none).scale_down_deadline(Some(Time::from_secs(1010)));
        },
        "v1: 4 pods; waits: scaling up from zero, pods",
    ),
];
