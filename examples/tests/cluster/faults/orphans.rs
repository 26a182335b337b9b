//! ReplicaSets without a Rollout, and a Rollout without its routes.

use super::web::{apply, at_half, half, load, set_image, until_done, whole};
use crate::bed::{Bed, secs};
use serde_json::json;

#[test]
fn a_rollout_that_comes_back_beside_its_orphans_takes_them() {
    let bed = Bed::shared();
    let space = bed.namespace("orphans");
    apply(&space, &whole("web", &half()));
    let _controller = space.controller().start();
    until_done(&space, "web", 60);
    let load = load(&bed, &space, &["web"]);
    space.kubectl(&["delete", "rollout", "web", "--cascade=orphan"]).ok();
    space.until("it is gone", secs(20), |seen| seen.rollout("web").is_none());
    apply(&space, &whole("web", &half()));
    until_done(&space, "web", 60);
    space.seen(|seen| {
        assert_eq!(seen.objects("ReplicaSet").count(), 1, "{}", seen.report());
        assert_eq!(seen.objects("Pod").count(), 3, "{}", seen.report());
    });
    set_image(&space, "web", "v2");
    super::web::until(&space, "web", "paused at half", 60, |rollout| rollout.is_paused_at(1));
    load.stop().assert_none_failed();
}

/// The labels of ours must not stay in a rule that is nobody's any more: they would come to select nobody.
#[test]
fn a_rule_that_is_no_longer_named_has_its_own_selectors_again() {
    let bed = Bed::shared();
    let space = bed.namespace("unnamed");
    let mut objects = whole("web", &half());
    // Without traffic routing, pods end as those of a Deployment do: nobody waits until every proxy knows.
    objects[0]["spec"]["template"]["spec"]["containers"][0]["lifecycle"] =
        json!({"preStop": {"exec": {"command": ["sleep", "5"]}}});
    apply(&space, &objects);
    let _controller = space.controller().start();
    at_half(&space, "web");
    space.plugin(&["promote", "web"]).ok();
    until_done(&space, "web", 60);
    let load = load(&bed, &space, &["web"]);
    let unrouted = json!({"spec": {"strategy": {"canary": {
        "trafficRouting": null, "steps": null, "scaleDownDelaySeconds": null, "abortScaleDownDelaySeconds": null
    }}}});
    space.patch("rollout/web", "", &unrouted).ok();
    set_image(&space, "web", "v3");
    until_done(&space, "web", 60);
    space.until("the old pods are gone", secs(60), |seen| seen.objects("Pod").count() == 3);
    space.until("no hash is left in the subsets", secs(30), |seen| {
        let rule = seen.object("DestinationRule", "web").unwrap();
        !rule["spec"].to_string().contains("rollouts-pod-template-hash")
    });
    let answers = load.stop();
    println!("{answers}");
    answers.assert_none_failed();
}
