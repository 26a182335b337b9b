//! An Envoy that lives, has requests, and hears nothing from istiod any more.

use super::web::{apply, at_half, half, load, until_done, whole};
use crate::bed::{Bed, secs};

/// Longer than any patience with an Envoy that reconnects; old pods go 1 s after all is settled.
const CUT: u64 = 45;

#[test]
fn an_envoy_that_lost_its_istiod_is_waited_for_as_long_as_its_pod_is_there() {
    let bed = Bed::own("cut", &["--mesh"]);
    let space = bed.namespace("cut");
    apply(&space, &whole("web", &half()));
    let controller = space.controller().start();
    at_half(&space, "web");
    let load = load(&bed, &space, &["web"]);
    let cut = bed.cut_off("sidecar-1");
    space.plugin(&["promote", "web"]).ok();
    let is_over = |seen: &crate::bed::Seen| seen.rollout("web").is_some_and(|rollout| rollout.is_healthy());
    assert!(!space.within(secs(CUT), is_over), "the Envoy was given up\n{}", space.report());
    controller.until_logged(&["sidecar-1"], secs(10));
    drop(cut);
    until_done(&space, "web", 90);
    space.until("the old pods are gone", secs(60), |seen| seen.objects("Pod").count() == 3);
    let answers = load.stop();
    println!("{answers}");
    answers.assert_none_failed();
}

/// One that is gone for good is not.
#[test]
fn an_envoy_whose_pod_is_gone_is_not_waited_for() {
    let bed = Bed::own("gone", &["--mesh"]);
    let space = bed.namespace("gone");
    apply(&space, &whole("web", &half()));
    let _controller = space.controller().start();
    at_half(&space, "web");
    bed.kill("sidecar-2");
    space.plugin(&["promote", "web"]).ok();
    space.kubectl(&["--namespace", "default", "delete", "pod", "sidecar-2"]).ok();
    // Without a look at its pod it would be waited for as long as this.
    until_done(&space, "web", 50);
}
