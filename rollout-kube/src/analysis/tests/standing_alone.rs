//! A run that a person applies is run to its end.

use super::played::{BEGIN, World, metric, number, path};
use rollout_core::{Time, analysis::Answer};
use serde_json::json;

fn at(second: i64) -> String {
    Time::from_secs(BEGIN + second).to_string()
}

#[tokio::test(start_paused = true)]
async fn a_run_is_measured_to_its_end_with_one_write_for_each_measurement() {
    let world = World::new(|asked| (0, number(if asked.metric == "errors" { 1.0 } else { 9.0 })));
    world.apply(
        "check",
        &json!({
            "args": [{"name": "limit", "value": "5"}],
            "metrics": [
                metric("errors", &json!({"interval": "10s", "count": 3, "successCondition": "result[0] < {{args.limit}}"})),
                metric("latency", &json!({"initialDelay": "5s"})),
            ],
            "dryRun": [{"metricName": "latency"}]
        }),
    );
    let _process = world.start(4);
    world.until(100).await;
    let status = world.status("check");
    assert_eq!(status["phase"], "Successful", "{status}");
    assert_eq!((&status["startedAt"], &status["completedAt"]), (&at(0).into(), &at(20).into()));
    let errors = &status["metricResults"][0];
    assert_eq!((&errors["count"], &errors["successful"]), (&json!(3), &json!(3)));
    assert_eq!(errors["metadata"]["ResolvedPrometheusQuery"], "errors");
    let measurement =
        json!({"phase": "Successful", "startedAt": at(10), "finishedAt": at(10), "value": "[1]"});
    assert_eq!(errors["measurements"][1], measurement);
    assert_eq!(status["dryRunSummary"], json!({"count": 1, "failed": 1}));
    assert_eq!(world.seconds_asked(), [0, 5, 10, 20]);
    assert_eq!(world.server.requests()["PUT analysisruns"], 4, "{:?}", world.server.requests());
    assert_eq!(
        world.events(),
        [
            "Warning MetricFailed: Metric 'latency' Completed. Result: Failed",
            "Normal MetricSuccessful: Metric 'errors' Completed. Result: Successful",
            "Normal AnalysisRunSuccessful: Analysis Completed. Result: Successful",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_bad_answer_ends_the_run_with_its_reason() {
    let world = World::new(|_| (0, number(9.0)));
    world.apply("bad", &json!({"metrics": [metric("errors", &json!({"interval": "10s"}))]}));
    let unanswered = json!({"consecutiveErrorLimit": 0, "provider": {"datadog": {}}});
    world.apply("none", &json!({"metrics": []}));
    world.apply("open", &json!({"args": [{"name": "a"}], "metrics": [metric("a", &unanswered)]}));
    let _process = world.start(4);
    world.until(5).await;
    let message = |name: &str| world.status(name)["message"].as_str().unwrap_or_default().to_owned();
    assert_eq!(message("bad"), r#"Metric "errors" assessed Failed due to failed (1) > failureLimit (0)"#);
    assert_eq!(message("none"), "Analysis spec invalid: no metrics specified");
    assert!(message("open").starts_with("Unable to resolve metric arguments: args.a was not resolved"));
    assert_eq!(world.status("open")["phase"], "Error");
    assert!(
        world.events().contains(&"Warning AnalysisRunError: Analysis Completed. Result: Error".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn terminate_ends_a_run_at_once_even_while_its_provider_is_slow() {
    let world = World::new(|_| (30, number(1.0)));
    world.apply("slow", &json!({"metrics": [metric("errors", &json!({"interval": "10s"}))]}));
    let _process = world.start(4);
    world.until(3).await;
    world.server.patch(&path("shop", "slow"), &json!({"spec": {"terminate": true}}));
    world.until(4).await;
    let status = world.status("slow");
    assert_eq!((&status["phase"], &status["message"]), (&"Successful".into(), &"Run Terminated".into()));
    world.until(100).await;
    assert_eq!(world.seconds_asked(), [0], "nothing is asked any more");
}

#[tokio::test(start_paused = true)]
async fn a_secret_reaches_the_provider_and_nobody_else() {
    let world = World::new(|asked| {
        let token = asked.provider["web"]["headers"][0]["value"].as_str().unwrap().to_owned();
        let why = format!("401 for token {token}");
        (0, Answer::Unanswered { why, after: None })
    });
    let secret = json!({"data": {"token": "czNjcmV0"}});
    world.server.apply("/api/v1/namespaces/shop/secrets/web", secret.clone());
    world.server.apply("/api/v1/namespaces/other/secrets/theirs", secret);
    let run = |secret: &str, key: &str| {
        let provider = json!({"web": {"headers": [{"key": "Authorization", "value": "{{ args.token }}"}]}});
        let from = json!({"secretKeyRef": {"name": secret, "key": key}});
        json!({
            "args": [{"name": "token", "valueFrom": from}],
            "metrics": [metric("errors", &json!({"provider": provider, "consecutiveErrorLimit": 0}))]
        })
    };
    world.apply("good", &run("web", "token"));
    world.apply("theirs", &run("theirs", "token"));
    world.apply("keyless", &run("web", "key"));
    let _process = world.start(4);
    world.until(5).await;
    let asked = world.provider.asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].provider["web"]["headers"][0]["value"], "s3cret");
    let status = world.status("good");
    assert_eq!(status["metricResults"][0]["measurements"][0]["message"], "401 for token *****");
    assert!(!world.run("good").to_string().contains("s3cret"));
    assert!(!world.events().concat().contains("s3cret"));
    let message = |name: &str| world.status(name)["message"].clone();
    assert_eq!(message("theirs"), "Unable to resolve metric arguments: secrets \"theirs\" not found");
    assert_eq!(
        message("keyless"),
        "Unable to resolve metric arguments: key 'key' does not exist in secret 'web'"
    );
}

#[tokio::test(start_paused = true)]
async fn a_finished_run_is_deleted_when_its_time_is_over() {
    let world = World::new(|_| (0, number(1.0)));
    let once = metric("errors", &json!({}));
    world.apply("short", &json!({"metrics": [once], "ttlStrategy": {"secondsAfterSuccess": 60}}));
    world.apply("long", &json!({"metrics": [once]}));
    let process = world.start(4);
    world.until(60).await;
    assert_eq!(world.status("short")["phase"], "Successful");
    drop(process);
    let _process = world.start(4);
    world.until(62).await;
    assert!(world.run("short").is_null(), "also by another process");
    world.until(10_000).await;
    assert_eq!(world.status("long")["phase"], "Successful", "it is kept");
}

#[tokio::test(start_paused = true)]
async fn only_runs_of_this_instance_are_run() {
    let mut world = World::new(|_| (0, number(1.0)));
    world.instance = Some("blue".to_owned());
    let spec = json!({"metrics": [metric("errors", &json!({}))]});
    let labels = json!({"argo-rollouts.argoproj.io/controller-instance-id": "blue"});
    world.server.apply(&path("shop", "ours"), json!({"metadata": {"labels": labels}, "spec": spec}));
    world.apply("theirs", &spec);
    let _process = world.start(4);
    world.until(5).await;
    assert_eq!(world.status("ours")["phase"], "Successful");
    assert!(world.status("theirs").is_null());
}
