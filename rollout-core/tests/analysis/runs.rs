//! Laws of runs: for random specs, whatever providers answer and whenever somebody looks.

use core::time::Duration;
use proptest::{collection, option, prelude::*, sample::select};
use rollout_core::{
    Time,
    analysis::{Answer, Ask, Phase, RunNext, RunSpec, RunStatus, RunTurn, Value, assess, record},
};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

fn metric(name: &'static str) -> impl Strategy<Value = Json> {
    (
        option::of(select(vec!["0s", "10s", "30s", "5m"])),
        option::of(select(vec!["0s", "5s", "1m"])),
        option::of(1..6_i64),
        option::of(-1..3_i64),
        option::of(0..2_i64),
        option::of(0..3_i64),
    )
        .prop_map(move |(interval, delay, count, failures, errors, successes)| {
            json!({
                "name": name, "interval": interval, "initialDelay": delay, "count": count, "failureLimit": failures,
                "consecutiveErrorLimit": errors, "consecutiveSuccessLimit": successes,
                "successCondition": "result[0] >= 0.95", "failureCondition": "result[0] < 0.9",
                "provider": {"prometheus": {}},
            })
        })
}

/// A run of which the first metric has no consequences.
fn run() -> impl Strategy<Value = RunSpec> {
    (metric("dry"), metric("a"), metric("b"))
        .prop_map(|(dry, a, b)| {
            RunSpec::read(&json!({"metrics": [dry, a, b], "dryRun": [{"metricName": "^dry$"}]}))
        })
        .prop_filter("a run that is invalid ends at once", |spec| spec.invalid().is_none())
}

fn answer() -> impl Strategy<Value = Answer> {
    let value = |number| Answer::Value(Value::Numbers(vec![number]));
    prop_oneof![
        8 => Just(value(0.99)),
        2 => Just(value(0.93)),
        2 => Just(value(0.5)),
        1 => Just(Answer::Value(Value::Numbers(vec![]))),
        1 => Just(Answer::Unanswered { why: "timeout".into(), after: None }),
        1 => Just(Answer::Unanswered { why: "429".into(), after: Some(Duration::from_secs(7)) }),
        1 => Just(Answer::Running { resume: Some(Duration::from_secs(9)), metadata: BTreeMap::new() }),
    ]
}

/// One look: seconds after the last one, and the answers.
type Look = (i64, Vec<Answer>);

fn looks() -> impl Strategy<Value = Vec<Look>> {
    collection::vec((0..400_i64, collection::vec(answer(), 9)), 1..24)
}

/// Looks at a run, and returns its status after each look, with what was asked.
fn play(
    spec: &RunSpec,
    looks: &[Look],
    answer: impl Fn(&Ask, &Answer) -> Answer,
) -> Vec<(Time, Vec<Ask>, RunStatus)> {
    let (mut now, mut status) = (0, RunStatus::default());
    let mut trace = Vec::new();
    for (later, answers) in looks {
        now += later;
        let before = status.clone();
        let mut round = 0;
        let mut turn = RunTurn::begin(spec, &before, Time::from_secs(now));
        let mut asked = Vec::new();
        loop {
            match turn.next() {
                RunNext::Ask(asks) => {
                    asked.extend(asks.clone());
                    let said = |ask: Ask| {
                        let place =
                            spec.metrics().iter().position(|metric| metric.name() == ask.metric()).unwrap();
                        (ask.clone(), answer(&ask, &answers[round * 3 + place]))
                    };
                    turn.answered(&asks.into_iter().map(said).collect::<Vec<_>>());
                    round += 1;
                }
                RunNext::Store(next) => status = next,
                RunNext::Done { wake } => {
                    let moved = !asked.is_empty() || status != before;
                    assert!(moved || wake.is_none_or(|wake| wake > Time::from_secs(now)), "this would loop");
                    break;
                }
            }
        }
        trace.push((Time::from_secs(now), asked, status.clone()));
    }
    trace
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn ask_once(spec in run(), looks in looks()) {
        for (_, _, status) in play(&spec, &looks, |_, said| said.clone()) {
            for metric in spec.metrics() {
                let Some(result) = status.metric(metric.name()) else { continue };
                prop_assert!(metric.count().is_none_or(|count| u64::try_from(result.count).unwrap() <= count));
                for pair in result.measurements.windows(2) {
                    let wait = match metric.interval() {
                        Some(interval) if pair[0].phase != Phase::Error => interval.max(Duration::from_secs(1)),
                        _ => Duration::from_secs(10),
                    };
                    let (ended, begun) = (pair[0].finished_at.unwrap(), pair[1].started_at.unwrap());
                    prop_assert!(ended + wait <= begun, "{}: {ended} + {wait:?} > {begun}", metric.name());
                }
            }
        }
    }

    #[test]
    fn done_is_final_and_looking_early_is_harmless(spec in run(), looks in looks(), early in 0..1000_u64) {
        for (now, _, status) in play(&spec, &looks, |_, said| said.clone()) {
            let plan = assess(&spec, &status, now);
            if status.phase.is_done() {
                prop_assert!(plan.ask.is_empty() && plan.wake.is_none() && plan.status == status);
                let late = (Ask::Measure { metric: "a".into() }, Answer::Value(Value::Numbers(vec![0.0])));
                prop_assert_eq!(record(&spec, &status, &[late], now), status, "a late answer is nothing");
            } else if let Some(wake) = plan.wake.filter(|wake| plan.ask.is_empty() && *wake > now) {
                let earlier = (now + Duration::from_secs(early)).min(Time::from_millis(wake.as_millis() - 1));
                let again = assess(&spec, &plan.status, earlier);
                prop_assert!(again.ask.is_empty() && again.status == plan.status, "before {wake}, nothing is due");
                prop_assert!(!assess(&spec, &plan.status, wake).ask.is_empty(), "at {wake}, something is");
            }
        }
    }

    #[test]
    fn dry_run_is_mute(spec in run(), looks in looks(), other in answer()) {
        let other = |ask: &Ask, said: &Answer| if ask.metric() == "dry" { other.clone() } else { said.clone() };
        let plays = [play(&spec, &looks, |_, said| said.clone()), play(&spec, &looks, other)];
        for ((_, _, one), (_, _, two)) in plays[0].iter().zip(&plays[1]) {
            for name in ["a", "b"] {
                prop_assert_eq!(one.metric(name), two.metric(name));
            }
            prop_assert!(!one.phase.is_done() || !two.phase.is_done() || one.phase == two.phase);
        }
    }

    #[test]
    fn what_is_stored_is_read_again(spec in run(), looks in looks()) {
        for (_, _, status) in play(&spec, &looks, |_, said| said.clone()) {
            prop_assert_eq!(RunStatus::read(&status.write()), status);
        }
    }

    #[test]
    fn skew_delays_by_one_interval_at_most(ahead in 0..100_000_i64) {
        let spec = RunSpec::read(&json!({"metrics": [{"name": "a", "interval": "1m", "provider": {"web": {}}}]}));
        let stored = |at: i64| RunStatus::read(&json!({
            "phase": "Running", "startedAt": "1970-01-01T00:00:00Z",
            "metricResults": [{"name": "a", "phase": "Running", "count": 1, "measurements": [
                {"phase": "Successful", "finishedAt": Time::from_secs(at).to_string()}]}],
        }));
        let status = stored(ahead);
        prop_assert!(!assess(&spec, &status, Time::from_secs(120)).ask.is_empty() || ahead <= 180);
        prop_assert!(assess(&spec, &status, Time::from_secs(ahead.min(60) + 60)).ask.len() <= 1);
        let late = (0..=ahead + 90).step_by(30).find(|now| !assess(&spec, &status, Time::from_secs(*now)).ask.is_empty());
        prop_assert!(late.is_some_and(|late| late <= 120 + 30), "first measured at {late:?}");
    }
}
