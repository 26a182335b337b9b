//! Releases that judge themselves: by a real Prometheus that scrapes the real Envoys, by real Jobs, and by a real HTTP
//! server.

mod argo;
mod asked;
mod compared;
mod plugin;
mod web;

use crate::{
    bed::{Answering, Bed, Controller, Namespace, Prometheus, Rollout, Seen, secs, weights_of},
    faults::web::{apply, load, set_image, until, until_done, whole},
};
use serde_json::{Value, json};
use std::time::Instant;

const WEB: &str = "web";
/// How many answers of a hundred are bad.
const ANSWERS_500: &str = "testbed/answers-500";

/// The share of the canary's answers that are good, as the Envoys count them.
fn success_rate(space: &Namespace, prometheus: &Prometheus) -> Value {
    // Without Istio's own rules for tags, Envoy takes a host from its first dot on for a part of the metric's name.
    let metric = format!("envoy_cluster_{}_svc_cluster_local__upstream_rq_xx", space.name.replace('-', "_"));
    let of = |class: &str| {
        format!("sum(rate({metric}{{envoy_cluster_name=\"outbound|8000|canary|{WEB}\"{class}}}[5s]))")
    };
    let query = format!("{} / {}", of(",envoy_response_code_class=\"2\""), of(""));
    json!({
        "name": "success-rate", "initialDelay": "6s", "interval": "2s", "failureLimit": 1, "consecutiveErrorLimit": 50,
        "successCondition": "len(result) == 0 || isNaN(result[0]) || result[0] >= 0.95",
        "provider": {"prometheus": {"address": prometheus.address(), "query": query}}
    })
}

/// A Job that ends with this code.
fn check() -> Value {
    let container =
        json!({"name": "check", "image": "check:v1", "command": ["sh", "-c", "exit {{args.code}}"]});
    let spec = json!({"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never", "containers": [container]}}});
    json!({"name": "check", "provider": {"job": {"spec": spec}}})
}

fn template(name: &str, args: &[&str], metric: &Value) -> Value {
    let args: Vec<Value> = args.iter().map(|name| json!({"name": name})).collect();
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate", "metadata": {"name": name},
        "spec": {"args": args, "metrics": [metric]}
    })
}

/// A metric of the provider `web` that asks this path of a server, with these fields besides.
fn asks(name: &str, server: &Answering, path: &str, more: &Value) -> Value {
    let mut metric = json!({"name": name, "provider": {"web": {"url": server.url(path)}}});
    for (field, value) in more.as_object().unwrap() {
        metric[field.as_str()] = value.clone();
    }
    metric
}

/// A step that waits for a run of this template.
fn step(template: &str) -> Value {
    json!({"analysis": {"templates": [{"templateName": template}]}})
}

/// Applies these, and starts a controller that runs analyses, also of servers on this machine.
fn analysing<'n>(space: &'n Namespace, objects: &[Value]) -> Controller<'n> {
    apply(space, objects);
    space.controller().flags(&["--analysis", "--analysis-local-addresses"]).start()
}

/// Whether an inconclusive run has paused it, and nothing else.
fn asks_a_person(rollout: Rollout<'_>) -> bool {
    (rollout.phase(), rollout.message()) == ("Paused", "InconclusiveAnalysisRun")
}

/// A Rollout at its first version: a fifth of the requests, a Job, half of them; and its success rate beside all steps.
fn released<'n>(space: &'n Namespace, prometheus: &Prometheus, code: &str) -> Controller<'n> {
    let job = json!({"analysis": {
        "templates": [{"templateName": "check"}], "args": [{"name": "code", "value": code}]
    }});
    let steps = json!([
        {"setWeight": 20}, {"pause": {"duration": "8s"}}, job, {"setWeight": 50}, {"pause": {"duration": "4s"}}
    ]);
    let mut objects = whole(WEB, &steps);
    objects[0]["spec"]["strategy"]["canary"]["analysis"] =
        json!({"templates": [{"templateName": "success-rate"}]});
    objects.push(template("success-rate", &[], &success_rate(space, prometheus)));
    objects.push(template("check", &["code"], &check()));
    let controller = analysing(space, &objects);
    until_done(space, WEB, 60);
    controller
}

/// Another image, with so many bad answers of a hundred.
fn set_image_with(space: &Namespace, version: &str, bad: &str) {
    let container = json!({"name": "c", "image": format!("web:{version}")});
    let template =
        json!({"metadata": {"annotations": {ANSWERS_500: bad}}, "spec": {"containers": [container]}});
    space.patch("rollout/web", "", &json!({"spec": {"template": template}})).ok();
}

/// The weights of its route: stable, canary.
fn split(seen: &Seen) -> Option<(i64, i64)> {
    weights_of(seen.object("VirtualService", WEB)?, "primary")
}

/// The runs with their phases, by name.
fn runs(space: &Namespace) -> Vec<(String, String)> {
    let all: Value =
        serde_json::from_str(&space.kubectl(&["get", "analysisruns", "-o", "json"]).ok().out).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of = |run: &Value| (text(&run["metadata"]["name"]), text(&run["status"]["phase"]));
    all["items"].as_array().unwrap().iter().map(of).collect()
}

#[test]
fn a_bad_image_is_found_by_its_answers_and_taken_back_by_itself() {
    let bed = Bed::shared();
    let space = bed.namespace("judged");
    let prometheus = Prometheus::start(&bed, "judged");
    let _controller = released(&space, &prometheus, "0");
    let load = load(&bed, &space, &[WEB]);
    let began = Instant::now();
    set_image_with(&space, "v2", "40");
    until(&space, WEB, "stopped by itself", 60, |rollout| rollout.is_aborted());
    space.until("no request meets the canary", secs(20), |seen| split(seen) == Some((100, 0)));
    let took = began.elapsed();
    let answers = load.stop();
    println!(
        "the release stopped itself after {:.1} s; users got {} bad answers of {}; a gate after ten minutes would have \
         let {} through",
        took.as_secs_f32(),
        answers.failed(),
        answers.requests(),
        // 80 requests a second, a fifth of them to the canary, 40 of a hundred bad.
        80 * 600 / 5 * 40 / 100
    );
    let message = space.seen(|seen| seen.rollout(WEB).unwrap().message().to_owned());
    assert!(
        message.contains(
            "Background analysis phase error/failed: Metric \"success-rate\" assessed Failed due to failed (2) > \
             failureLimit (1)"
        ),
        "{message}"
    );
    assert!(answers.failed() > 0 && answers.failed() < 300, "{answers}");
    assert_eq!(runs(&space).iter().filter(|(_, phase)| phase == "Failed").count(), 1, "{:?}", runs(&space));
    let shown = space.get(WEB).to_string();
    assert!(shown.contains("AnalysisRun") && shown.contains("✖ Failed"), "{shown}");
    // The good image passes: its first look sees no answers of the bad one any more.
    let load = self::load(&bed, &space, &[WEB]);
    set_image_with(&space, "v3", "0");
    until_done(&space, WEB, 90);
    load.stop().assert_none_failed();
    let passed: Vec<_> = runs(&space).into_iter().filter(|(_, phase)| phase == "Successful").collect();
    assert!(passed.len() >= 2, "its Job, and what was measured beside the steps: {passed:?}");
}

#[test]
fn a_job_that_fails_stops_a_release() {
    let bed = Bed::shared();
    let space = bed.namespace("job");
    let prometheus = Prometheus::start(&bed, "job");
    let _controller = released(&space, &prometheus, "3");
    let load = load(&bed, &space, &[WEB]);
    set_image(&space, WEB, "v2");
    until(&space, WEB, "stopped by itself", 60, |rollout| rollout.is_aborted());
    let message = space.seen(|seen| seen.rollout(WEB).unwrap().message().to_owned());
    assert!(
        message.contains("Step-based analysis phase error/failed: Metric \"check\" assessed Failed"),
        "{message}"
    );
    let of_web = |pod: &&Value| pod["metadata"]["labels"]["app"] == WEB;
    space.until("the canary is gone", secs(60), |seen| seen.objects("Pod").filter(of_web).count() == 3);
    load.stop().assert_none_failed();
}

#[test]
fn while_prometheus_is_silent_no_weight_rises() {
    let bed = Bed::shared();
    let space = bed.namespace("outage");
    let mut prometheus = Prometheus::start(&bed, "outage");
    let _controller = released(&space, &prometheus, "0");
    let load = load(&bed, &space, &[WEB]);
    set_image(&space, WEB, "v2");
    space.until("a fifth of the requests", secs(60), |seen| split(seen) == Some((80, 20)));
    prometheus.stop();
    until(&space, WEB, "held", 60, |rollout| {
        rollout.condition("Waiting").is_some_and(|(_, reason, _)| reason == "AnalysisUnanswered")
    });
    // Longer than the rest of the release takes.
    assert!(!space.within(secs(20), |seen| split(seen) != Some((80, 20))), "{}", space.report());
    prometheus.resume();
    until_done(&space, WEB, 90);
    load.stop().assert_none_failed();
}
