use super::*;
#[cfg(feature = "played")]
use serde_json::json;

/// Counters that rise by so much every 15 seconds, for ten minutes.
struct Counters(Vec<Counter>);

type Counter = (&'static str, Vec<(&'static str, &'static str)>, f64);

impl Source for Counters {
    fn select(&self, metric: &str, matchers: &[Matcher], from: Millis, to: Millis) -> Vec<Series> {
        let fulfils = |labels: &[(&str, &str)]| {
            matchers.iter().all(|matcher| {
                let value =
                    labels.iter().find(|(label, _)| *label == matcher.label).map_or("", |(_, value)| value);
                matcher.names(value) != matcher.is_negative()
            })
        };
        let found = self.0.iter().filter(|(name, labels, _)| *name == metric && fulfils(labels));
        let series = found.map(|(_, labels, rise)| Series {
            labels: labels.iter().map(|(label, value)| ((*label).to_owned(), (*value).to_owned())).collect(),
            samples: (0..=40)
                .map(|step| (step * 15_000, f64::from(i32::try_from(step).unwrap()) * rise))
                .filter(|(at, _)| from < *at && *at <= to)
                .collect(),
        });
        series.filter(|series| !series.samples.is_empty()).collect()
    }
}

fn counters() -> Counters {
    let requests = |code, pod, rise| ("requests", vec![("code", code), ("pod", pod)], rise);
    let bucket = |le, rise| ("seconds_bucket", vec![("le", le)], rise);
    Counters(vec![
        requests("200", "a", 97.0),
        requests("500", "a", 3.0),
        requests("200", "b", 50.0),
        bucket("0.1", 60.0),
        bucket("0.5", 90.0),
        bucket("1", 99.0),
        bucket("+Inf", 100.0),
    ])
}

fn answer(query: &str) -> Result<Answer, String> {
    evaluate(&parse(query)?, 600_000, &counters())
}

fn vector(query: &str) -> Vec<f64> {
    match answer(query).unwrap_or_else(|why| panic!("{query}: {why}")) {
        Answer::Vector(series) => series.into_iter().map(|(_, value)| value).collect(),
        Answer::Scalar(number) => panic!("{query}: {number}"),
    }
}

fn is_near(query: &str, values: &[f64]) {
    let found = vector(query);
    let near = |(one, other): (&f64, &f64)| (one - other).abs() < 1e-9 || one.is_nan() && other.is_nan();
    assert!(found.len() == values.len() && found.iter().zip(values).all(near), "{query}: {found:?}");
}

/// Queries, and what they answer ten minutes after the counters began.
const CASES: &[(&str, &[f64])] = &[
    ("sum(rate(requests{code!~\"5..\"}[5m])) / sum(rate(requests[5m]))", &[0.98]),
    ("sum(irate(requests{code=~\"5.*\"}[1m])) / sum(irate(requests{pod='a'}[1m]))", &[0.03]),
    ("sum by (pod) (rate(requests[2m])) * 15", &[100.0, 50.0]),
    ("sum(rate(requests[2m])) by (pod) > bool 5", &[1.0, 0.0]),
    ("histogram_quantile(0.9, sum by (le) (rate(seconds_bucket[5m])))", &[0.5]),
    ("histogram_quantile(0.75, rate(seconds_bucket[5m]))", &[0.3]),
    ("sum(increase(requests{pod=\"b\"}[5m]))", &[1000.0]),
    ("sum(requests{pod=\"b\"} offset 5m) or vector(0)", &[1000.0]),
    ("sum(rate(none[5m])) or vector(0)", &[0.0]),
    ("sum(rate(none[5m])) / sum(rate(requests[5m]))", &[]),
    ("100 * (1 - sum(rate(requests{code=\"500\"}[5m])) / sum(rate(requests[5m]))) - 2", &[96.0]),
    (
        "avg_over_time(requests{pod=\"b\"}[59s]) - ignoring(x) max_over_time(requests{pod=\"b\"}[59s])",
        &[-75.0],
    ),
    ("vector(0) / vector(0)", &[f64::NAN]),
    ("clamp_max(vector(0) / vector(0), 1)", &[f64::NAN]),
    ("clamp_max(sum(requests), 5) + on() vector(2 ^ 3 ^ 0)", &[7.0]),
    ("-sum(requests{pod=\"b\"}) ^ 2 / 1e3 # a comment", &[-4000.0]),
    ("count(requests) and on() (sum(requests) > 1)", &[3.0]),
    ("absent(none)", &[1.0]),
    ("{__name__=\"requests\", pod=\"b\"} < 1000", &[]),
];

#[test]
fn queries_of_analyses_are_answered() {
    for (query, values) in CASES {
        is_near(query, values);
    }
    assert_eq!(answer("scalar(sum(requests{pod=\"b\"}))"), Ok(Answer::Scalar(2000.0)));
    assert_eq!(answer("1 > bool 2"), Ok(Answer::Scalar(0.0)));
}

/// Prometheus' own tool, which the tests on a cluster need anyway, must answer all of it alike.
#[cfg(feature = "played")]
#[test]
fn promtool_answers_the_same() {
    let series = counters().0.into_iter().map(|(name, labels, rise)| {
        let labels: Vec<_> = labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
        json!({"series": format!("{name}{{{}}}", labels.join(",")), "values": format!("0+{rise}x40")})
    });
    // It does not find NaN equal to itself.
    let asked = CASES.iter().filter(|(_, values)| values.iter().all(|value| !value.is_nan()));
    let expressions = asked.map(|(query, _)| {
        let Ok(Answer::Vector(answer)) = answer(query) else { panic!("{query}") };
        let samples = answer.into_iter().map(|(labels, value)| {
            let labels: Vec<_> = labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
            json!({"labels": format!("{{{}}}", labels.join(",")), "value": value})
        });
        json!({"expr": query, "eval_time": "10m", "exp_samples": samples.collect::<Vec<_>>()})
    });
    let test = json!({
        "interval": "15s", "input_series": series.collect::<Vec<_>>(),
        "promql_expr_test": expressions.collect::<Vec<_>>()
    });
    let rules = json!({"rule_files": [], "evaluation_interval": "15s", "tests": [test]});
    let file = std::env::temp_dir().join(format!("promql-{}.yaml", std::process::id()));
    std::fs::write(&file, rules.to_string()).unwrap();
    let ran = std::process::Command::new("promtool").args(["test", "rules"]).arg(&file).output().unwrap();
    std::fs::remove_file(&file).unwrap();
    let said = String::from_utf8_lossy(&ran.stdout) + String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}");
}

#[test]
fn a_counter_that_began_anew_goes_on() {
    let span = range::Span { end: 60_000, length: 60_000 };
    let samples = [(15_000, 30.0), (30_000, 40.0), (45_000, 5.0), (60_000, 15.0)];
    let increase = range::apply("increase", &samples, span).unwrap();
    assert!((increase - 25.0 / 45.0 * 60.0).abs() < 1e-9, "{increase}");
    assert_eq!(range::apply("rate", &samples[..1], span), None, "one sample is no rise");
}

#[test]
fn what_is_not_evaluated_is_said() {
    for (query, why) in [
        ("sum(rate(a[5m:1m]))", "a subquery is not evaluated"),
        ("topk(1, a)", "`topk` is not evaluated"),
        ("rate(a)", "`rate` takes a selector with a range"),
        ("abs(a[5m])", "`abs` takes no range"),
        ("a / on(x) group_left b", "`group_left`"),
        ("sum(a", "`)` is missing before the end"),
        ("a{b=~\"(\"}", "is not a regular expression"),
        ("a b", "`b` is not expected here"),
        ("a{", "a condition on a label"),
        ("'a", "a quoted text has no end"),
        ("1 > 2", "needs `bool`"),
        ("{a=\"b\"}", "without the name of a metric"),
        ("a[5]", "`5` is not a time"),
        ("", "the query is empty"),
        ("1 +", "ends too early"),
        ("sum(a,)", "`)` is not expected here"),
        ("a + bool b", "`bool` only stands behind a comparison"),
        ("max_over_time(rate(a[1m])[5m:1m])", "a subquery"),
        ("{__name__=~\"a\"}", "`__name__` is evaluated only"),
        ("a{b=~\"(a{1000}){1000}\"}", "is not a regular expression"),
        ("absent_over_time(a[5m])", "is not evaluated"),
        ("sum by (a:b) (c)", "`a:b` cannot be the name of a label"),
        ("c{a:b=\"d\"}", "`a:b` cannot be the name of a label"),
    ] {
        let error = answer(query).unwrap_err();
        assert!(error.contains(why), "{query}: {error}");
    }
    assert!(parse(&"1+".repeat(8_000)).unwrap_err().contains("operators"));
    let deep = format!("{}1{}", "(".repeat(5_000), ")".repeat(5_000));
    assert!(parse(&deep).unwrap_err().contains("stand in each other"));
}
