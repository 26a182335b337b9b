//! What is said about templates before they run: about those that people write, and about their mistakes.

use crate::conditions::public;
use core::time::Duration;
use rollout_core::{
    Finding, Severity, Step, Strategy,
    analysis::{
        Analysis, Around, Background, Condition, RunRole, RunSpec, Traffic, Value, lint, power, verdict,
    },
};
use serde_json::{Value as Json, json};

/// A success rate by canary and stable, as most public templates ask for it.
const RATE: &str =
    "sum(rate(http_requests_total{service=\"web\",code!~\"5..\"}[1m])) / sum(rate(http_requests_total[1m]))";
/// A count of something.
const COUNT: &str = "sum(increase(errors_total{namespace=\"shop\"}[2m]))";
const GUARDED: &str = "len(result) == 0 || isNaN(result[0]) || result[0] >= 0.95";

fn pause(minutes: u64) -> Step {
    Step::Pause(Some(Duration::from_secs(60 * minutes)))
}

/// 20 % for five minutes, an analysis, 50 % for ten; and an analysis beside the steps from the first pause on.
fn strategy() -> Strategy {
    let analysis = || Analysis::of("a").into();
    let steps = [Step::SetWeight(20), pause(5), Step::Analysis(analysis()), Step::SetWeight(50), pause(10)];
    let background = Background { analysis: analysis(), starting_step: 1 };
    Strategy::builder().traffic_routing(true).steps(steps).background(Some(background)).build().unwrap()
}

/// Beside two pauses of five minutes.
fn paused() -> Around {
    let steps = [Step::SetWeight(5), pause(5), Step::SetWeight(50), pause(5)];
    let background = Background { analysis: Analysis::of("a").into(), starting_step: 0 };
    let strategy = Strategy::builder().steps(steps).background(Some(background)).build().unwrap();
    Around::of(&strategy, RunRole::Background)
}

fn in_step() -> Around {
    Around::of(&strategy(), RunRole::Step(2))
}

/// A metric of Prometheus.
fn prometheus(query: &str, fields: &Json) -> Json {
    with(&json!({"name": "m", "provider": {"prometheus": {"address": "http://p", "query": query}}}), fields)
}

fn web(fields: &Json) -> Json {
    with(&json!({"name": "m", "provider": {"web": {"url": "http://web", "jsonPath": "{$.data}"}}}), fields)
}

fn with(metric: &Json, fields: &Json) -> Json {
    let mut metric = metric.clone();
    for (key, value) in fields.as_object().unwrap() {
        metric[key] = value.clone();
    }
    metric
}

fn said(metric: &Json, around: &Around) -> Vec<String> {
    let findings = lint(&RunSpec::read(&json!({"metrics": [metric]})), around);
    findings.iter().map(|finding| format!("{} {finding}", finding.severity)).collect()
}

#[test]
fn nothing_is_said_about_sound_metrics() {
    let job = json!({"name": "m", "provider": {"job": {"spec": {}}}});
    let range = json!({"prometheus": {"query": RATE, "rangeQuery": {"start": "now()", "end": "now()", "step": "1m"}}});
    let sound = [
        prometheus(RATE, &json!({"interval": "1m", "successCondition": GUARDED})),
        prometheus(
            RATE,
            &json!({"interval": "1m", "successCondition": "len(result) > 0 && result[0] >= 0.95"}),
        ),
        prometheus(COUNT, &json!({"interval": "1m", "failureCondition": "len(result) > 0 && result[0] > 3"})),
        prometheus(
            COUNT,
            &json!({"interval": "30s", "count": 10, "failureLimit": 3, "successCondition": "len(result) == 0 || result[0] < 5"}),
        ),
        prometheus(&format!("{COUNT} or vector(0)"), &json!({"successCondition": "result[0] == 0"})),
        prometheus("vector(1)", &json!({"successCondition": "result[0] == 1", "failureLimit": 0})),
        prometheus(
            &format!("scalar({RATE})"),
            &json!({"successCondition": "isNaN(result) || result >= 0.95"}),
        ),
        prometheus("scalar(vector(1))", &json!({"successCondition": "result == 1"})),
        prometheus("count(up == 0)", &json!({"successCondition": "len(result) == 0"})),
        prometheus("up{job=\"a/b\"}", &json!({"successCondition": "len(result) > 0 && all(result, # == 1)"})),
        prometheus("max(latency)", &json!({"successCondition": "len(result) > 0 ? result[0] >= 1 : false"})),
        prometheus(
            "errors / (requests > 0)",
            &json!({"successCondition": "len(result) == 0 || result[0] < 0.1"}),
        ),
        // NaN is bad, and that is what is meant.
        prometheus(
            RATE,
            &json!({"successCondition": "len(result) == 0 || !isNaN(result[0]) && result[0] >= 0.95"}),
        ),
        // A gap between the two is legal.
        prometheus(
            RATE,
            &json!({
                "successCondition": "len(result) > 0 && result[0] >= 0.95", "failureCondition": "len(result) > 0 && result[0] < 0.9",
                "interval": "1m", "count": 3, "inconclusiveLimit": 2,
            }),
        ),
        // What stands for an argument that is known later.
        prometheus("0", &json!({"successCondition": "result[0] == 1"})),
        prometheus("temp-for-secret", &json!({"successCondition": "result >= temp-for-secret"})),
        with(&job, &json!({"count": 1, "failureLimit": 0})),
        with(&job, &json!({"interval": "10s", "count": 3, "failureLimit": 1})),
        with(&job, &json!({"interval": "10s", "failureLimit": -1, "consecutiveSuccessLimit": 3})),
        web(&json!({"successCondition": "result.successRate >= 0.95"})),
        web(&json!({"successCondition": "result == 'healthy'"})),
        web(&json!({"successCondition": "result < 200", "failureCondition": "result > 500"})),
        web(
            &json!({"successCondition": "asInt(result) >= 1", "interval": "30s", "count": 5, "failureLimit": 2}),
        ),
        web(
            &json!({"successCondition": "result.decision == 'Successful'", "failureCondition": "result.decision == 'Rollback'"}),
        ),
        web(&json!({"successCondition": "all(result, {asFloat(.v) >= 9900})"})),
        // It passes if the address answers.
        web(&json!({})),
        json!({"name": "m", "provider": {"datadog": {"query": "avg:a"}}, "successCondition": "default(result, 0) < 0.05"}),
        json!({"name": "m", "provider": {"datadog": {"apiVersion": "v2", "query": "a"}}, "successCondition": "result[0] < 0.05"}),
        json!({"name": "m", "provider": {"newRelic": {"query": "SELECT"}}, "successCondition": "result.rate < 0.05"}),
        json!({"name": "m", "provider": {"cloudWatch": {}}, "successCondition": "len(result[0].Values) >= 5 and all(result[0].Values, {# <= 0.01})"}),
        json!({"name": "m", "provider": {"plugin": {"rollout-core/compare": {}}}, "interval": "30s", "count": 20}),
        json!({"name": "m", "provider": range, "successCondition": "all(result, # >= 0.95)"}),
    ];
    for metric in &sound {
        let spec = RunSpec::read(&json!({"metrics": [metric]}));
        assert_eq!(spec.invalid(), None, "{metric}");
        assert_eq!(said(metric, &Around::of(&strategy(), RunRole::Background)), [""; 0], "{metric}");
    }
}

#[track_caller]
fn each(rows: &[(Json, &str)]) {
    for (metric, expected) in rows {
        assert_eq!(said(metric, &paused()), [*expected], "{metric}");
    }
}

#[test]
fn a_mistake_in_a_condition_is_said_with_what_to_write() {
    let datadog =
        json!({"name": "m", "provider": {"datadog": {"query": "a"}}, "successCondition": "result < 0.05"});
    let rows = [
        // One metric in seven of Prometheus.
        (
            prometheus(RATE, &json!({"successCondition": "result >= 0.95"})),
            "error metrics[0].successCondition: `result >= 0.95` is an error whatever is measured, at character 8: `>=` cannot compare a list of numbers with a number; `result` is a list: write `result[0]` for its first element",
        ),
        (
            prometheus(COUNT, &json!({"failureCondition": "isNaN(result)"})),
            "error metrics[0].failureCondition: `isNaN(result)` is an error whatever is measured, at character 1: `isNaN` needs a number, not a list of numbers; `result` is a list: write `result[0]` for its first element",
        ),
        (
            prometheus(RATE, &json!({"successCondition": "result[0] = 1"})),
            "error metrics[0].successCondition: `result[0] = 1` is an error whatever is measured, at character 11: `=` is no operator here; write `==` to compare",
        ),
        (
            web(&json!({"successCondition": "results.ok"})),
            "error metrics[0].successCondition: `results.ok` is an error whatever is measured, at character 1: nothing is called `results`; did you mean `result`?",
        ),
        (
            with(&datadog, &json!({"successCondition": "result[0] < 1"})),
            "error metrics[0].successCondition: `result[0] < 1` is an error whatever is measured, at character 7: a number has no elements; `result` is a number: write `result` without index or field",
        ),
        // Some servers answer a scalar with a list.
        (
            prometheus("scalar(up) or vector(1)", &json!({"successCondition": "result == 1"})),
            "error metrics[0].successCondition: `result == 1` is an error whatever is measured, at character 8: a list of numbers is never equal to a number; `result` is a list: write `result[0]` for its first element",
        ),
        (
            prometheus("scalar(up)", &json!({"successCondition": "result[0] == 1"})),
            "warning metrics[0].successCondition: Prometheus answers this query with one number and no list: the condition is then an error; write `result` without an index, or leave out `scalar(…)`",
        ),
        (
            prometheus(COUNT, &json!({"successCondition": "result[0] < 5"})),
            "warning metrics[0].successCondition: an answer without data is an error: the list is empty when no series matches; write `len(result) == 0 || result[0] < 5` if it shall count as good, or `len(result) > 0 && result[0] < 5` if it shall count as bad",
        ),
        (
            prometheus(RATE, &json!({"failureCondition": "result[0] < 0.9"})),
            "warning metrics[0].failureCondition: an answer without data is an error: the list is empty when no series matches; write `len(result) == 0 || isNaN(result[0]) || result[0] < 0.9` if it shall count as bad, or `len(result) > 0 && !isNaN(result[0]) && result[0] < 0.9` if it shall count as good",
        ),
        (
            prometheus(RATE, &json!({"successCondition": "len(result) == 0 || result[0] >= 0.95"})),
            "warning metrics[0].successCondition: an empty answer counts as good, but NaN, which a query gives for 0/0, counts as bad; also write `isNaN(result[0]) || …` behind the guard with `len(result)`",
        ),
        (
            prometheus(RATE, &json!({"successCondition": "isNaN(result[0]) || result[0] >= 0.95"})),
            "warning metrics[0].successCondition: an answer without data is an error: the list is empty when no series matches; write `len(result) == 0 || isNaN(result[0]) || result[0] >= 0.95` if it shall count as good, or `len(result) > 0 && (isNaN(result[0]) || result[0] >= 0.95)` if it shall count as bad",
        ),
        (
            prometheus(RATE, &json!({"successCondition": "default(result[0], 1) >= 0.95"})),
            "warning metrics[0].successCondition: `default` asks whether all of `result` is nothing, and is all of it otherwise: the condition is an error; write `len(result) == 0 || result[0] …` instead",
        ),
        (
            prometheus("scalar(up)", &json!({"successCondition": "result == 1"})),
            "warning metrics[0].successCondition: without data, the answer is NaN, and that counts as bad; write `isNaN(result) || result == 1` if it shall count as good, or `!isNaN(result) && result == 1` if it shall count as bad",
        ),
        (
            datadog,
            "warning metrics[0].successCondition: an answer without data is an error: Datadog then answers nothing; write `default(result, 0)` for `result`, with the value that it shall have",
        ),
    ];
    each(&rows);
}

#[test]
fn a_mistake_in_limits_and_times_is_said_with_what_to_write() {
    let guarded = |fields| with(&json!({"successCondition": GUARDED}), &fields);
    let job = |fields| with(&json!({"name": "m", "provider": {"job": {}}}), &fields);
    let compare = json!({"name": "m", "provider": {"plugin": {"rollout-core/compare": {}}}});
    let rows = [
        (
            prometheus(RATE, &json!({})),
            "warning metrics[0].name: there is no condition: every answer counts as good; write a `successCondition`, such as `result[0] >= 0.95`",
        ),
        (
            prometheus(RATE, &guarded(json!({"interval": "1m", "count": 5, "failureLimit": 5}))),
            "warning metrics[0].failureLimit: the metric can never fail: 5 failures are allowed, and it is measured 5 times; write `failureLimit: 4` or less",
        ),
        (
            job(json!({"failureLimit": 1})),
            "warning metrics[0].failureLimit: the metric can never fail: 1 failure is allowed, and it is measured once; write `failureLimit: 0`",
        ),
        (
            job(json!({"successCondition": "result == 1"})),
            "warning metrics[0].successCondition: the condition is ignored: the Job says whether it is a success; leave it out",
        ),
        (
            with(&compare, &json!({"failureCondition": "result[0] >"})),
            "warning metrics[0].failureCondition: the condition is ignored: the comparison says whether it is a success; leave it out",
        ),
        (
            web(&json!({"successCondition": "result >= 0.95", "failureCondition": "result < 0.97"})),
            "warning metrics[0].failureCondition: the answer 0.96 is good and bad at once, and then counts as bad; write two conditions that are never true together, or leave one out",
        ),
        (
            web(&json!({"successCondition": "result[0] < 5", "failureCondition": "5 > result[0]"})),
            "error metrics[0].failureCondition: whenever the successCondition is true, this is true as well, and that counts as bad; write two conditions that are never true together, or leave one out",
        ),
        (
            prometheus(
                COUNT,
                &json!({"successCondition": "len(result) == 0 || result[0] < 5", "failureCondition": "len(result) == 0 || result[0] > 5"}),
            ),
            "warning metrics[0].failureCondition: an empty answer is good and bad at once, and then counts as bad; write two conditions that are never true together, or leave one out",
        ),
        (
            prometheus(RATE, &guarded(json!({"interval": "1m", "count": 30}))),
            "warning metrics[0].count: the run outlasts the steps: its last measurement is due after 29 minutes, and they are over after 10 minutes; write a smaller `count` or longer pauses, or no `count`: it is then measured to the end",
        ),
        (
            prometheus(RATE, &guarded(json!({"interval": "1m", "initialDelay": "15m"}))),
            "warning metrics[0].initialDelay: it is never measured: the steps are over after 10 minutes; write a shorter delay, or longer pauses",
        ),
        (
            prometheus("rate(a[30m])", &guarded(json!({"interval": "1m"}))),
            "warning metrics[0].provider.prometheus.query: the query looks back 30 minutes, but the canary has had requests for 10 minutes when it is last measured: each answer is also about the time before; write a shorter range, or pauses that are 20 minutes longer",
        ),
    ];
    each(&rows);
}

#[test]
fn a_step_must_end_and_a_run_beside_the_steps_need_not() {
    let endless = prometheus(RATE, &json!({"interval": "1m", "successCondition": GUARDED}));
    let expected = "warning metrics[0].interval: the step never ends by itself: the metric is measured again and again, \
                    without a `count`; write `count: 10` or the like, or move the analysis beside the steps";
    assert_eq!(said(&endless, &in_step()), [expected]);
    assert_eq!(said(&with(&endless, &json!({"consecutiveSuccessLimit": 3})), &in_step()), [""; 0]);
    assert_eq!(said(&endless, &paused()), [""; 0]);
}

#[test]
fn a_step_is_judged_by_what_the_canary_did() {
    let looks = |range: &str, around: &Around| {
        let metric = prometheus(
            &format!("rate(a[{range}])"),
            &json!({"interval": "20s", "count": 3, "successCondition": GUARDED}),
        );
        said(&metric, around)
    };
    assert_eq!(looks("5m", &in_step()), [""; 0], "the pause before it has five minutes");
    let expected = "warning metrics[0].provider.prometheus.query: the query looks back 10 minutes, but the canary has had \
                    requests for 6 minutes when it is last measured: each answer is also about the time before; write a \
                    shorter range, or a pause of 4 minutes before the step";
    assert_eq!(looks("10m", &in_step()), [expected]);
    // A person ends the pause: nobody knows how long that takes.
    let steps = [Step::SetWeight(20), Step::Pause(None), Step::Analysis(Analysis::of("a").into())];
    let strategy = Strategy::builder().steps(steps).build().unwrap();
    assert_eq!(looks("10m", &Around::of(&strategy, RunRole::Step(2))), [""; 0]);
}

#[test]
fn a_metric_without_consequences_is_never_wrong() {
    let metric = prometheus(RATE, &json!({"successCondition": "result >= 0.95", "failureLimit": 1}));
    let run = json!({"metrics": [metric], "dryRun": [{"metricName": ".*"}]});
    let findings = lint(&RunSpec::read(&run), &paused());
    let severities: Vec<_> = findings.iter().map(|finding| finding.severity).collect();
    assert_eq!(severities, [Severity::Warning], "{findings:?}");
}

#[test]
fn an_invalid_run_is_left_to_its_own_message() {
    let metric = prometheus(RATE, &json!({"count": 3, "successCondition": "result >= 0.95"}));
    assert_eq!(said(&metric, &paused()), [""; 0]);
}

/// No condition that is refused could ever have been true or false.
#[test]
fn what_is_refused_never_gives_an_answer() {
    let conditions: Vec<String> = public().into_iter().map(|(_, condition)| condition).collect();
    let values = [vec![], vec![0.5], vec![1.0, 2.0, 3.0], vec![f64::NAN]].map(Value::Numbers);
    let mut refused = 0;
    for condition in &conditions {
        let metric = prometheus(RATE, &json!({"successCondition": condition}));
        let is_refused = said(&metric, &paused()).iter().any(|said| said.starts_with("error"));
        refused += usize::from(is_refused);
        let Ok(parsed) = Condition::parse(condition) else { continue };
        let answers = values.iter().any(|value| verdict(Some(&parsed), None, value).is_ok());
        assert!(!(is_refused && answers), "{condition}");
        // Nor is anything refused that a JSON body might satisfy.
        let of_web = said(&web(&json!({"successCondition": condition})), &paused());
        assert_eq!(of_web, [""; 0], "{condition}");
    }
    assert!(refused > 10 && refused < conditions.len(), "{refused} of {}", conditions.len());
}

#[test]
fn a_comparison_needs_traffic() {
    let compare = |settings: Json| {
        let provider = json!({"plugin": {"rollout-core/compare": settings}});
        RunSpec::read(
            &json!({"metrics": [{"name": "m", "interval": "1m", "count": 10, "provider": provider}]}),
        )
    };
    let exact = compare(json!({"tolerance": 1}));
    let of = |spec: &RunSpec, around: &Around, requests| -> Vec<String> {
        let traffic = Traffic { requests, bad: 0.005 };
        power(spec, around, Some(&traffic)).iter().map(|finding: &Finding| finding.what.clone()).collect()
    };
    // In a step, the metric says how long it takes.
    let expected = "10 minutes at 20 % of 5 requests a second cannot show a threefold error rate: 47 minutes are needed, \
                    or 31 minutes at 50 %";
    assert_eq!(of(&exact, &in_step(), 5.0), [expected]);
    assert_eq!(of(&exact, &in_step(), 50.0), [""; 0]);
    // What several pauses bring comes together.
    let expected = "5 minutes at 5 % and 5 minutes at 50 % of 5 requests a second cannot show a threefold error rate: \
                    154 minutes at 5 % are needed, or 31 minutes at 50 %";
    assert_eq!(of(&exact, &paused(), 5.0), [expected]);
    // A canary that is that much worse is within the tolerance.
    let nothing = of(&compare(json!({"tolerance": "4"})), &in_step(), 50.0);
    assert!(nothing[0].ends_with("cannot show a threefold error rate: no time is enough"), "{nothing:?}");
    // Where a pause has no end, any traffic is enough.
    assert_eq!(of(&exact, &Around::of(&strategy(), RunRole::Background), 0.1), [""; 0]);
    let without = power(&exact, &in_step(), None);
    assert_eq!(
        (without.len(), without[0].severity, &*without[0].path),
        (1, Severity::Warning, "metrics[0].provider.plugin")
    );
    assert!(
        without[0].what.starts_with("in 10 minutes at 20 %, a threefold error rate shows at 23 "),
        "{without:?}"
    );
    assert!(lint(&exact, &in_step()).is_empty(), "how much traffic there is only others know");
}
