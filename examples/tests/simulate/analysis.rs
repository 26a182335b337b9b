//! Releases that judge themselves.

use crate::{events, of_kind, simulate, summary};
use serde_json::json;

const MANIFESTS: &str = "examples/manifests/analysis";
const IMAGE: &str = "web=example.com/web:v2";

#[test]
fn a_release_stops_itself_when_its_metric_falls() {
    let words = [MANIFESTS, "--image", IMAGE, "--metric", "success-rate=0.99@0s,0.90@12m"];
    let events = events("web", &words);
    let aborted = of_kind(&events, "aborted")[0].clone();
    let ms = aborted["ms"].as_i64().unwrap();
    assert!((720_000..780_000).contains(&ms), "within a minute of the fall: {ms}");
    let why = aborted["why"]["analysis"].as_str().unwrap();
    assert_eq!(
        why,
        "Background analysis phase error/failed: Metric \"success-rate\" assessed Failed due to failed (1) > \
         failureLimit (0)"
    );
    let measured = of_kind(&events, "measured");
    let failed = measured.iter().find(|event| event["phase"] == "Failed").unwrap();
    let metric = &failed["metric"];
    assert_eq!((&metric["name"], &metric["value"]), (&json!("success-rate"), &json!("[0.9]")));
    assert_eq!((&metric["left"], &metric["next_ms"]), (&json!("failure limit exceeded"), &json!(null)));
    let back = of_kind(&events, "routed").last().copied().unwrap().clone();
    assert_eq!((&back["ms"], &back["weight"]["canary"]), (&json!(ms), &json!(0)), "in the same turn");
    let summary = summary(&events);
    assert_eq!((&summary["ends"], &summary["failed_per_thousand"]), (&json!("aborted"), &json!(0)));
}

#[test]
fn a_good_release_passes_its_analyses() {
    let words = [MANIFESTS, "--image", IMAGE, "--metric", "success-rate=0.99"];
    let events = events("web", &words);
    let summary = summary(&events);
    assert_eq!(summary["ends"], "healthy");
    let steps: Vec<_> =
        of_kind(&events, "step-completed").iter().filter_map(|event| event["what"].as_str()).collect();
    assert!(steps.contains(&"analysis of three-good-answers"), "{steps:?}");
}

#[test]
fn no_answer_holds_the_step_and_then_aborts() {
    let words = [MANIFESTS, "--image", IMAGE, "--metric", "success-rate=0.99@0s,error@2m"];
    let events = events("web", &words);
    let weights: Vec<_> =
        of_kind(&events, "routed").iter().map(|event| event["weight"]["canary"].clone()).collect();
    assert_eq!(weights, [json!(20), json!(0)], "nothing rises without an answer");
    let why = of_kind(&events, "aborted")[0]["why"]["analysis"].as_str().unwrap().to_owned();
    assert!(why.contains("consecutiveErrors (5) > consecutiveErrorLimit (4)"), "{why}");
}

#[test]
fn what_is_missing_is_said_before_anything_is_played() {
    let run = simulate(&[MANIFESTS, "--image", IMAGE]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("no value is given for the metric `success-rate`"), "{}", run.err);
    let run = simulate(&["examples/manifests/analysis/web.yaml", "--image", IMAGE]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("AnalysisTemplate 'success-rate' not found"), "{}", run.err);
}
