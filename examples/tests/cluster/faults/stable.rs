//! The stable revision vanishes in the middle of a release.

use super::web::{apply, at_half, half, load, set_image, until, until_done, weights, whole};
use crate::bed::{Bed, Load, Target, secs};
use serde_json::json;

#[test]
fn when_the_stable_replica_set_is_gone_the_canary_gets_everything_and_people_are_told() {
    let bed = Bed::shared();
    let space = bed.namespace("vanished");
    apply(&space, &whole("web", &half()));
    let _controller = space.controller().start();
    at_half(&space, "web");
    let before = load(&bed, &space, &["web"]);
    let stable = space.seen(|seen| seen.rollout("web").unwrap().stable().to_owned());
    space.kubectl(&["delete", "replicaset", &format!("web-{stable}")]).ok();
    space.until("nothing goes to no pods", secs(30), |seen| {
        let route = seen.object("VirtualService", "web");
        route.and_then(|route| crate::bed::weights_of(route, "primary")) == Some((0, 100))
    });
    // Until that is with every proxy, Kubernetes has taken the pods of half of the requests.
    println!("while it was noticed: {}", before.stop());
    space.within(secs(3), |_| false);
    let after = Load::start(&bed, 40, secs(60), &[Target::service("sidecar-1", &space, "web", 8000)]);
    space.until("an event says it", secs(30), |seen| {
        seen.events("web").iter().any(|(_, text)| text.contains(&stable) || text.contains("stable"))
    });
    space.plugin(&["abort", "web"]);
    space.within(secs(10), |_| false);
    let answers = after.stop();
    println!("{answers}");
    answers.assert_none_failed();
    assert_eq!(
        weights(&space, "web"),
        Some((0, 100)),
        "an abort has nothing to go back to\n{}",
        space.report()
    );
}

/// `kubectl argo rollouts restart`, and Argo CD's button, may come at any time.
#[test]
fn a_restart_that_was_asked_for_blocks_no_abort_and_no_promotion() {
    let bed = Bed::shared();
    let space = bed.namespace("restart");
    apply(&space, &whole("web", &half()));
    let _controller = space.controller().start();
    at_half(&space, "web");
    space.plugin(&["restart", "web"]).ok();
    space.plugin(&["abort", "web"]).ok();
    until(&space, "web", "aborted", 30, |rollout| rollout.is_aborted() && rollout.phase() == "Degraded");
    space.until("stable has everything", secs(30), |seen| {
        let route = seen.object("VirtualService", "web");
        route.and_then(|route| crate::bed::weights_of(route, "primary")) == Some((100, 0))
    });
    set_image(&space, "web", "v3");
    until(&space, "web", "paused at half", 60, |rollout| rollout.is_paused_at(1));
    space.plugin(&["promote", "web"]).ok();
    until_done(&space, "web", 60);
}

/// What istiod has no endpoints for cannot be waited for.
#[test]
fn a_first_deploy_whose_service_selects_no_pod_ends_and_asks_for_nothing_meanwhile() {
    let space = Bed::shared().namespace("nobody");
    let mut objects = whole("web", &half());
    objects.retain(|object| object["kind"] != "Service");
    objects.push(super::web::service("web", "somebody-else"));
    apply(&space, &objects);
    let _controller = space.controller().start();
    until_done(&space, "web", 60);
    let health = json!(space.seen(|seen| seen.rollout("web").unwrap().message().to_owned()));
    println!("{health}");
}
