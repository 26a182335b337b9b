//! One look at a run of ten metrics, one measurement put in, one condition.
//!
//! `cargo bench -p benches --bench analysis`

use divan::{AllocProfiler, Bencher};
use rollout_core::{
    Time,
    analysis::{Answer, Ask, Condition, RunSpec, RunStatus, Value, assess, record},
};
use serde_json::{Value as Json, json};
use std::hint::black_box;

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// Ten metrics, each of which has been measured ten times.
fn run() -> (RunSpec, RunStatus) {
    let name = |index: usize| format!("metric-{index}");
    let metrics: Vec<Json> = (0..10)
        .map(|index| {
            json!({
                "name": name(index), "interval": "1m", "successCondition": "len(result) == 0 || result[0] >= 0.95",
                "provider": {"prometheus": {"query": "up"}}
            })
        })
        .collect();
    let measurement = json!({
        "phase": "Successful", "value": "[0.97]", "startedAt": "2026-01-01T00:00:00Z",
        "finishedAt": "2026-01-01T00:00:00Z"
    });
    let result = |index: usize| {
        json!({
            "name": name(index), "phase": "Running", "count": 10, "successful": 10, "consecutiveSuccess": 10,
            "measurements": vec![measurement.clone(); 10]
        })
    };
    let results: Vec<Json> = (0..10).map(result).collect();
    let status = json!({"phase": "Running", "startedAt": "2026-01-01T00:00:00Z", "metricResults": results});
    (RunSpec::read(&json!({"metrics": metrics})), RunStatus::read(&status))
}

fn at(second: u64) -> Time {
    Time::parse_rfc3339("2026-01-01T00:00:00Z").unwrap_or_else(|| Time::from_secs(0))
        + std::time::Duration::from_secs(second)
}

/// Nothing is due.
#[divan::bench]
fn assess_ten_metrics_at_rest(bencher: Bencher<'_, '_>) {
    let ((spec, status), now) = (run(), at(30));
    bencher.bench(|| assess(&spec, &status, now));
}

/// All are due.
#[divan::bench]
fn assess_ten_metrics_due(bencher: Bencher<'_, '_>) {
    let ((spec, status), now) = (run(), at(60));
    bencher.bench(|| assess(&spec, &status, now));
}

/// Ten answers.
#[divan::bench]
fn record_ten_answers(bencher: Bencher<'_, '_>) {
    let ((spec, status), now) = (run(), at(60));
    let answers: Vec<(Ask, Answer)> = assess(&spec, &status, now)
        .ask
        .into_iter()
        .map(|ask| (ask, Answer::Value(Value::Numbers(vec![0.97]))))
        .collect();
    bencher.bench(|| record(&spec, &status, &answers, now));
}

const CONDITION: &str = "len(result) == 0 || isNaN(result[0]) || result[0] >= 0.95";

#[divan::bench]
fn one_condition(bencher: Bencher<'_, '_>) {
    let (condition, value) = (Condition::parse(CONDITION), Value::Numbers(vec![0.97]));
    bencher.bench(|| black_box(&condition).as_ref().map(|condition| condition.eval(black_box(&value))));
}

#[divan::bench]
fn read_one_condition() -> bool {
    Condition::parse(black_box(CONDITION)).is_ok()
}
