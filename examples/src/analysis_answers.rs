//! The answers of the program `conformance` about analyses. There are no rules in here.

use rollout_core::{
    Time,
    analysis::{
        Answer, Ask, Condition, ConditionError, Phase, RunNext, RunSpec, RunStatus, RunTurn, Templates,
        Value as Answered, compose as composed, verdict,
    },
    conformance::{due_now, next_look},
};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, time::Duration};

/// One answer, or why the question is refused.
type Reply = Result<Value, String>;

/// The phase that a value has under one or two conditions.
///
/// # Errors
/// The value cannot be read, or a condition uses a construct that is not supported.
pub fn condition(input: &Value) -> Reply {
    let value = answered(input.get("result").unwrap_or(&Value::Null))?;
    let parsed = |name: &str| {
        let text = input.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        text.map(Condition::parse).transpose()
    };
    // A condition that is refused is an error, whatever the other one is.
    let refused = |condition: &Result<Option<Condition>, ConditionError>| match condition {
        Err(error) => !error.is_unsupported(),
        Ok(Some(condition)) => condition.eval(&value).is_err_and(|error| !error.is_unsupported()),
        Ok(None) => false,
    };
    let (success, failure) = (parsed("successCondition"), parsed("failureCondition"));
    if refused(&success) || refused(&failure) {
        return Ok(json!({"phase": "Error"}));
    }
    let unsupported = |error: ConditionError| error.to_string();
    let (success, failure) = (success.map_err(unsupported)?, failure.map_err(unsupported)?);
    let phase = verdict(success.as_ref(), failure.as_ref(), &value).map_err(|error| error.to_string())?;
    Ok(json!({"phase": phase.as_str()}))
}

/// One look at a run.
///
/// # Errors
/// A time or an outcome cannot be read.
pub fn assess(input: &Value) -> Reply {
    let (spec, stored, now) = look(input)?;
    let mut asked: Map<String, Value> = Map::new();
    let mut say = |ask: &Ask| {
        let words = asked.entry(ask.metric()).or_insert_with(|| json!([]));
        if let Value::Array(words) = words {
            words.push(word(ask).into());
        }
        answer(input.pointer(&format!("/outcomes/{}", ask.metric())).unwrap_or(&Value::Null))
    };
    let (status, _) = turn(&spec, &stored, now, &mut say)?;
    let written = status.write();
    let summary = |name: &str| written.get(name).cloned().unwrap_or_else(|| json!({}));
    let results: Vec<Value> = status
        .metrics
        .iter()
        .map(|result| {
            json!({
                "name": &*result.name, "phase": result.phase.as_str(), "message": result.message,
                "count": result.count, "successful": result.successful, "failed": result.failed,
                "inconclusive": result.inconclusive, "error": result.error,
                "consecutiveError": result.consecutive_error, "consecutiveSuccess": result.consecutive_success,
                "measurements": result.measurements.len(), "dryRun": result.dry_run,
                "last": result.newest().map(|newest| newest.phase.as_str()),
            })
        })
        .collect();
    Ok(json!({
        "asked": asked, "phase": status.phase.as_str(), "message": status.message,
        "completed": status.completed_at.is_some(), "metricResults": results,
        "runSummary": summary("runSummary"), "dryRunSummary": summary("dryRunSummary"),
    }))
}

/// What is due, and when to look again.
///
/// # Errors
/// A time cannot be read.
pub fn interval(input: &Value) -> Reply {
    let (spec, status, now) = look(input)?;
    let asks = due_now(&spec, &status, now);
    let named = |is_new: bool| -> Vec<&str> {
        asks.iter().filter(|ask| matches!(ask, Ask::Measure { .. }) == is_new).map(Ask::metric).collect()
    };
    // Milliseconds are exact; a thousandth of them is rounded once.
    let seconds =
        |wake: Time| u32::try_from(wake.since(now).as_millis()).map_or(f64::INFINITY, f64::from) / 1000.0;
    Ok(json!({
        "measure": named(true), "resume": named(false), "wake": next_look(&spec, &status, now).map(seconds),
    }))
}

/// A whole run, from its first look to its end.
///
/// # Errors
/// An outcome cannot be read.
pub fn run(input: &Value) -> Reply {
    let mut written = input.get("spec").cloned().unwrap_or_default();
    let terminate_at = input.get("terminateAt").and_then(Value::as_i64).map(Time::from_secs);
    let (mut status, mut now) = (RunStatus::default(), Time::from_secs(0));
    let mut trace = Vec::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..100_000 {
        if terminate_at.is_some_and(|at| now >= at)
            && let Value::Object(fields) = &mut written
        {
            fields.insert("terminate".into(), true.into());
        }
        let spec = RunSpec::read(&written);
        let mut say = |ask: &Ask| {
            let phases = input.pointer(&format!("/outcomes/{}", ask.metric())).and_then(Value::as_array);
            let count = counts.entry(ask.metric().into()).or_default();
            let phase = phases.and_then(|phases| phases.get(*count).or(phases.last()));
            *count += 1;
            let phase = phase.ok_or_else(|| format!("input.outcomes.{}: must be phases", ask.metric()))?;
            trace.push(json!([now.as_secs(), ask.metric(), phase]));
            answer(&json!({ "phase": phase }))
        };
        let (next, wake) = turn(&spec, &status, now, &mut say)?;
        status = next;
        let later = wake.into_iter().chain(terminate_at.filter(|at| now < *at)).min();
        let Some(later) = later.filter(|_| !status.phase.is_done()) else { break };
        now = later.max(now);
    }
    let metrics: Map<String, Value> =
        status.metrics.iter().map(|metric| (metric.name.to_string(), metric.phase.as_str().into())).collect();
    Ok(json!({
        "trace": trace, "phase": status.phase.as_str(), "message": status.message, "metrics": metrics,
        "completedAt": status.completed_at.map(Time::as_secs),
    }))
}

/// One run of several templates and arguments.
///
/// # Errors
/// They cannot be joined.
pub fn compose(input: &Value) -> Reply {
    let list = |name: &str| input.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let from = Templates {
        templates: list("templates"),
        cluster_templates: list("clusterTemplates"),
        args: list("args"),
        dry_run: list("dryRun"),
        measurement_retention: list("measurementRetention"),
    };
    let made = composed(&from).map_err(|error| error.to_string())?;
    let metrics = made.resolved(|_, _| None).map_err(|error| error.to_string())?;
    Ok(json!({
        "args": made.args, "dryRun": made.dry_run, "measurementRetention": made.measurement_retention,
        "metrics": metrics,
    }))
}

fn look(input: &Value) -> Result<(RunSpec, RunStatus, Time), String> {
    let part = |name: &str| input.get(name).unwrap_or(&Value::Null);
    let now = part("now").as_str().and_then(Time::parse_rfc3339);
    let now = now.ok_or("input.now: must be a time, such as 2026-01-01T00:00:00Z")?;
    Ok((RunSpec::read(part("spec")), RunStatus::read(part("status")), now))
}

/// Takes one turn with a provider that answers at once.
fn turn(
    spec: &RunSpec,
    stored: &RunStatus,
    now: Time,
    say: &mut impl FnMut(&Ask) -> Result<Answer, String>,
) -> Result<(RunStatus, Option<Time>), String> {
    let mut status = stored.clone();
    let mut turn = RunTurn::begin(spec, stored, now);
    loop {
        match turn.next() {
            RunNext::Ask(asks) => {
                let answers: Result<Vec<_>, _> =
                    asks.into_iter().map(|ask| say(&ask).map(|answer| (ask, answer))).collect();
                turn.answered(&answers?);
            }
            RunNext::Store(next) => status = next,
            RunNext::Done { wake } => return Ok((status, wake)),
        }
    }
}

fn word(ask: &Ask) -> &'static str {
    match ask {
        Ask::Measure { .. } => "run",
        Ask::Resume { .. } => "resume",
        Ask::Terminate { .. } => "terminate",
    }
}

fn answer(outcome: &Value) -> Result<Answer, String> {
    let text = |name: &str| outcome.get(name).and_then(Value::as_str).unwrap_or_default().to_string();
    let phase = Phase::read(&text("phase")).ok_or("input.outcomes: each must have a phase")?;
    if phase == Phase::Running {
        let resume = outcome.get("resumeIn").and_then(Value::as_f64);
        let resume = resume.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        return Ok(Answer::Running { resume, metadata: BTreeMap::new() });
    }
    Ok(Answer::Verdict {
        phase,
        value: text("value"),
        message: text("message"),
        metadata: BTreeMap::new(),
        is_last: false,
    })
}

fn answered(result: &Value) -> Result<Answered, String> {
    let wrong = || "input.result: must be scalar, vector, json or text".to_string();
    let number = |text: &Value| text.as_str().and_then(|text| text.parse().ok()).ok_or_else(wrong);
    let (kind, value) = result.as_object().and_then(|result| result.iter().next()).ok_or_else(wrong)?;
    match (kind.as_str(), value) {
        ("scalar", value) => number(value).map(Answered::Number),
        ("vector", Value::Array(items)) => {
            items.iter().map(number).collect::<Result<_, _>>().map(Answered::Numbers)
        }
        ("json", value) => Ok(Answered::Json(value.clone())),
        ("text", Value::String(text)) => Ok(Answered::Text(text.clone())),
        _ => Err(wrong()),
    }
}
