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

/// A number is answered as the provider would: not every provider answers a list.
#[test]
fn a_scripted_value_has_the_type_of_its_provider() {
    let folder = std::env::temp_dir().join(format!("scripted-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("templates.yaml");
    let ends = |provider: serde_json::Value, condition: &str, value: &str| {
        let template = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate", "metadata": {"name": "success-rate"},
            "spec": {"args": [{"name": "service"}], "metrics": [{
                "name": "a", "interval": "1m", "successCondition": condition, "provider": provider
            }]}
        });
        let good = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate",
            "metadata": {"name": "three-good-answers"},
            "spec": {"args": [{"name": "hash"}], "metrics": [{"name": "b", "provider": {"job": {"spec": {}}}}]}
        });
        std::fs::write(&file, format!("{template}\n---\n{good}\n")).unwrap();
        let web = format!("{MANIFESTS}/web.yaml");
        let value = format!("a={value}");
        let words = [&web, file.to_str().unwrap(), "--metric", &value, "--metric", "b=1"];
        summary(&events("web", &words))["ends"].clone()
    };
    let list = json!({"prometheus": {"address": "http://p", "query": "scalar_total"}});
    let scalar = json!({"prometheus": {"address": "http://p", "query": "scalar(a)"}});
    let web = json!({"web": {"url": "http://web", "jsonPath": "{$.a}"}});
    let job = json!({"job": {"spec": {}}});
    for (provider, condition, value, end) in [
        (json!({"datadog": {"query": "a"}}), "default(result, 0) < 0.05", "0.01", "healthy"),
        (json!({"datadog": {"query": "a"}}), "default(result, 0) < 0.05", "none", "healthy"),
        (scalar, "result >= 0.5", "0.9", "healthy"),
        (list, "result[0] >= 0.5", "0.9", "healthy"),
        (web.clone(), "result >= 0.5", "0.9", "healthy"),
        (web, "result >= 0.5", "0.1", "aborted"),
        (job.clone(), "", "0", "aborted"),
        (job, "", "1", "healthy"),
    ] {
        assert_eq!(ends(provider.clone(), condition, value), end, "{provider} {value}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_metric_that_nothing_measures_is_a_mistake() {
    let run = simulate(&[
        MANIFESTS,
        "--image",
        IMAGE,
        "--metric",
        "success-rat=0.99",
        "--metric",
        "success-rate=1",
    ]);
    assert_eq!(run.code, 2);
    assert!(
        run.err.contains("no analysis measures \"success-rat\"; did you mean \"success-rate\"?"),
        "{}",
        run.err
    );
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
