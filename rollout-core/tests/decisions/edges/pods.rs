//! How many pods, and of which revision.

use super::{Row, at, by_ratio, header, not_yet, scale, to};
use crate::situation::{Situation, pods as of};
use core::time::Duration;
use rollout_core::{Progress, Range, Step, Strategy, Time, traffic::Selection};

pub(super) const ROWS: [Row; 28] = [
    (
        "no pods go while a proxy may come back of which nothing is known",
        |it| {
            it.seen().proxies_known_in = Duration::from_secs(1);
            it.revisions()[0] = of("v1", 6);
            it.revisions().push(of("v0", 4).scale_down_deadline(Some(Time::from_secs(900))));
            it.spec.paused = true;
        },
        "nothing; waits: paused by the user, proxies known",
    ),
    (
        "when every proxy is known, they go",
        |it| {
            it.revisions()[0] = of("v1", 6);
            it.revisions().push(of("v0", 4).scale_down_deadline(Some(Time::from_secs(900))));
            it.spec.paused = true;
        },
        "v1: 4 pods, v2: 2 pods, v0: 0 pods; waits: paused by the user",
    ),
    (
        "by ratio: what has no role goes before an aborted canary",
        |it| {
            *it = by_ratio(4, 0);
            it.abort();
            *it.revisions() = vec![of("v1", 2), of("v2", 2), of("v0", 2)];
        },
        "v1: 4 pods, v0: 0 pods; waits: fence posts, aborted",
    ),
    (
        "by ratio: the canary's pods go before stable's",
        |it| {
            *it = by_ratio(2, 0);
            *it.revisions() = vec![of("v1", 3), of("v2", 3).available(Range::new(2, 3))];
        },
        "v2: 2 pods; waits: fence posts",
    ),
    (
        "by ratio: nothing is said of selectors where no pod is to go",
        |it| {
            let strategy = Strategy::builder().stable_service(true).step(Step::Pause(None)).build().unwrap();
            *it = Situation::of(strategy);
            *it.revisions() = vec![of("v1", 4), of("v2", 0)];
            it.seen().behind.canary.clear();
            it.seen().selectors_settled = not_yet(999);
        },
        "paused until somebody promotes; waits: pause",
    ),
    (
        "by ratio: pods that may not go yet",
        |it| {
            *it = by_ratio(2, 0);
            it.canary_ready(2, 0);
        },
        "nothing; waits: pods, fence posts",
    ),
    (
        "by ratio: pods that may not come yet",
        |it| {
            *it = by_ratio(0, 2);
            it.canary_ready(0, 0);
        },
        "v1: 2 pods; waits: pods, fence posts",
    ),
    (
        "by ratio: a deadline without pods stays",
        |it| {
            *it = by_ratio(2, 2);
            it.spec.strategy = Strategy::builder().step(Step::Pause(None)).build().unwrap();
            it.status.step_hash = Some(it.spec.strategy.step_hash().into());
            it.revisions()[1] = of("v2", 0).scale_down_deadline(Some(Time::from_secs(1030)));
        },
        "paused until somebody promotes; waits: pause",
    ),
    (
        "by ratio: a stable that exists is not looked at as one that is gone",
        |it| {
            *it = by_ratio(2, 2);
            it.stable_ready(0);
        },
        "v2: 2 pods, v1: 2 pods; waits: fence posts",
    ),
    (
        "an aborted canary gets no pods back, also where it keeps those it has",
        |it| {
            let strategy = Strategy::builder().traffic_routing(true).abort_scale_down_delay(None);
            *it = Situation::of(strategy.step(scale(3)).build().unwrap());
            it.abort();
            it.weight(0);
            it.seen().behind.canary = to("v1");
            it.canary_ready(1, 1);
        },
        "v2: 1 pods, marked for scale-down at 1970-01-01T00:17:10Z; waits: aborted",
    ),
    (
        "the canary keeps what could carry everything while stable has no pod",
        |it| it.stable_ready(0),
        "step 1/2 completed (setWeight: 50), paused until somebody promotes; waits: pause, stable unavailable",
    ),
    (
        "one pod stays for a managed route that is to be written",
        |it| {
            *it = at([scale(0), header("testers")]);
            it.status.step = 1;
            it.weight(0);
            it.canary_ready(1, 0);
        },
        "nothing; waits: pods",
    ),
    (
        "one pod stays for a managed route that is to go",
        |it| {
            *it = at([scale(0), Step::Pause(None)]);
            it.weight(0);
            it.managed(&["testers"]);
            it.stable_ready(0);
            it.canary_ready(1, 1);
        },
        "nothing; waits: stable can carry",
    ),
    (
        "a revision in use that has no pods keeps its deadline",
        |it| {
            it.canary_ready(2, 2);
            it.revisions().push(of("v0", 0).scale_down_deadline(Some(Time::from_secs(1010))));
            it.seen().behind.stable.push(Selection::Revision("v0".into()));
        },
        "selected stable → v1, step 1/2 completed (setWeight: 50), paused until somebody promotes; waits: \
         pause",
    ),
    (
        "with a route, only what has pods and no deadline gets one",
        |it| {
            it.weight(5);
            let scaling_down = of("v9", 4).scale_down_deadline(Some(Time::from_secs(1010)));
            it.revisions().extend([of("v0", 0), scaling_down, of("v8", 4)]);
        },
        "routed canary 50, stable 50, v8: 4 pods, marked for scale-down at 1970-01-01T00:17:10Z; waits: \
         carrying out",
    ),
    (
        "only old revisions without any pod are deleted",
        |it| {
            it.status.stable = Some("v2".into());
            it.spec.paused = true;
            it.spec.target = "v3".into();
            it.spec.revision_history_limit = 0;
            it.weight(0);
            it.seen().behind.stable = to("v2");
            *it.revisions() = ["v0", "v3", "v4"].map(|name| of(name, 0)).into();
            let scale_down_deadline = Some(Time::from_secs(9000));
            it.revisions().extend([
                of("v2", 4),
                of("v5", 1).scale_down_deadline(scale_down_deadline),
                of("v6", 0).ready(Range::exact(1)),
            ]);
        },
        "deleted old revision v0, deleted old revision v4; waits: paused by the user, scale-down delay",
    ),
    (
        "nothing is deleted while something else is done",
        |it| {
            it.status.stable = Some("v2".into());
            it.spec.revision_history_limit = 0;
            it.weight(0);
            it.seen().behind.stable = to("v2");
            *it.revisions() = vec![of("v0", 0), of("v1", 0), of("v2", 3)];
        },
        "v2: 4 pods; waits: carrying out",
    ),
    (
        "nothing is deleted while an update is under way",
        |it| {
            it.spec.revision_history_limit = 0;
            it.canary_ready(2, 2);
            it.revisions().push(of("v0", 0));
        },
        "step 1/2 completed (setWeight: 50), paused until somebody promotes; waits: pause",
    ),
    (
        "a canary with more pods than its position wants loses them",
        |it| {
            it.weight(50);
        },
        "v2: 2 pods, step 1/2 completed (setWeight: 50), paused until somebody promotes; waits: pause",
    ),
    (
        "by ratio: past the steps, all pods of the canary are needed",
        |it| {
            *it = by_ratio(4, 0);
            it.status.step = 1;
            it.canary_ready(4, 2);
        },
        "v1: 2 pods; waits: pods, fence posts",
    ),
    (
        "by ratio: a step ends when stable has no more pods than it should",
        |it| {
            *it = by_ratio(2, 2);
            it.canary_ready(2, 2);
        },
        "v1: 2 pods; waits: fence posts",
    ),
    (
        "a revision in use loses its deadline",
        |it| {
            it.canary_ready(2, 2);
            it.revisions().push(of("v0", 4).scale_down_deadline(Some(Time::from_secs(1010))));
            it.seen().behind.stable.push(Selection::Revision("v0".into()));
        },
        "v0: 4 pods, selected stable → v1, step 1/2 completed (setWeight: 50), paused until somebody \
         promotes; waits: pause",
    ),
    (
        "a canary in use loses its deadline once",
        |it| {
            it.revisions()[1] = of("v2", 2).scale_down_deadline(Some(Time::from_secs(1010)));
        },
        "v2: 2 pods, step 1/2 completed (setWeight: 50), paused until somebody promotes; waits: pause",
    ),
    (
        "late pods of stable do not abort the update",
        |it| {
            *it = at([Step::SetWeight(60)]);
            it.canary_ready(3, 3);
            it.stable_ready(1);
            it.seen().behind.stable = vec![Selection::Unpinned];
            it.spec.progress_deadline_abort = true;
            it.status.progress = Some(Progress::new(Time::from_secs(100), 1));
        },
        "routed canary 60, stable 40, the pods of v1 make no progress; waits: pods",
    ),
    (
        "late pods of a first deploy are told",
        |it| {
            it.status.stable = None;
            it.weight(0);
            *it.revisions() = vec![];
            it.status.progress = Some(Progress::new(Time::from_secs(100), 0));
        },
        "v2: 4 pods, the pods of v2 make no progress; waits: pods",
    ),
    (
        "late pods of the canary abort the update, which then waits for nothing else",
        |it| {
            it.canary_ready(2, 1);
            it.spec.progress_deadline_abort = true;
            it.status.progress = Some(Progress::new(Time::from_secs(100), 1));
        },
        "routed canary 0, stable 100, the pods of v2 make no progress, aborted v2: its pods made no \
         progress; waits: aborted",
    ),
    (
        "one pod stays for a weight that is to be written",
        |it| {
            *it = at([scale(0), Step::SetWeight(20)]);
            it.status.step = 1;
            it.weight(0);
            it.canary_ready(1, 0);
        },
        "nothing; waits: pods",
    ),
    (
        "by ratio: a stable that exists and is unavailable keeps its share",
        |it| {
            *it = by_ratio(2, 2);
            it.stable_unavailable();
            it.canary_ready(2, 2);
        },
        "v1: 2 pods; waits: fence posts",
    ),
];
