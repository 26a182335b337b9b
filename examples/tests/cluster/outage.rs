//! The API server is silent for a while, or says that somebody was faster.

use crate::{
    bed::{Bed, Canary, secs},
    story::{PROVIDER, Story},
};
use serde_json::{Value, json};

/// On a cluster of its own.
#[test]
fn an_api_server_that_is_silent_in_mid_update_delays_it_and_no_more() {
    let bed = Bed::own("outage", &[]);
    let space = bed.namespace("outage");
    space.apply(&Canary::Weight.provider("3s"));
    let mut story = Story::begin(&space, PROVIDER);
    story.set_image("v0.3");
    story.until("the update has begun", |rollout| rollout.newest() != rollout.stable());
    let frozen = bed.freeze("kube-apiserver");
    // Nothing can be seen meanwhile: this is how long it lasts.
    space.within(secs(15), |_| false);
    drop(frozen);
    story.until("paused at 5 % or further", |rollout| rollout.step() >= Some(1));
    let frozen = bed.freeze("kube-apiserver");
    space.within(secs(5), |_| false);
    story.controller.kill();
    drop(frozen);
    story.controller.start_again();
    story.until("finished", |rollout| rollout.is_healthy() && rollout.newest() == rollout.stable());
    space.until("the old pods are gone", secs(90), |seen| seen.objects("Pod").count() == 1);
}

/// What being in charge rests on: a write that changes nothing still fails when the version is an old one.
#[test]
fn an_unchanged_status_under_an_old_version_is_a_conflict() {
    let space = Bed::shared().namespace("conflict");
    space.apply(&Canary::Weight.provider("3s"));
    space.patch("rollout/dubbo3-provider", "status", &json!({"status": {"currentStepIndex": 1}})).ok();
    // Who wrote it last is part of an object, too.
    let get = || space.kubectl(&["get", "rollout", PROVIDER, "-o", "json"]).ok().out;
    space.kubectl_with(&["replace", "--subresource=status", "-f", "-"], &get()).ok();
    let old = get();
    let again = space.kubectl_with(&["replace", "--subresource=status", "-f", "-"], &old);
    assert_eq!(again.code, 0, "the version is current: {again}");
    let version = |text: &str| -> Value {
        let object: Value = serde_json::from_str(text).unwrap();
        object["metadata"]["resourceVersion"].clone()
    };
    assert_eq!(version(&get()), version(&old), "nothing has changed, so the version has not");
    space.kubectl(&["annotate", "rollout", PROVIDER, "seen=yes"]).ok();
    let late = space.kubectl_with(&["replace", "--subresource=status", "-f", "-"], &old);
    assert!(late.code != 0 && late.err.contains("Conflict"), "{late}");
}
