//! The canary compared with stable, by counters of the real Envoys that a real Prometheus scrapes.

use super::{WEB, analysing, runs, set_image_with, split, template};
use crate::{
    bed::{Bed, Controller, Namespace, Prometheus, Seen, secs},
    faults::web::{load, set_image, until, until_done, whole},
};
use serde_json::{Value, json};
use std::time::Instant;

/// Raw counters: the differences are taken by the controller.
fn compare(space: &Namespace, prometheus: &Prometheus) -> Value {
    let metric = format!("envoy_cluster_{}_svc_cluster_local__upstream_rq_xx", space.name.replace('-', "_"));
    let side = |subset: &str| {
        let cluster = format!("envoy_cluster_name=\"outbound|8000|{subset}|{WEB}\"");
        json!({
            "requests": format!("{metric}{{{cluster}}}"),
            "bad": format!("{metric}{{{cluster},envoy_response_code_class=\"5\"}}")
        })
    };
    let settings = json!({
        "prometheus": {"address": prometheus.address()}, "canary": side("canary"), "stable": side("stable")
    });
    json!({
        "name": "no-worse", "interval": "2s", "consecutiveErrorLimit": 50,
        "provider": {"plugin": {"rollout-core/compare": settings}}
    })
}

/// A Rollout at its first version: a fifth of the requests, half of them; and the comparison beside all steps.
fn released<'n>(space: &'n Namespace, prometheus: &Prometheus) -> Controller<'n> {
    let steps = json!([
        {"setWeight": 20}, {"pause": {"duration": "20s"}}, {"setWeight": 50}, {"pause": {"duration": "10s"}}
    ]);
    let mut objects = whole(WEB, &steps);
    objects[0]["spec"]["strategy"]["canary"]["analysis"] =
        json!({"templates": [{"templateName": "no-worse"}]});
    objects.push(template("no-worse", &[], &compare(space, prometheus)));
    let controller = analysing(space, &objects);
    until_done(space, WEB, 60);
    controller
}

/// How many requests the newest measurement of the newest run counted: of the canary, and bad ones of it.
fn counted(seen: &Seen) -> Option<(u64, u64)> {
    let metric = seen.run("Background")?.metric("no-worse")?;
    let values = metric["measurements"].as_array()?.iter().rev();
    let value = values.filter_map(|one| one["value"].as_str()).find(|value| !value.is_empty())?;
    let mut words = value.split_once("canary ")?.1.split(' ');
    let bad = words.next()?.parse().ok()?;
    Some((words.nth(1)?.parse().ok()?, bad))
}

#[test]
fn a_bad_image_is_found_by_comparing_it_with_stable_and_a_good_one_passes() {
    let bed = Bed::shared();
    let space = bed.namespace("compared");
    let prometheus = Prometheus::start(&bed, "compared");
    let _controller = released(&space, &prometheus);
    let load = load(&bed, &space, &[WEB]);
    let began = Instant::now();
    set_image_with(&space, "v2", "40");
    until(&space, WEB, "stopped by itself", 60, |rollout| rollout.is_aborted());
    space.until("no request meets the canary", secs(20), |seen| split(seen) == Some((100, 0)));
    let took = began.elapsed();
    let answers = load.stop();
    println!("stopped after {:.1} s: {} bad of {}", took.as_secs_f32(), answers.failed(), answers.requests());
    let message = space.seen(|seen| seen.rollout(WEB).unwrap().message().to_owned());
    assert!(
        message.contains("Metric \"no-worse\" assessed Failed due to failed (1) > failureLimit (0)"),
        "{message}"
    );
    let (all, bad) = space.seen(counted).unwrap();
    assert!(bad > all / 4 && bad < all / 2, "{bad} of {all}: two of five");
    assert!(answers.failed() > 0 && answers.failed() < 300, "{answers}");

    let load = self::load(&bed, &space, &[WEB]);
    set_image_with(&space, "v3", "0");
    until_done(&space, WEB, 90);
    load.stop().assert_none_failed();
    let phases = |phase: &str| runs(&space).iter().filter(|(_, other)| other == phase).count();
    assert_eq!((phases("Failed"), phases("Successful")), (1, 1), "{:?}", runs(&space));
    let (all, bad) = space.seen(counted).unwrap();
    assert!(all > 300 && bad == 0, "{bad} of {all}");
}

#[test]
fn while_prometheus_is_stopped_the_weight_holds_and_no_request_goes_uncounted() {
    let bed = Bed::shared();
    let space = bed.namespace("uncounted");
    let mut prometheus = Prometheus::start(&bed, "uncounted");
    let _controller = released(&space, &prometheus);
    let load = load(&bed, &space, &[WEB]);
    set_image(&space, WEB, "v2");
    space.until("there is evidence", secs(60), |seen| counted(seen).is_some_and(|(all, _)| all > 0));
    prometheus.stop();
    until(&space, WEB, "held", 60, |rollout| {
        rollout.condition("Waiting").is_some_and(|(_, reason, _)| reason == "AnalysisUnanswered")
    });
    let (before, _) = space.seen(counted).unwrap();
    // Longer than the pause takes.
    assert!(!space.within(secs(25), |seen| split(seen) != Some((80, 20))), "{}", space.report());
    prometheus.resume();
    // The next window begins where the last one ended: 16 requests a second for 25 seconds.
    let after =
        space.until_some("it counts on", secs(30), |seen| counted(seen).filter(|(all, _)| *all > before));
    assert!(after.0 >= before + 300, "{before} before, {} after", after.0);
    until_done(&space, WEB, 90);
    load.stop().assert_none_failed();
    assert!(runs(&space).iter().any(|(_, phase)| phase == "Successful"), "{:?}", runs(&space));
}
