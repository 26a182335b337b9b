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
    assert!(minutes("median") < 8 && minutes("nine_of_ten") < 14, "{bad}");
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
        ("{prometheus: {address: 'http://p', query: 'sum(5)'}}", "a vector is expected, and not a number"),
        (
            "{prometheus: {address: 'http://p', query: 'topk(1, a)'}}",
            "`topk` is not evaluated in a simulation",
        ),
    ] {
        let (code, said) = refused(provider, "template.yaml");
        assert!(code == 2 && said.contains(why) && said.contains("pass --metric a=0.99"), "{said}");
    }
    let compare = "{plugin: {rollout-core/compare: {aplha: 0.1}}}";
    let (code, said) = refused(compare, "template.yaml");
    assert!(code == 2 && said.contains("aplha") && said.contains("is no setting of it"), "{said}");
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Where a simulated request has no such label, or no such name, a real one may not, either.
#[test]
fn what_is_taken_for_granted_is_said_before_anything_is_played() {
    let query = |labels: &str| format!("sum(rate(istio_requests_total{{{labels}}}[1m])) or vector(0)");
    let folder = std::env::temp_dir().join(format!("doubts-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("template.yaml");
    let web = format!("{COMPARE}/web.yaml");
    let said = |query: &str| {
        let template = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate",
            "metadata": {"name": "no-worse-than-stable"},
            "spec": {"args": [{"name": "canary"}, {"name": "stable"}], "metrics": [{
                "name": "a", "interval": "1m", "successCondition": "result[0] < 1e9",
                "provider": {"prometheus": {"address": "http://p", "query": query}}
            }]}
        });
        std::fs::write(&file, template.to_string()).unwrap();
        let label = "spec.template.metadata.labels.version=v2";
        simulate(&[&web, file.to_str().unwrap(), "--traffic", "rps=1", "--seeds", "0", "--set", label]).err
    };
    for (labels, doubt) in [
        ("destination_service_name=\"web-canry\"", "is no label of simulated requests: it is taken to hold"),
        ("outcome!=\"SERVER_ERROR\"", "`outcome` with \"SERVER_ERROR\" is no label of simulated requests"),
        (
            "grpc_status=\"OK\"",
            "`grpc_status` with \"OK\" is no label of simulated requests: it is taken to hold",
        ),
        ("response_code=~\"502|503\"", "is the code of no simulated answer: they are 200 and 500"),
    ] {
        let said = said(&query(labels));
        assert!(said.contains(doubt), "{labels}: {said}");
    }
    assert!(said("sum(up)").contains("`up` is taken to count requests"));
    let bucket = "histogram_quantile(0.9, rate(a_seconds_bucket{le=\"0.3\"}[1m]))";
    assert!(said(bucket).contains("no bucket has `le` \"0.3\": they end at 0.0005, 0.001,"));
    for fine in [
        "reporter=\"source\",destination_service_name=\"web-canary\",response_code!~\"5..\"",
        "destination_service=~\"web-canary.default.svc.cluster.local\",source_workload!=\"load\"",
        "pod=~\"web-stable-.*\",namespace=\"default\",destination_app=\"web\"",
        "destination_version=\"v2\"",
        "cluster_name=\"outbound|80||web-canary.default.svc.cluster.local\"",
    ] {
        let said = said(&query(fine));
        assert!(!said.contains("simulated"), "{fine}: {said}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// The 95th percentile is 215 ms, whether or not one answer in a thousand is bad.
#[test]
fn a_latency_does_not_depend_on_rare_errors() {
    let folder = std::env::temp_dir().join(format!("latency-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("template.yaml");
    let query = "histogram_quantile(0.95, sum by (le) (rate(http_duration_seconds_bucket{service=\"{{args.canary}}\"}[2m])))";
    let template = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate", "metadata": {"name": "no-worse-than-stable"},
        "spec": {"args": [{"name": "canary"}, {"name": "stable"}], "metrics": [{
            "name": "p95", "interval": "1m",
            "successCondition": "len(result) == 0 || isNaN(result[0]) || result[0] < 0.3",
            "provider": {"prometheus": {"address": "http://p", "query": query}}
        }]}
    });
    std::fs::write(&file, template.to_string()).unwrap();
    for bad in ["0", "0.1%", "1%"] {
        let traffic = format!("rps=100,bad={bad},latency=80ms/0.6");
        let words =
            [&format!("{COMPARE}/web.yaml"), file.to_str().unwrap(), "--traffic", &traffic, "--seeds", "10"];
        let seeds = of_kind(&events("web", &words), "seeds")[0].clone();
        assert_eq!(seeds["ends"], json!({"healthy": 10}), "{bad}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn two_rollouts_draw_different_requests() {
    let read = |name: &str| std::fs::read_to_string(format!("../{COMPARE}/{name}")).unwrap();
    let (web, template) = (read("web.yaml"), read("template.yaml"));
    let file = std::env::temp_dir().join(format!("two-{}.yaml", std::process::id()));
    std::fs::write(&file, [&*web, &web.replace("web", "api"), &template].join("\n---\n")).unwrap();
    let run = simulate(&[file.to_str().unwrap(), "--traffic", "rps=100,bad=1%", "--seeds", "0", "--json"]);
    std::fs::remove_file(&file).unwrap();
    let lines = run.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let answers: Vec<Value> =
        lines.filter(|line| line["kind"] == "summary").map(|line| line["answers"].clone()).collect();
    assert!(answers.len() == 2 && answers[0] != answers[1], "{answers:?}");
}

/// A query that looks back over minutes sees them from the beginning on.
#[test]
fn requests_have_arrived_before_the_update() {
    let file = std::env::temp_dir().join(format!("history-{}.yaml", std::process::id()));
    let template = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate", "metadata": {"name": "no-worse-than-stable"},
        "spec": {"args": [{"name": "canary"}, {"name": "stable"}], "metrics": [{
            "name": "rate", "interval": "1m", "successCondition": "result[0] > 90",
            "provider": {"prometheus": {"address": "http://p", "query": "sum(rate(requests_total[30m] offset 20m))"}}
        }]}
    });
    std::fs::write(&file, template.to_string()).unwrap();
    let web = format!("{COMPARE}/web.yaml");
    let run = simulate(&[&web, file.to_str().unwrap(), "--traffic", "rps=100", "--seeds", "0"]);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(run.code, 0, "{}", run.out);
}
