//! What somebody may write who may write in one namespace only.

use super::web::{apply, half, plain, set_image, until, until_done, whole};
use crate::bed::{Bed, now, secs};
use serde_json::json;

/// Names go into the paths of requests: these would ask for something else.
const NAMES: [&str; 5] =
    ["ow?dryRun=All&a=", "ow/status", "ow/proxy/secret?x=1", "ow?watch=true", "../../default/services/web"];

#[test]
fn a_name_that_is_no_name_is_refused_and_never_asked_for() {
    let space = Bed::shared().namespace("names");
    let mut objects = vec![super::web::service("ow", "web")];
    for (at, name) in NAMES.iter().enumerate() {
        objects.push(plain(
            &format!("service-{at}"),
            1,
            &json!({"stableService": name, "canaryService": "ow", "steps": half()}),
        ));
        objects.push(plain(
            &format!("route-{at}"),
            1,
            &json!({"steps": half(), "trafficRouting": {"istio": {
                "virtualService": {"name": name},
                "destinationRule": {"name": name, "canarySubsetName": "canary", "stableSubsetName": "stable"}
            }}}),
        ));
    }
    apply(&space, &objects);
    let begin = now();
    let _controller = space.controller().start();
    for at in 0..NAMES.len() {
        for name in [format!("service-{at}"), format!("route-{at}")] {
            until(&space, &name, "refused", 30, |rollout| rollout.condition("InvalidSpec").is_some());
        }
    }
    space.within(secs(10), |_| false);
    let requests = space.requests().between(begin, now());
    let odd = requests.0.iter().filter(|request| request.counts()).filter(|request| {
        let is_odd = request.resource.contains('/') && request.resource != "rollouts/status";
        is_odd || request.name.contains(['?', '/', '.'])
    });
    let odd: Vec<_> = odd.collect();
    assert!(odd.is_empty(), "{odd:?}");
    // Ten Rollouts that are refused, each told once or a few times.
    assert!(requests.count() <= 150, "{requests}");
}

#[test]
fn a_virtual_service_of_another_namespace_is_not_moved_without_its_consent() {
    let bed = Bed::shared();
    let (theirs, ours) = (bed.namespace("theirs"), bed.namespace("ours"));
    apply(&theirs, &whole("web", &half()));
    let _their_controller = theirs.controller().start();
    until_done(&theirs, "web", 60);
    let before = theirs.seen(|seen| seen.object("VirtualService", "web").unwrap().clone());
    let host = format!("web.{}", theirs.name);
    let mut objects = whole("web", &half());
    objects[0]["spec"]["strategy"]["canary"]["trafficRouting"]["istio"]["virtualService"]["name"] =
        json!(host);
    apply(&ours, &objects);
    let _controller = ours.controller().start();
    until(&ours, "web", "refused", 60, |rollout| rollout.condition("InvalidSpec").is_some());
    set_image(&ours, "web", "v2");
    ours.within(secs(10), |_| false);
    let after = theirs.seen(|seen| seen.object("VirtualService", "web").unwrap().clone());
    assert_eq!(before, after);
}

#[test]
fn a_revision_at_the_edge_of_its_numbers_makes_no_loop() {
    let space = Bed::shared().namespace("edge");
    apply(&space, &[plain("web", 1, &json!({"steps": half()}))]);
    let _controller = space.controller().start();
    until_done(&space, "web", 60);
    for (at, number) in ["18446744073709551615", "9223372036854775807", "-1"].iter().enumerate() {
        let begin = now();
        let note = format!("rollout.argoproj.io/revision={number}");
        space.kubectl(&["annotate", "replicaset", "--all", "--overwrite", &note]).ok();
        // The next one's number is one more.
        set_image(&space, "web", &format!("v{}", at + 2));
        until(&space, "web", "paused at half", 60, |rollout| rollout.is_paused_at(1));
        space.within(secs(8), |_| false);
        let requests = space.requests().between(begin, now());
        assert!(requests.count() <= 30, "{number}: {requests}");
    }
    let history = space.seen(|seen| {
        seen.objects("ReplicaSet").map(|set| set["metadata"]["annotations"].to_string().len()).max()
    });
    assert!(history.unwrap_or(0) < 2_000, "{history:?}");
}
