//! Metrics that ask an HTTP server, with a Secret.

use super::{WEB, asks, step};
use crate::{
    bed::{Answering, Bed, secs},
    faults::web::{apply, plain, set_image, until, until_done},
};
use serde_json::{Value, json};

const SECRET: &str = "s3cret-of-the-shop";

/// Asks with a Secret for the revision that is released, and judges two fields of the answer.
fn template(server: &Answering) -> Value {
    let mut metric = asks(
        "ready",
        server,
        "/ready/{{args.hash}}",
        &json!({"interval": "1s", "count": 2, "successCondition": "result.ok && result.errors < 5"}),
    );
    metric["provider"]["web"]["jsonPath"] = json!("{.data}");
    metric["provider"]["web"]["headers"] =
        json!([{"key": "Authorization", "value": "Bearer {{args.token}}"}]);
    let from = json!({"secretKeyRef": {"name": "server", "key": "token"}});
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate", "metadata": {"name": "ready"},
        "spec": {"args": [{"name": "hash"}, {"name": "token", "valueFrom": from}], "metrics": [metric]}
    })
}

#[test]
fn a_server_that_is_asked_with_a_secret_lets_one_release_pass_and_stops_the_next() {
    let space = Bed::shared().namespace("web");
    let server = Answering::start(json!({"data": {"ok": true, "errors": 2}}));
    let mut step = step("ready");
    step["analysis"]["args"] = json!([{"name": "hash", "valueFrom": {"podTemplateHashValue": "Latest"}}]);
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "server"}, "stringData": {"token": SECRET}
    });
    let rollout = plain(WEB, 2, &json!({"steps": [{"setWeight": 50}, step]}));
    apply(&space, &[rollout, template(&server), secret]);
    let controller = space
        .controller()
        .flags(&["--analysis", "--analysis-local-addresses", "--loglevel", "DEBUG"])
        .start();
    until_done(&space, WEB, 60);
    assert!(server.asked().is_empty(), "a first deploy is not analysed");

    set_image(&space, WEB, "v2");
    until_done(&space, WEB, 60);
    let good = space.seen(|seen| seen.rollout(WEB).unwrap().stable().to_owned());
    let asked = (format!("/ready/{good}"), format!("Bearer {SECRET}"));
    assert_eq!(server.asked(), [asked.clone(), asked]);
    space.until("its run is over", secs(10), |seen| {
        seen.run("Step").is_some_and(|run| run.phase() == "Successful")
    });
    let ready = space.seen(|seen| seen.run("Step").unwrap().metric("ready").unwrap().clone());
    assert_eq!(ready["measurements"][1]["value"], r#"{"errors":2,"ok":true}"#, "{ready}");

    // A server that says what it was asked with.
    server.answers(json!({"data": {"ok": false, "errors": 7, "for": format!("Bearer {SECRET}")}}));
    set_image(&space, WEB, "v3");
    until(&space, WEB, "stopped by itself", 60, |rollout| rollout.is_aborted());
    let (message, stable) = space.seen(|seen| {
        let rollout = seen.rollout(WEB).unwrap();
        (rollout.message().to_owned(), rollout.stable().to_owned())
    });
    let why = "Step-based analysis phase error/failed: Metric \"ready\" assessed Failed due to failed (1) > \
               failureLimit (0)";
    assert!(message.contains(why), "{message}");
    assert_eq!(stable, good);
    space.until("its run has failed", secs(10), |seen| {
        seen.run("Step").is_some_and(|run| run.phase() == "Failed")
    });
    let ready = space.seen(|seen| seen.run("Step").unwrap().metric("ready").unwrap().clone());
    let value = r#"{"errors":7,"for":"Bearer *****","ok":false}"#;
    assert_eq!(ready["measurements"][0]["value"], value, "{ready}");

    space.until("all is said", secs(20), |seen| {
        let told = |of: &str, what: &str| seen.events(of).iter().any(|(reason, _)| *reason == what);
        let run = seen.run("Step").unwrap().name();
        told(WEB, "AnalysisRunFailed") && told(run, "AnalysisRunFailed") && told(run, "MetricFailed")
    });
    let shown = |object: &Value| object.to_string().contains(SECRET);
    space.seen(|seen| {
        let told = seen.changes().iter().filter(|change| shown(&change.object));
        assert_eq!(told.map(|change| (change.kind, &change.name)).collect::<Vec<_>>(), []);
    });
    controller.until_logged(&["analysis", "phase=Failed"], secs(10));
    let log = controller.log();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains(SECRET)).collect();
    assert!(lines.is_empty(), "{lines:?}");
}
