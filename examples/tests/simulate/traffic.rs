//! Releases that are judged by requests that a simulation draws.

use crate::{events, of_kind, simulate, summary};
use serde_json::{Value, json};

const COMPARE: &str = "examples/manifests/compare";
const ANALYSIS: &str = "examples/manifests/analysis";
const IMAGE: &str = "web=example.com/web:v2";

fn seeds(traffic: &str, count: &str) -> Value {
    let words = [COMPARE, "--image", IMAGE, "--traffic", traffic, "--seeds", count];
    let events = events("web", &words);
    of_kind(&events, "seeds")[0].clone()
}

#[test]
fn a_canary_that_is_three_times_as_bad_is_found_and_no_other() {
    let bad = seeds("rps=100,bad=0.5%,canary-bad=1.5%", "40");
    assert_eq!(bad["ends"], json!({"aborted": 40}), "{bad}");
    let minutes = |of: &str| bad["aborted_ms"][of].as_u64().unwrap() / 60_000;
    assert!(minutes("median") < 12 && minutes("nine_of_ten") < 20, "{bad}");
    let good = seeds("rps=100,bad=0.5%,bursts=3", "40");
    assert_eq!(
        good["ends"],
        json!({"healthy": 40}),
        "errors come in bursts, and the canary is as good as stable"
    );
}

#[test]
fn a_day_of_errors_everywhere_stops_no_release_that_is_compared() {
    let words = [COMPARE, "--image", IMAGE, "--traffic", "rps=50,bad=30%", "--seeds", "0"];
    assert_eq!(summary(&events("web", &words))["ends"], "healthy");
}

#[test]
fn conditions_are_met_or_not_by_the_requests_at_the_weights_of_the_proxies() {
    let words = [ANALYSIS, "--image", IMAGE, "--traffic", "rps=200,canary-bad=20%", "--seeds", "0"];
    let events = events("web", &words);
    let summary = summary(&events);
    assert_eq!(summary["ends"], "aborted", "a success rate of 80 % is below 95 %");
    let answers = &summary["answers"];
    let number = |side: &str, field: &str| answers[side][field].as_f64().unwrap();
    let routed: Vec<f64> =
        of_kind(&events, "routed").iter().filter_map(|event| event["ms"].as_f64()).collect();
    let expected = (routed[1] - routed[0]) / 1e3 * 200.0 * 0.2;
    let share = number("canary", "all") / expected;
    assert!((share - 1.0).abs() < 0.1, "20 % of 200 a second, for {routed:?} ms: {answers}");
    let bad = number("canary", "bad") / number("canary", "all");
    assert!((bad - 0.2).abs() < 0.03 && number("stable", "bad") == 0.0, "{answers}");
    assert_eq!(answers["unknown_labels"], json!([]));
    let measured = of_kind(&events, "measured");
    let value = measured.iter().find(|event| event["phase"] == "Failed").unwrap()["metric"]["value"].clone();
    let rate: f64 = value.as_str().unwrap().trim_matches(['[', ']']).parse().unwrap();
    assert!((rate - 0.8).abs() < 0.05, "{value}");
}

#[test]
fn the_same_seed_draws_the_same_requests() {
    let run = |seed: &str| {
        let words = [COMPARE, "--image", IMAGE, "--traffic", "rps=20,bad=1%", "--seeds", "0", "--seed", seed];
        simulate(&words).out
    };
    assert_eq!(run("7"), run("7"));
    assert_ne!(run("7"), run("8"));
}

#[test]
fn what_cannot_be_measured_is_said_before_anything_is_played() {
    let template = |provider: &str| {
        format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: AnalysisTemplate\nmetadata: {{name: no-worse-than-stable}}\n\
             spec: {{args: [{{name: canary}}, {{name: stable}}], metrics: [{{name: a, interval: 1m, provider: {provider}}}]}}\n"
        )
    };
    let folder = std::env::temp_dir().join(format!("traffic-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let web = format!("{COMPARE}/web.yaml");
    let refused = |provider: &str, name: &str| {
        let file = folder.join(name);
        std::fs::write(&file, template(provider)).unwrap();
        let run = simulate(&[&web, file.to_str().unwrap(), "--traffic", "rps=1", "--seeds", "0"]);
        (run.code, run.err)
    };
    for (provider, why) in [
        ("{web: {url: 'http://web', jsonPath: '{$}'}}", "its provider is not prometheus"),
        (
            "{prometheus: {address: 'http://p', query: 'topk(1, a)'}}",
            "`topk` is not evaluated in a simulation",
        ),
    ] {
        let (code, said) = refused(provider, "template.yaml");
        assert!(code == 2 && said.contains(why) && said.contains("pass --metric a=0.99"), "{said}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
