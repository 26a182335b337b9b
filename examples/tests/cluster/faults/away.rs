//! istiod ends in the middle of releases, and comes back long before the Envoys try again: they wait up to 30 s.

use super::web::{apply, at_half, half, load, set_image, until, until_done, weights, whole};
use crate::bed::{Bed, Seen, secs};

/// Longer than what is forgotten of an Envoy that reconnects.
const AWAY: u64 = 15;
/// istiod is back, and knows no Envoy.
const ALONE: u64 = 20;

const ALL: [&str; 3] = ["promoted", "aborted", "replaced"];

/// How many pods of a Rollout there are.
fn pods(seen: &Seen, name: &str) -> usize {
    seen.objects("Pod").filter(|pod| pod["metadata"]["labels"]["app"] == name).count()
}

#[test]
fn after_an_outage_of_istiod_nothing_is_settled_before_the_envoys_are_back() {
    let bed = Bed::own("away", &["--mesh"]);
    let space = bed.namespace("away");
    for name in ALL {
        apply(&space, &whole(name, &half()));
    }
    let _controller = space.controller().start();
    for name in ALL {
        at_half(&space, name);
    }
    let load = load(&bed, &space, &ALL);
    bed.kill("istiod");
    space.plugin(&["promote", "promoted"]).ok();
    space.plugin(&["abort", "aborted"]).ok();
    set_image(&space, "replaced", "v3");
    // This is how long it is away, and then alone: there is nothing to wait for.
    space.within(secs(AWAY), |_| false);
    let cuts = ["sidecar-1", "sidecar-2", "gateway"].map(|proxy| bed.cut_off(proxy));
    bed.start_istiod();
    let is_over = |seen: &Seen| {
        // Three of the old revision, and half as many of the new.
        let is_short = |name: &&str| pods(seen, name) < 5;
        seen.rollout("promoted").is_some_and(|rollout| rollout.is_healthy()) || ALL.iter().any(is_short)
    };
    let too_early = space.within(secs(ALONE), is_over);
    drop(cuts);
    until_done(&space, "promoted", 120);
    until(&space, "aborted", "aborted", 120, |rollout| rollout.phase() == "Degraded");
    until(&space, "replaced", "paused at half again", 120, |rollout| rollout.is_paused_at(1));
    space.until("the old pods are gone", secs(120), |seen| {
        pods(seen, "promoted") == 3 && pods(seen, "aborted") == 3
    });
    assert_eq!(weights(&space, "aborted"), Some((100, 0)), "{}", space.report());
    let answers = load.stop();
    println!("{answers}");
    assert!(!too_early, "no Envoy was connected, and something was settled\n{answers}");
    answers.assert_none_failed();
}
