//! The comparison as a metric of a run.

use crate::random::Random;
use rollout_core::{
    Time,
    analysis::{Answer, Ask, Compare, Count, Counters, Phase, RunSpec, RunStatus, assess, record},
};
use serde_json::{Value as Json, json};

fn block() -> Json {
    let query = |hash: &str, code: &str| format!("http_requests_total{{hash=\"{hash}\"{code}}}");
    let side = |hash: &str| json!({"requests": query(hash, ""), "bad": query(hash, ",code=~\"5..\"")});
    json!({"prometheus": {"address": "http://prometheus:9090"}, "canary": side("v2"), "stable": side("v1")})
}

fn run(metric: Json) -> RunSpec {
    let mut metric = metric;
    metric["name"] = "errors".into();
    let written = metric.get("provider").cloned().unwrap_or_else(block);
    metric["provider"] = json!({"plugin": {"rollout-core/compare": written}});
    RunSpec::read(&json!({"metrics": [metric]}))
}

/// A run over simulated traffic: a window of 30 s, 100 requests a second, 10 % of them to the canary.
struct Played {
    spec: RunSpec,
    status: RunStatus,
    counters: [f64; 4],
    random: Random,
    now: i64,
}

impl Played {
    fn new(metric: Json) -> Self {
        let spec = run(metric);
        assert_eq!(spec.invalid(), None);
        Self { spec, status: RunStatus::default(), counters: [0.0; 4], random: Random(1), now: 0 }
    }

    fn traffic(&mut self, canary_bad: f64) {
        let (canary, stable) = (self.random.poisson(300.0), self.random.poisson(2_700.0));
        let bad = self.random.poisson(f64::from(canary) * canary_bad);
        let stable_bad = self.random.poisson(f64::from(stable) * 0.005);
        for (counter, risen) in self.counters.iter_mut().zip([canary, bad, stable, stable_bad]) {
            *counter += f64::from(risen);
        }
    }

    fn shown(&self) -> Counters {
        let mut shown = Counters::new();
        for (count, value) in Count::ALL.into_iter().zip(self.counters) {
            shown.insert(count, "pod=a", value).unwrap();
        }
        shown
    }

    fn answer(&mut self, answer: &Answer) {
        let now = Time::from_secs(self.now);
        let ask = assess(&self.spec, &self.status, now).ask;
        assert_eq!(ask, [Ask::Measure { metric: "errors".into() }]);
        self.status = record(&self.spec, &self.status, &[(ask[0].clone(), answer.clone())], now);
        self.status = RunStatus::read(&self.status.write());
        self.now += 30;
    }

    fn measure(&mut self) {
        let metric = &self.spec.metrics()[0];
        let compare = Compare::read(&self.spec, metric).unwrap().unwrap();
        let answer = compare.measure(metric, self.status.metric("errors"), &self.shown());
        self.answer(&answer);
    }

    fn newest(&self) -> (&str, &str) {
        let newest = self.status.metric("errors").unwrap().newest().unwrap();
        (&newest.value, &newest.message)
    }
}

#[test]
fn a_bad_canary_ends_the_run() {
    let mut run = Played::new(json!({"interval": "30s", "count": 100}));
    while run.status.phase != Phase::Failed && run.now < 3_000 {
        run.measure();
        run.traffic(0.05);
    }
    let (value, message) = run.newest();
    assert_eq!(message, "the canary is more than 1.25 times as bad as stable");
    assert!(value.starts_with("canary ") && value.contains(" bad, stable "), "{value}");
    assert!(run.now < 300, "{} s", run.now);
    let why = "Metric \"errors\" assessed Failed due to failed (1) > failureLimit (0): \"Error Message: the canary is \
               more than 1.25 times as bad as stable\"";
    assert_eq!(run.status.message, why);
}

#[test]
fn a_good_canary_passes_early_if_there_is_a_count() {
    let mut run = Played::new(json!({"interval": "30s", "count": 1_000}));
    while run.status.phase != Phase::Successful && run.now < 20_000 {
        run.measure();
        run.traffic(0.005);
    }
    let (_, message) = run.newest();
    assert_eq!(message, "the canary is less than 2 times as bad as stable, so measuring ends");
    let result = run.status.metric("errors").unwrap();
    assert_eq!((result.phase, result.message.as_str()), (Phase::Successful, message));
    assert!(result.count < 100 && run.status.run_summary.successful == 1, "{}", result.count);

    let mut run = Played::new(json!({"interval": "30s"}));
    for _ in 0..200 {
        run.measure();
        run.traffic(0.005);
    }
    assert_eq!(run.status.phase, Phase::Running, "in the background, it watches on");
    assert_eq!(run.status.metric("errors").unwrap().successful, 200);
}

#[test]
fn too_little_traffic_is_inconclusive_and_says_so() {
    let mut run = Played::new(json!({"interval": "30s", "count": 6}));
    for _ in 0..6 {
        run.measure();
        run.traffic(0.005);
    }
    assert_eq!(run.status.phase, Phase::Inconclusive);
    let (value, message) = run.newest();
    let (before, after) = message.split_once(" requests needed, ").unwrap();
    assert!(
        before.starts_with("too little was counted to see a canary that is 2 times as bad: 1"),
        "{before}"
    );
    assert_eq!(after, "5 of 5 windows needed; raise `count`, or the canary's weight");
    assert!(value.ends_with(" of 1"), "{value}");
}

#[test]
fn the_first_look_counts_nothing() {
    let mut run = Played::new(json!({"interval": "30s"}));
    for _ in 0..50 {
        run.traffic(0.5);
    }
    run.measure();
    let nothing = "canary 0 of 0 bad, stable 0 of 0 bad, evidence 0.00 of 1";
    assert_eq!(run.newest(), (nothing, "the counters are read for the first time: counting begins now"));
}

/// The law `evidence_restarts`: no interval counts twice, whatever happens between two looks.
#[test]
fn a_window_without_an_answer_is_a_part_of_the_next() {
    let all = |retention: i64, silent: fn(i64) -> bool| {
        let mut run = Played::new(json!({"interval": "30s", "consecutiveErrorLimit": 100}));
        let spec = json!({"metrics": [{"name": "errors", "interval": "30s", "consecutiveErrorLimit": 100,
            "provider": {"plugin": {"rollout-core/compare": block()}}}],
            "measurementRetention": [{"metricName": "errors", "limit": retention}]});
        run.spec = RunSpec::read(&spec);
        for look in 0..40 {
            if silent(look) {
                run.answer(&Answer::Unanswered { why: "no answer".into(), after: None });
            } else {
                run.measure();
            }
            run.traffic(0.005);
        }
        run.measure();
        let kept = run.status.metric("errors").unwrap().measurements.clone();
        let with_state = kept.iter().filter(|measurement| !measurement.metadata.is_empty()).count();
        assert_eq!((with_state, kept.last().unwrap().metadata.len()), (1, 2), "it is stored once");
        let counted = run.counters.map(|counter| format!("{counter}"));
        (run.newest().0.split(", evidence").next().unwrap().to_owned(), counted)
    };
    for (retention, silent) in
        [(10, (|_| false) as fn(i64) -> bool), (1, |look| look % 3 != 0), (1, |look| look > 0)]
    {
        let (value, [canary, canary_bad, stable, stable_bad]) = all(retention, silent);
        assert_eq!(
            value,
            format!("canary {canary_bad} of {canary} bad, stable {stable_bad} of {stable} bad")
        );
    }
}

#[test]
fn evidence_that_somebody_changed_begins_anew() {
    for key in ["rollout-core/evidence", "rollout-core/counters"] {
        let mut run = Played::new(json!({"interval": "30s"}));
        for _ in 0..5 {
            run.measure();
            run.traffic(0.005);
        }
        let mut stored = run.status.write();
        let newest = &mut stored["metricResults"][0]["measurements"][4];
        newest["metadata"][key] = "nothing".into();
        run.status = RunStatus::read(&stored);
        run.measure();
        let nothing = "canary 0 of 0 bad, stable 0 of 0 bad, evidence 0.00 of 1";
        let said = "somebody has changed the metadata, so the evidence begins anew";
        assert_eq!(run.newest(), (nothing, said));
        run.traffic(0.005);
        run.measure();
        assert!(
            run.newest().0.starts_with("canary ") && !run.newest().0.contains("0 of 0"),
            "{:?}",
            run.newest()
        );
    }
}

#[test]
fn the_settings_are_read_and_alpha_is_divided() {
    let mut written = block();
    for (field, value) in [
        ("alpha", json!("0.02")),
        ("tolerance", json!(1.5)),
        ("floor", json!("0")),
        ("dispersion", json!("2")),
        ("passAt", json!(3)),
        ("beta", json!(0.1)),
    ] {
        written[field] = value;
    }
    let metric = |name: &str| json!({"name": name, "interval": "30s", "provider": {"plugin": {"rollout-core/compare": written}}});
    let other = json!({"name": "other", "provider": {"job": {}}});
    let spec = RunSpec::read(&json!({
        "metrics": [metric("a"), metric("b"), metric("dry"), other], "dryRun": [{"metricName": "dry"}]
    }));
    let read = |name: &str| Compare::read(&spec, spec.metric(name).unwrap());
    assert!(read("other").is_none());
    let compare = read("b").unwrap().unwrap();
    let by = compare.comparison();
    assert_eq!((by.alpha, by.tolerance, by.floor, by.dispersion), (0.01, 1.5, 0.0, Some(2.0)));
    assert_eq!((by.pass_at, by.beta), (3.0, 0.1));
    assert_eq!(compare.query(Count::Stable), "http_requests_total{hash=\"v1\"}");
    assert_eq!(compare.prometheus()["address"], "http://prometheus:9090");
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_the_remedy() {
    let error = |metric: Json| {
        let spec = run(metric);
        Compare::read(&spec, &spec.metrics()[0]).unwrap().unwrap_err().to_string()
    };
    let with = |field: &str, value: Json| {
        let mut written = block();
        written[field] = value;
        error(json!({"interval": "30s", "provider": written}))
    };
    let path = "provider.plugin[rollout-core/compare]";
    for (field, value, what) in [
        ("alpha", json!(2), ".alpha: is 2; write a number from 0.000000001 to 0.5, such as 0.01"),
        ("alpha", json!("small"), ".alpha: is \"small\"; write a number from"),
        ("tolerance", json!(0.5), ".tolerance: is 0.5; write a number from 1 to 100, such as 1.25"),
        ("floor", json!(-1), ".floor: is -1; write a number from 0 to 0.5, such as 0.001"),
        (
            "dispersion",
            json!("much"),
            ".dispersion: is \"much\"; write a number from 1 to 1000, such as 1, or `auto`",
        ),
        (
            "passAt",
            json!(1.1),
            ".passAt: is 1.1, and so much is tolerated; write more than the tolerance, 1.25",
        ),
        ("tolerance", json!(3), ".passAt: is 2, and so much is tolerated; write more than the tolerance, 3"),
        ("beta", json!([]), ".beta: is []; write a number"),
        (
            "prometheus",
            json!("http://prometheus"),
            ".prometheus.address: is missing; write the address of a server, such as `http://HOST:9090`",
        ),
        ("canary", json!({"requests": "a"}), ".canary.bad: is missing; write a query for a counter"),
        (
            "canary",
            json!({"requests": "sum(rate(a[1m]))", "bad": "b"}),
            ".canary.requests: is a rate, and not a counter; write the counter alone",
        ),
        (
            "stable",
            json!({"requests": " ", "bad": "a"}),
            ".stable.requests: is missing; write a query for a counter",
        ),
        (
            "tolerence",
            json!(1),
            ".tolerence: is no setting of it; write one of `prometheus`, `canary`, `stable`",
        ),
    ] {
        let error = with(field, value);
        assert!(error.starts_with(&format!("{path}{what}")), "{error}");
    }
    for (metric, what) in [
        (
            json!({"interval": "30s", "count": 5}),
            "count: after 5 measurements there can be no verdict; write at least 6",
        ),
        (json!({}), "count: after 1 measurements there can be no verdict"),
        (
            json!({"interval": "30s", "successCondition": "true"}),
            "successCondition: `rollout-core/compare` judges by itself; leave it out",
        ),
        (
            json!({"interval": "30s", "consecutiveSuccessLimit": 1}),
            "consecutiveSuccessLimit: `rollout-core/compare` judges",
        ),
        (
            json!({"interval": "30s", "provider": []}),
            "provider.plugin[rollout-core/compare]: is no object; write",
        ),
    ] {
        let error = error(metric);
        assert!(error.starts_with(what), "{error}");
    }
}
