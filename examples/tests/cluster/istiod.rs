//! What is made of an istiod that cannot be asked, does not answer, or is behind.

use crate::{
    bed::{Bed, Canary, Controller, Load, Namespace, Target, secs},
    story::{PROVIDER, Story},
};
use std::{fs, net::TcpListener, time::Duration};

/// How the controller says in its log that istiod cannot be asked.
const CANNOT: &str = "the control plane of the proxies cannot be asked";

/// A controller that cannot ask says so once, with what to open, and goes on by time.
fn goes_by_time(space: &Namespace, controller: &Controller<'_>, words: &[&str]) {
    let line = controller.until_logged(&[&[CANNOT], words].concat(), secs(30));
    println!("{line}");
    space.until("the first deploy goes on by time", secs(90), |seen| {
        seen.rollout(PROVIDER).is_some_and(|rollout| rollout.is_healthy())
    });
    let log = controller.log();
    let said = log.lines().filter(|line| line.contains(CANNOT)).count();
    assert_eq!(said, 1, "{log}");
}

#[test]
fn an_istiod_that_wants_a_token_is_named_with_what_to_open() {
    let bed = Bed::shared();
    let space = bed.namespace("unauthorized");
    space.apply(&Canary::Weight.provider("3s"));
    let controller = space.controller().istiod(bed.address("istiod_elsewhere")).start();
    goes_by_time(&space, &controller, &["401", "token"]);
}

/// A file with a token of this namespace, as a projected volume would have it.
fn token(space: &Namespace, namespace: &str) -> String {
    let words = ["create", "token", "default", "--audience", "istio-ca", "--namespace", namespace];
    let token = space.kubectl(&words).ok().out;
    let file = space.bed.file(&format!("token-{namespace}"));
    fs::write(&file, token.trim()).unwrap();
    file.display().to_string()
}

#[test]
fn a_token_of_a_namespace_that_may_not_ask_is_told_from_one_that_may() {
    let bed = Bed::shared();
    let space = bed.namespace("forbidden");
    space.apply(&Canary::Weight.provider("3s"));
    space.until("its account is there", secs(10), |_| {
        space.kubectl(&["get", "serviceaccount", "default"]).code == 0
    });
    let elsewhere = bed.address("istiod_elsewhere");
    let file = token(&space, &space.name);
    let controller = space
        .controller()
        .istiod(elsewhere)
        .flags(&["--istiod-token-file", &file, "--istiod-token-in-the-clear"])
        .start();
    goes_by_time(&space, &controller, &["403", "namespace"]);
    drop(controller);

    let space = bed.namespace("allowed");
    space.apply(&Canary::Weight.provider("3s"));
    let file = token(&space, "istio-system");
    let controller = space
        .controller()
        .istiod(elsewhere)
        .flags(&["--istiod-token-file", &file, "--istiod-token-in-the-clear"])
        .start();
    space.until("the first deploy", secs(60), |seen| {
        seen.rollout(PROVIDER).is_some_and(|rollout| rollout.is_healthy())
    });
    assert!(!controller.log().contains("cannot be asked"), "{}", controller.log());
}

#[test]
fn an_istiod_without_debug_paths_or_behind_a_closed_port_is_named_with_what_to_open() {
    let bed = Bed::shared();
    // An Envoy's own port answers other paths than istiod's.
    let space = bed.namespace("missing");
    space.apply(&Canary::Weight.provider("3s"));
    let no_istiod = bed.envoy("sidecar-1");
    let missing = space.controller().istiod(Some(&no_istiod)).start();
    let there = bed.namespace("closed");
    there.apply(&Canary::Weight.provider("3s"));
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let closed = there.controller().istiod(Some(&format!("http://{port}"))).start();
    goes_by_time(&space, &missing, &["404", "ENABLE_DEBUG_ON_HTTP"]);
    goes_by_time(&there, &closed, &["15014"]);
}

/// One cluster for both: the two ways in which Envoys can be behind.
#[test]
fn while_istiod_is_silent_or_endpoints_are_late_no_weight_rises_and_afterwards_it_does() {
    let bed = Bed::own("behind", &["--mesh", "--delay-endpoints"]);
    let space = bed.namespace("behind");
    space.apply(&Canary::Weight.provider("1h"));
    let story = Story::begin(&space, PROVIDER);
    let targets = &Target::all(&space)[..2];
    for target in targets {
        space.until_answered(target, secs(20));
    }
    let load = Load::start(&bed, 50, secs(240), targets);

    // Endpoints are late, routes are not: pods are ready, and no request is sent to them.
    bed.delay_endpoints(secs(600));
    story.set_image("v0.3");
    space.until("the new pods are ready", secs(30), |seen| {
        let ready = |set: &&serde_json::Value| set["status"]["readyReplicas"] == 1;
        seen.objects("ReplicaSet").filter(ready).count() == 2
    });
    // Where they were late before all proxies had the selectors, these are named first.
    let log = &["waiting until every proxy has the ", "behind: ", "sidecar-"];
    println!("{}", story.controller.until_logged(log, secs(30)));
    assert!(!space.within(secs(8), |seen| seen.weights("provider") != Some((100, 0))), "{}", space.report());
    bed.delay_endpoints(Duration::ZERO);
    story.until("paused at 5 %", |rollout| rollout.is_paused_at(1));

    // istiod says nothing any more: the route is written, and the step is not over.
    let frozen = bed.freeze("istiod");
    space.plugin(&["promote", PROVIDER]).ok();
    story.controller.until_logged(&["waiting", "does not answer"], secs(40));
    let goes_on = |seen: &crate::bed::Seen| seen.rollout(PROVIDER).unwrap().is_paused_at(3);
    assert!(!space.within(secs(8), goes_on), "{}", space.report());
    assert!(!story.controller.log().contains(CANNOT), "silence is no missing istiod");
    drop(frozen);
    story.until("paused at 50 %", |rollout| rollout.is_paused_at(3));
    space.plugin(&["promote", PROVIDER]).ok();
    story.until("finished", |rollout| rollout.is_healthy());
    let answers = load.stop();
    println!("{answers}");
    answers.assert_none_failed();
}
