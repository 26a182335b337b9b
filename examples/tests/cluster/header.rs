//! The header canary of the guide: two Services, a route of the engine's own for requests with a header.

use crate::{
    bed::{Bed, Canary, Load, Namespace, Seen, Target, secs},
    story::{CONSUMER, PROVIDER, Story},
};
use rollout_core::argo::HEADER_CONDITIONS_ANNOTATION;
use serde_json::{Value, json};

/// The names of the VirtualService's routes, in order; `-` for one without.
fn routes(seen: &Seen) -> Vec<String> {
    let routes = seen.object("VirtualService", "provider").unwrap()["spec"]["http"].clone();
    let name = |route: &Value| route["name"].as_str().unwrap_or("-").to_owned();
    routes.as_array().unwrap().iter().map(name).collect()
}

/// Where a Service leads.
fn behind(seen: &Seen, service: &str) -> String {
    let selector = &seen.object("Service", service).unwrap()["spec"]["selector"];
    selector["rollouts-pod-template-hash"].as_str().unwrap_or_default().to_owned()
}

/// Requests with a lane, and such without, through one sidecar.
fn lanes(space: &Namespace) -> [Target; 3] {
    let target = Target::service("sidecar-1", space, PROVIDER, 20880);
    [target.clone(), target.header("lane", "test-v1"), target.header("lane", "test-v2")]
}

#[test]
fn requests_with_the_header_meet_the_new_version_and_no_others_until_it_is_promoted() {
    let bed = Bed::shared();
    let space = bed.namespace("header");
    space.apply(&Canary::Header.folder(&space, "3s"));
    let story = Story::begin(&space, PROVIDER);
    story.other_is(CONSUMER, |rollout| rollout.is_healthy());
    let old = story.now(|rollout| rollout.stable().to_owned());
    for target in lanes(&space) {
        space.until_answered(&target, secs(20));
    }
    space.seen(|seen| assert_eq!(routes(seen), ["test-v1", "-"]));

    let through_it_all = Load::start(&bed, 50, secs(180), &lanes(&space));
    story.set_image("v0.3");
    story.until("paused with its header route", |rollout| rollout.is_paused_at(2));
    let new = story.now(|rollout| rollout.newest().to_owned());
    space.seen(|seen| {
        assert_eq!(routes(seen), ["test-v2", "test-v1", "-"], "the route with the header is the first");
        assert_eq!(
            (behind(seen, PROVIDER), behind(seen, "dubbo3-provider-canary")),
            (old.clone(), new.clone())
        );
    });
    story.shows("॥ Paused", "CanaryPauseStep", "2/3", "0", "0");
    let answers = Load::start(&bed, 50, secs(4), &lanes(&space)).finish();
    println!("{answers}");
    answers.assert_none_failed();
    for (lane, expected) in [&old, &old, &new].into_iter().enumerate() {
        let by = answers.by_revision(lane);
        assert!(by.len() == 1 && by.contains_key(expected), "lane {lane}: {by:?}, not {expected} alone");
    }

    space.plugin(&["promote", PROVIDER]).ok();
    story.until("finished", |rollout| rollout.is_healthy() && rollout.stable() == new);
    space.until("the route with the header is gone", secs(40), |seen| routes(seen) == ["test-v1", "-"]);
    space.until("both Services lead to the new version", secs(40), |seen| {
        behind(seen, PROVIDER) == new && behind(seen, "dubbo3-provider-canary") == new
    });
    story.shows("✔ Healthy", "", "3/3", "100", "100");
    let answers = through_it_all.stop();
    println!("{answers}");
    answers.assert_none_failed();
    let answers = Load::start(&bed, 50, secs(2), &lanes(&space)).finish();
    for lane in 0..3 {
        assert_eq!(answers.by_revision(lane).keys().collect::<Vec<_>>(), [&new], "{answers}");
    }
}

#[test]
fn an_aborted_header_canary_leaves_no_route_behind() {
    let bed = Bed::shared();
    let space = bed.namespace("header-abort");
    space.apply(&Canary::Header.provider("3s"));
    let story = Story::begin(&space, PROVIDER);
    let old = story.now(|rollout| rollout.stable().to_owned());
    for target in lanes(&space) {
        space.until_answered(&target, secs(20));
    }
    let load = Load::start(&bed, 50, secs(180), &lanes(&space));
    story.set_image("v0.3");
    story.until("paused with its header route", |rollout| rollout.is_paused_at(2));
    space.plugin(&["abort", PROVIDER]).ok();
    story.until("aborted", |rollout| rollout.phase() == "Degraded");
    space.until("the route with the header is gone", secs(40), |seen| routes(seen) == ["test-v1", "-"]);
    space.until("the canary's Service leads to the old version", secs(60), |seen| {
        behind(seen, "dubbo3-provider-canary") == old
    });
    let answers = load.stop();
    println!("{answers}");
    answers.assert_none_failed();
}

/// With further conditions, the header alone is not enough: the path, a query parameter and a cookie count as well.
#[test]
fn only_requests_that_meet_every_condition_of_a_header_route_meet_the_new_version() {
    let bed = Bed::shared();
    let space = bed.namespace("header-conditions");
    space.apply(&Canary::Header.provider("3s"));
    let conditions = json!({"test-v2": {
        "path": {"prefix": "/api"}, "query": {"beta": {"exact": "1"}}, "cookie": {"team": {"exact": "a.b"}},
    }});
    let annotation = json!({HEADER_CONDITIONS_ANNOTATION: conditions.to_string()});
    space.patch("rollout/dubbo3-provider", "", &json!({"metadata": {"annotations": annotation}})).ok();
    let story = Story::begin(&space, PROVIDER);
    let old = story.now(|rollout| rollout.stable().to_owned());
    let target = Target::service("sidecar-1", &space, PROVIDER, 20880);
    space.until_answered(&target, secs(20));
    story.set_image("v0.3");
    story.until("paused with its header route", |rollout| rollout.is_paused_at(2));
    let new = story.now(|rollout| rollout.newest().to_owned());
    let all = |path: &str, cookie: &str| target.path(path).header("lane", "test-v2").header("cookie", cookie);
    let cases = [
        (all("api/x?beta=1", "team=a.b"), &new),
        (all("api?a=b&beta=1", "one=1; team=a.b; two=2"), &new),
        (target.path("api?beta=1").header("cookie", "team=a.b"), &old),
        (all("other?beta=1", "team=a.b"), &old),
        (all("api?beta=2", "team=a.b"), &old),
        (all("api", "team=a.b"), &old),
        (all("api?beta=1", "team=axb"), &old),
        (all("api?beta=1", "team=a.bc"), &old),
        (all("api?beta=1", "myteam=a.b"), &old),
    ];
    let targets: Vec<Target> = cases.iter().map(|(target, _)| target.clone()).collect();
    let answers = Load::start(&bed, 20, secs(3), &targets).finish();
    println!("{answers}");
    answers.assert_none_failed();
    for (index, (target, expected)) in cases.iter().enumerate() {
        let by = answers.by_revision(index);
        assert!(by.len() == 1 && by.contains_key(*expected), "{target:?}: {by:?}, not {expected} alone");
    }
    space.plugin(&["promote", PROVIDER]).ok();
    story.until("finished", |rollout| rollout.is_healthy() && rollout.stable() == new);
    space.until("the route is gone", secs(40), |seen| routes(seen) == ["test-v1", "-"]);
}

/// The guide's consumer: a scale that stays, pauses with and without a time, and weights between two Services.
#[test]
fn the_consumer_of_the_header_canary_goes_through_its_eight_steps() {
    let bed = Bed::shared();
    let space = bed.namespace("consumer");
    space.apply(&Canary::Header.folder(&space, "3s"));
    let story = Story::begin(&space, CONSUMER);
    let gateway = Target::all(&space)[2].clone();
    space.until_answered(&gateway, secs(20));
    let load = Load::start(&bed, 50, secs(180), &[gateway]);
    let label = json!({"spec": {"template": {"metadata": {"labels": {"version": "v2"}}}}});
    space.patch("rollout/dubbo3-consumer", "", &label).ok();
    story.until("paused before any weight", |rollout| rollout.is_paused_at(1));
    story.shows("॥ Paused", "CanaryPauseStep", "1/8", "0", "0");
    space.plugin(&["promote", CONSUMER]).ok();
    story.until("paused at 20 %", |rollout| rollout.is_paused_at(3) && rollout.weight() == Some(20));
    story.until("paused at 50 %", |rollout| rollout.is_paused_at(5) && rollout.weight() == Some(50));
    story.until("paused at 100 %", |rollout| rollout.is_paused_at(7));
    story.shows("॥ Paused", "CanaryPauseStep", "7/8", "100", "100");
    space.plugin(&["promote", CONSUMER]).ok();
    story.until("finished", |rollout| rollout.is_healthy() && rollout.newest() == rollout.stable());
    let answers = load.stop();
    println!("{answers}");
    answers.assert_none_failed();
}
