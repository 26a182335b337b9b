//! What analyses say, and which runs begin and end.

use super::Row;
use crate::situation::{Situation, pods as of};
use rollout_core::{
    Range,
    analysis::{Phase, RunRole},
};

const STEP: RunRole = RunRole::Step(1);
const BESIDE: RunRole = RunRole::Background;

pub(super) const ROWS: [Row; 23] = [
    (
        "a step ends by a good run",
        |it| *it = Situation::analysed(STEP, Phase::Successful),
        "routed canary 80, stable 20, step 2/3 completed (analysis); waits: carrying out",
    ),
    (
        "not by one that somebody ended",
        |it| {
            *it = Situation::analysed(STEP, Phase::Successful);
            it.run().stopping = true;
        },
        "v2: 2 pods; waits: analysis inconclusive",
    ),
    (
        "nor by one of an earlier attempt, which is over",
        |it| {
            *it = Situation::analysed(STEP, Phase::Successful);
            it.status.attempts.step = 1;
        },
        "v2: 2 pods, began the analysis of v2 for step 2; waits: analysis",
    ),
    (
        "nor by that of another revision",
        |it| {
            *it = Situation::analysed(STEP, Phase::Successful);
            it.run().id.revision = "v0".into();
        },
        "v2: 2 pods, began the analysis of v2 for step 2; waits: analysis",
    ),
    (
        "nor by that of other steps",
        |it| {
            *it = Situation::analysed(STEP, Phase::Successful);
            it.run().id.step_hash = "other".into();
        },
        "v2: 2 pods, began the analysis of v2 for step 2; waits: analysis",
    ),
    (
        "a bad run aborts",
        |it| *it = Situation::analysed(STEP, Phase::Failed),
        "routed canary 0, stable 100, aborted v2: Step-based analysis phase error/failed: too many errors; waits: \
         aborted",
    ),
    (
        "so does one that could not measure",
        |it| *it = Situation::analysed(STEP, Phase::Error),
        "routed canary 0, stable 100, aborted v2: Step-based analysis phase error/failed: too many errors; waits: \
         aborted",
    ),
    (
        "also while the user has paused",
        |it| {
            *it = Situation::analysed(BESIDE, Phase::Failed);
            it.spec.paused = true;
        },
        "routed canary 0, stable 100, aborted v2: Background analysis phase error/failed: too many errors; waits: \
         paused by the user, aborted",
    ),
    (
        "once promoted in full, no run counts, and it ends",
        |it| {
            *it = Situation::analysed(BESIDE, Phase::Running);
            it.status.promote_full = true;
        },
        "routed canary 100, stable 0, told analysis run web-v2 to end; waits: carrying out",
    ),
    (
        "the run of an aborted update ends",
        |it| {
            *it = Situation::analysed(STEP, Phase::Running);
            it.abort();
        },
        "routed canary 0, stable 100, told analysis run web-v2 to end; waits: aborted",
    ),
    (
        "one that is told to end already, is not told again",
        |it| {
            *it = Situation::analysed(STEP, Phase::Running);
            it.abort();
            it.run().stopping = true;
        },
        "routed canary 0, stable 100; waits: aborted",
    ),
    (
        "beside the steps, a run that measures holds nothing",
        |it| *it = Situation::analysed(BESIDE, Phase::Running),
        "routed canary 80, stable 20, step 1/3 completed (setWeight: 50); waits: carrying out",
    ),
    (
        "one that gets no answer does",
        |it| {
            *it = Situation::analysed(BESIDE, Phase::Running);
            it.run().newest = Some(Phase::Error);
        },
        "v2: 2 pods; waits: analysis unanswered",
    ),
    (
        "so does one that is inconclusive",
        |it| *it = Situation::analysed(BESIDE, Phase::Inconclusive),
        "v2: 2 pods; waits: analysis inconclusive",
    ),
    (
        "and one that cannot be read, also for a weight that is under way",
        |it| {
            *it = Situation::analysed(BESIDE, Phase::Running);
            it.runs = None;
            it.weight(20);
        },
        "v2: 2 pods; waits: runs readable",
    ),
    (
        "it begins when the canary has requests",
        |it| {
            *it = Situation::analysed(BESIDE, Phase::Running);
            it.runs = Some(Vec::new());
            it.revisions()[1] = of("v2", 4).ready(Range::exact(4)).available(Range::exact(1));
        },
        "v2: 2 pods, began the background analysis of v2; waits: pods",
    ),
    (
        "until it has begun, no step ends: it may be refused",
        |it| {
            *it = Situation::analysed(BESIDE, Phase::Running);
            it.runs = Some(Vec::new());
        },
        "v2: 2 pods, began the background analysis of v2; waits: analysis",
    ),
    (
        "none begins after the last step: a rollback within the window is not analysed",
        |it| {
            *it = Situation::analysed(BESIDE, Phase::Running);
            it.runs = Some(Vec::new());
            it.status.step = 3;
        },
        "routed canary 100, stable 0; waits: carrying out",
    ),
    (
        "without pods none counts, and it ends",
        |it| {
            *it = Situation::analysed(STEP, Phase::Failed);
            it.spec.replicas = 0;
            it.status.scaled_to_zero = true;
            it.run().phase = Phase::Running;
        },
        "v2: 0 pods, told analysis run web-v2 to end; waits: scaled to zero",
    ),
    (
        "afterwards, another one is needed",
        |it| {
            *it = Situation::analysed(STEP, Phase::Failed);
            it.status.scaled_to_zero = true;
        },
        "v2: 2 pods, began the analysis of v2 for step 2, stable has pods again; waits: analysis",
    ),
    (
        "not before",
        |it| {
            *it = Situation::analysed(BESIDE, Phase::Running);
            it.runs = Some(Vec::new());
            it.weight(0);
        },
        "routed canary 50, stable 50; waits: carrying out",
    ),
    (
        "nor while the user has paused",
        |it| {
            *it = Situation::analysed(STEP, Phase::Running);
            it.runs = Some(Vec::new());
            it.spec.paused = true;
        },
        "v2: 2 pods; waits: paused by the user",
    ),
    (
        "nor before a step's pods are there",
        |it| {
            *it = Situation::analysed(STEP, Phase::Running);
            it.runs = Some(Vec::new());
            it.canary_ready(2, 0);
        },
        "routed canary 0, stable 100; waits: pods",
    ),
];
