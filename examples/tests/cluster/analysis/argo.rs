//! What Argo Rollouts' own end-to-end tests (`analysis_test.go`) assert about analyses of canaries: each test has the
//! name of its original. The servers that those ask on the internet are one of our own.

use super::{WEB, analysing, asks, asks_a_person, step};
use crate::{
    bed::{Answering, Bed, Controller, Namespace, Rollout, secs},
    faults::web::{plain, set_image, until, until_done},
};
use serde_json::{Value, json};

fn template(name: &str, args: &Value, metrics: &[Value]) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate", "metadata": {"name": name},
        "spec": {"args": args, "metrics": metrics}
    })
}

/// A metric whose Job runs this, with these fields besides.
fn job(name: &str, image: &str, script: &str, more: &Value) -> Value {
    let container = json!({"name": "job", "image": image, "command": ["sh", "-c"], "args": [script]});
    let mut spec = json!({"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never", "containers": [container]}}});
    let mut metric = json!({"name": name, "count": 1});
    for (field, value) in more.as_object().unwrap() {
        let to = if field == "activeDeadlineSeconds" { &mut spec } else { &mut metric };
        to[field.as_str()] = value.clone();
    }
    metric["provider"] = json!({"job": {"spec": spec}});
    metric
}

const IMAGE: &str = "job:v1";

/// A Job that succeeds at once.
fn quick() -> Value {
    template("quick", &json!([]), &[job("quick", IMAGE, "sleep 0 && exit 0", &json!({}))])
}

/// A Job that nobody waits for to its end, with these fields besides.
fn long(more: &Value) -> Value {
    template("long", &json!([]), &[job("long", IMAGE, "sleep 6000", more)])
}

/// A Job whose image cannot be pulled.
fn unpullable() -> Value {
    template("unpullable", &json!([]), &[job("unpullable", "nonexistent:v1", "exit 0", &json!({}))])
}

/// A first deploy, which is not analysed, and an update.
fn updated<'n>(space: &'n Namespace, canary: &Value, templates: &[Value]) -> Controller<'n> {
    let controller = analysing(space, &[&[plain(WEB, 1, canary)], templates].concat());
    until_done(space, WEB, 60);
    assert_eq!(space.seen(|seen| seen.runs().len()), 0);
    set_image(space, WEB, "v2");
    // Until then, its status is that of the first deploy.
    until(space, WEB, "seen with the new image", 60, |rollout| rollout.is_observed());
    controller
}

fn beside(template: &str) -> Value {
    json!({"templates": [{"templateName": template}]})
}

fn until_run(space: &Namespace, role: &str, phase: &str) {
    space.until(&format!("the run {role} is {phase}"), secs(60), |seen| {
        seen.run(role).is_some_and(|run| run.phase() == phase)
    });
}

fn until_paused(space: &Namespace) {
    until(space, WEB, "paused", 60, |rollout| rollout.phase() == "Paused");
}

/// Its only run has failed, and the Rollout is aborted.
fn until_stopped_by(space: &Namespace, role: &str) {
    until(space, WEB, "stopped by itself", 60, |rollout| rollout.phase() == "Degraded");
    assert_count(space, 1);
    until_run(space, role, "Failed");
    assert_all(space, role, "Failed");
}

fn promote(space: &Namespace) {
    space.plugin(&["promote", WEB]).ok();
}

fn assert_count(space: &Namespace, runs: usize) {
    assert_eq!(space.seen(|seen| seen.runs().len()), runs, "{}", space.report());
}

/// The run, its only metric and that one's newest measurement have this phase.
fn assert_all(space: &Namespace, role: &str, phase: &str) {
    space.seen(|seen| {
        let run = seen.run(role).unwrap();
        let [metric] = run.metrics() else { panic!("{run}") };
        let newest = metric["measurements"].as_array().unwrap().last().unwrap();
        assert_eq!((run.phase(), &metric["phase"], &newest["phase"]), (phase, &json!(phase), &json!(phase)));
        assert_eq!(seen.healths(run.name()), ["Progressing", run.health()], "a verdict is final");
    });
}

#[test]
fn test_canary_background_analysis() {
    let space = Bed::shared().namespace("argo-background");
    let server = Answering::start(json!({"major": "1"}));
    let metric = asks(
        "web",
        &server,
        "/version",
        &json!({"interval": "5s", "successCondition": "result.major == '1'"}),
    );
    let canary = json!({"analysis": beside("version"), "steps": [{"setWeight": 10}, {"pause": {}}]});
    let _controller = updated(&space, &canary, &[template("version", &json!([]), &[metric])]);
    until_paused(&space);
    until_run(&space, "Background", "Running");
    assert_count(&space, 1);
    promote(&space);
    until_done(&space, WEB, 60);
    until_run(&space, "Background", "Successful");
    assert_count(&space, 1);
}

#[test]
fn test_canary_inconclusive_background_analysis() {
    let space = Bed::shared().namespace("argo-unsure-background");
    let server = Answering::start(json!({"Status": 0}));
    let conditions = json!({
        "interval": "5s", "inconclusiveLimit": 3,
        "successCondition": "result.Status == 999", "failureCondition": "result.Status == -1"
    });
    let mut analysis = beside("neither");
    analysis["startingStep"] = json!(1);
    let canary = json!({"analysis": analysis, "steps": [{"setWeight": 10}, {"pause": {"duration": "30s"}}]});
    let metric = asks("web", &server, "/resolve", &conditions);
    let _controller = updated(&space, &canary, &[template("neither", &json!([]), &[metric])]);
    until_paused(&space);
    until_run(&space, "Background", "Running");
    assert_count(&space, 1);
    until_run(&space, "Background", "Inconclusive");
    until(&space, WEB, "a person is asked", 60, asks_a_person);
    assert_eq!(server.asked().len(), 4);
}

#[test]
fn test_canary_inline_analysis() {
    let space = Bed::shared().namespace("argo-inline");
    let steps = json!([{"setWeight": 10}, step("quick"), {"pause": {}}, step("quick"), step("quick")]);
    let _controller = updated(&space, &json!({"steps": steps}), &[quick()]);
    until_paused(&space);
    assert_count(&space, 1);
    until_run(&space, "Step", "Successful");
    promote(&space);
    until_done(&space, WEB, 60);
    assert_count(&space, 3);
}

#[test]
fn test_canary_inline_multiple_analysis() {
    let space = Bed::shared().namespace("argo-multiple-jobs");
    let args = json!([{"name": "duration", "value": "0s"}, {"name": "code", "value": "0"}]);
    let script = "sleep {{args.duration}} && exit {{args.code}}";
    let late = json!({"initialDelay": "10s"});
    let metrics = [job("late", IMAGE, script, &late), job("at-once", IMAGE, script, &json!({}))];
    let steps = json!([{"setWeight": 10}, {"pause": {}}, step("both")]);
    let _controller = updated(&space, &json!({"steps": steps}), &[template("both", &args, &metrics)]);
    until_paused(&space);
    promote(&space);
    until_run(&space, "Step", "Running");
    assert_count(&space, 1);
    until_run(&space, "Step", "Successful");
    until_done(&space, WEB, 60);
    assert_count(&space, 1);
    assert_eq!(space.seen(|seen| seen.run("Step").unwrap().metrics().len()), 2);
}

#[test]
fn test_canary_fail_inline_multiple_analysis() {
    let space = Bed::shared().namespace("argo-multiple-fail");
    let never = job("never", IMAGE, "sleep 0 && exit 0", &json!({"initialDelay": "10000s"}));
    let twice = json!({"count": 2, "interval": "1s", "failureLimit": 1});
    let fails = job("fails", IMAGE, "sleep 0 && exit 1", &twice);
    let steps = json!([{"setWeight": 10}, {"pause": {}}, step("both")]);
    let _controller =
        updated(&space, &json!({"steps": steps}), &[template("both", &json!([]), &[never, fails])]);
    until_paused(&space);
    promote(&space);
    space.until("it was at its analysis", secs(60), |seen| {
        let mut rollouts = seen.changes().iter().filter(|change| change.kind == "Rollout");
        rollouts.any(|change| {
            let rollout = Rollout(&change.object);
            rollout.phase() == "Progressing" && rollout.step() == Some(2)
        })
    });
    until_run(&space, "Step", "Failed");
    until(&space, WEB, "stopped by itself", 60, |rollout| rollout.phase() == "Degraded");
    let failed = space.seen(|seen| seen.run("Step").unwrap().metric("fails").unwrap()["failed"].clone());
    assert_eq!(failed, 2);
}

#[test]
fn test_multiple_analysis() {
    let space = Bed::shared().namespace("argo-merged");
    let server = Answering::start(json!({"name": "web"}));
    let metric = |name: &str| {
        let mut metric = asks(name, &server, "", &json!({"count": 1}));
        metric["provider"]["web"]["url"] = json!("http://{{args.host}}/repos/{{args.repo}}");
        metric
    };
    // Each has a value for one of the two that the Rollout overrides.
    let (host, repo) = (json!({"name": "host"}), json!({"name": "repo"}));
    let unused = |name: &str| json!({"name": name, "value": "not-used.test"});
    let templates = [
        template("one", &json!([unused("host"), repo]), &[metric("metric-1"), metric("metric-2")]),
        template("two", &json!([host, unused("repo")]), &[metric("metric-3"), metric("metric-4")]),
    ];
    let host = server.url("").replace("http://", "");
    let steps = json!([{"analysis": {
        "templates": [{"templateName": "one"}, {"templateName": "two"}],
        "args": [{"name": "host", "value": host}, {"name": "repo", "value": "shop/web"}]
    }}]);
    let _controller = updated(&space, &json!({"steps": steps}), &templates);
    until_done(&space, WEB, 60);
    assert_count(&space, 1);
    let metrics = space.seen(|seen| seen.run("Step").unwrap().metrics().to_vec());
    let names: Vec<&str> = metrics.iter().map(|metric| metric["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["metric-1", "metric-2", "metric-3", "metric-4"]);
    assert_eq!(server.asked(), vec![("/repos/shop/web".to_owned(), String::new()); 4]);
}

/// A Secret with the address of a server, and what asks there.
fn secret(server: &Answering, metric: &Value) -> [Value; 2] {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "place"},
        "stringData": {"url": server.url("/message")}
    });
    let from = json!({"secretKeyRef": {"name": "place", "key": "url"}});
    let args = json!([
        {"name": "interval", "value": "5s"}, {"name": "runs", "value": "2"}, {"name": "limit", "value": "1"},
        {"name": "wanted", "value": "It worked!"}, {"name": "url", "valueFrom": from}
    ]);
    let mut metric = metric.clone();
    (metric["name"], metric["failureLimit"]) = (json!("message"), json!("{{args.limit}}"));
    metric["interval"] = json!("{{args.interval}}");
    metric["successCondition"] = json!("result == \"{{args.wanted}}\"");
    metric["provider"] = json!({"web": {"url": "{{args.url}}", "jsonPath": "{$.message}"}});
    [secret, template("message", &args, &[metric])]
}

/// Its run has measured so often when the pause after it begins.
fn passes_with_a_secret(story: &str, metric: &Value, args: &Value, measured: u64) {
    let space = Bed::shared().namespace(story);
    let server = Answering::start(json!({"message": "It worked!"}));
    let mut step = step("message");
    step["analysis"]["args"] = args.clone();
    let steps = json!([{"setWeight": 25}, step, {"pause": {}}]);
    let _controller = updated(&space, &json!({"steps": steps}), &secret(&server, metric));
    until_paused(&space);
    until_run(&space, "Step", "Successful");
    assert_all(&space, "Step", "Successful");
    assert_eq!(space.seen(|seen| seen.run("Step").unwrap().metrics()[0]["count"].clone()), measured);
    promote(&space);
    until_done(&space, WEB, 60);
    assert!(space.get(WEB).replica_set(2).contains("stable"));
}

#[test]
fn test_analysis_with_secret() {
    passes_with_a_secret("argo-secret", &json!({"count": "{{args.runs}}"}), &json!([]), 2);
}

#[test]
fn test_analysis_with_args() {
    let metric = json!({"count": "{{args.runs}}", "initialDelay": "{{args.interval}}"});
    let args = json!([{"name": "limit", "value": "2"}, {"name": "runs", "value": "3"}]);
    passes_with_a_secret("argo-args", &metric, &args, 3);
}

#[test]
fn test_background_analysis_with_args() {
    let space = Bed::shared().namespace("argo-background-args");
    let server = Answering::start(json!({"message": "It worked!"}));
    let metric = json!({"initialDelay": "{{args.interval}}"});
    let mut analysis = beside("message");
    analysis["startingStep"] = json!(1);
    analysis["args"] = json!([{"name": "limit", "value": "2"}, {"name": "interval", "value": "10s"}]);
    let canary = json!({"analysis": analysis, "steps": [{"setWeight": 25}, {"pause": {}}]});
    let _controller = updated(&space, &canary, &secret(&server, &metric));
    until_paused(&space);
    until_run(&space, "Background", "Running");
    assert_count(&space, 1);
    promote(&space);
    until_done(&space, WEB, 60);
    until_run(&space, "Background", "Successful");
}

#[test]
fn test_canary_inline_analysis_long_running_job_with_deadline() {
    let space = Bed::shared().namespace("argo-deadline");
    let steps = json!([{"setWeight": 10}, step("long")]);
    let _controller =
        updated(&space, &json!({"steps": steps}), &[long(&json!({"activeDeadlineSeconds": 10}))]);
    until_stopped_by(&space, "Step");
}

#[test]
fn test_canary_background_analysis_long_running_job_with_deadline() {
    let space = Bed::shared().namespace("argo-background-deadline");
    let steps = json!([{"setWeight": 10}, {"pause": {"duration": "60s"}}]);
    let canary = json!({"analysis": beside("long"), "steps": steps});
    let _controller = updated(&space, &canary, &[long(&json!({"activeDeadlineSeconds": 10}))]);
    until_stopped_by(&space, "Background");
}

#[test]
fn test_canary_background_analysis_long_running_job() {
    let space = Bed::shared().namespace("argo-background-long");
    // A person ends the pause.
    let steps = json!([{"setWeight": 10}, {"pause": {"duration": "30s"}}]);
    let canary = json!({"analysis": beside("long"), "steps": steps});
    let _controller = updated(&space, &canary, &[long(&json!({}))]);
    until_paused(&space);
    until_run(&space, "Background", "Running");
    assert_count(&space, 1);
    promote(&space);
    until_done(&space, WEB, 60);
    until_run(&space, "Background", "Inconclusive");
    assert_all(&space, "Background", "Inconclusive");
}

#[test]
fn test_canary_inline_analysis_invalid_image_job() {
    let space = Bed::shared().namespace("argo-image");
    let steps = json!([{"setWeight": 10}, step("unpullable")]);
    let _controller = updated(&space, &json!({"steps": steps}), &[unpullable()]);
    until(&space, WEB, "a person is asked", 60, asks_a_person);
    assert_count(&space, 1);
    until_run(&space, "Step", "Inconclusive");
    assert_all(&space, "Step", "Inconclusive");
}

#[test]
fn test_canary_background_analysis_invalid_image_job() {
    let space = Bed::shared().namespace("argo-background-image");
    let steps = json!([{"setWeight": 10}, step("long")]);
    let canary = json!({"analysis": beside("unpullable"), "steps": steps});
    let _controller = updated(&space, &canary, &[unpullable(), long(&json!({}))]);
    until(&space, WEB, "a person is asked", 60, asks_a_person);
    until_run(&space, "Background", "Inconclusive");
    assert_all(&space, "Background", "Inconclusive");
    until_run(&space, "Step", "Running");
    assert_count(&space, 2);
}
