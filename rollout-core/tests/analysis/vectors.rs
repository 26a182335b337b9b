use core::time::Duration;
use rollout_core::{
    Time,
    analysis::{
        Answer, Ask, Condition, ConditionError, Phase, RunNext, RunSpec, RunStatus, RunTurn, Templates,
        Value, compose, verdict,
    },
    conformance::{due_now, next_look},
};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

/// The lines of a file: question and wanted answer.
fn lines(kind: &str) -> Vec<Json> {
    let path = format!("{}/tests/analysis/{kind}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn number(text: &Json) -> f64 {
    text.as_str().unwrap().parse().unwrap()
}

pub(crate) fn value(result: &Json) -> Value {
    let (kind, value) = result.as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "scalar" => Value::Number(number(value)),
        "vector" => Value::Numbers(value.as_array().unwrap().iter().map(number).collect()),
        "json" => Value::Json(value.clone()),
        _ => Value::Text(value.as_str().unwrap().into()),
    }
}

/// The phase; `None` where a construct is not supported.
fn phase(input: &Json) -> Option<&'static str> {
    let condition = |name: &str| {
        let text = input[name].as_str().filter(|text| !text.is_empty());
        text.map(Condition::parse).transpose()
    };
    let (success, failure) = (condition("successCondition"), condition("failureCondition"));
    let value = value(&input["result"]);
    let refused = |error: &ConditionError| !error.is_unsupported();
    let (success, failure) = match (success, failure) {
        (Ok(success), Ok(failure)) => (success, failure),
        (Err(error), Ok(other)) | (Ok(other), Err(error)) => {
            let other_fails = other.is_some_and(|other| other.eval(&value).is_err());
            return (refused(&error) || other_fails).then_some("Error");
        }
        (Err(one), Err(other)) => return (refused(&one) || refused(&other)).then_some("Error"),
    };
    Some(match verdict(success.as_ref(), failure.as_ref(), &value) {
        Ok(phase) => phase.as_str(),
        Err(failed) if failed.error().is_unsupported() => return None,
        Err(_) => "Error",
    })
}

fn compare(kind: &str, at_least: usize) {
    let mut wrong = Vec::new();
    let mut unsupported = 0;
    let lines = lines(kind);
    for line in &lines {
        match phase(&line["input"]) {
            Some(phase) if phase == line["want"]["phase"] => {}
            None if line["tier"] == "wide" => unsupported += 1,
            got => {
                wrong.push(format!("{}: {} gives {got:?}, not {}", line["id"], line["input"], line["want"]));
            }
        }
    }
    println!("{kind}: {} lines, {unsupported} with constructs that are not supported", lines.len());
    assert!(lines.len() >= at_least);
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn conditions() {
    compare("condition", 300);
    compare("condition-table", 67);
}

#[test]
fn values_are_written_as_argo_rollouts_stores_them() {
    assert_eq!(value(&json!({"vector": ["0.97", "NaN", "+Inf"]})).to_string(), "[0.97,NaN,+Inf]");
    assert_eq!(value(&json!({"json": {"b": 1, "a": [null]}})).to_string(), r#"{"a":[null],"b":1}"#);
}

/// Compares the answers of a kind.
fn each(kind: &str, same: impl Fn(&Json, &Json) -> Result<(), String>) {
    let lines = lines(kind);
    let wrong: Vec<String> = lines
        .iter()
        .filter_map(|line| Some(format!("{}: {}", line["id"], same(&line["input"], &line["want"]).err()?)))
        .collect();
    assert!(lines.len() >= 300);
    assert!(wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), lines.len(), wrong.join("\n"));
}

fn equal(what: &str, got: &Json, want: &Json) -> Result<(), String> {
    if got == want { Ok(()) } else { Err(format!("{what} is {got}, not {want}")) }
}

/// Drops what is empty or nothing.
fn filled(json: &Json) -> Json {
    let is_empty = |json: &Json| match json {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(fields) => fields.is_empty(),
        Json::Number(number) => number.as_f64() == Some(0.0),
        Json::Bool(value) => !value,
    };
    match json {
        Json::Array(items) => items.iter().map(filled).collect(),
        Json::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| (key.clone(), filled(value)));
            Json::Object(fields.filter(|(_, value)| !is_empty(value)).collect::<Map<_, _>>())
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => json.clone(),
    }
}

fn time(json: &Json) -> Time {
    Time::parse_rfc3339(json.as_str().unwrap()).unwrap()
}

fn phase_named(name: &Json) -> Phase {
    Phase::read(name.as_str().unwrap()).unwrap()
}

fn word(ask: &Ask) -> &'static str {
    match ask {
        Ask::Measure { .. } => "run",
        Ask::Resume { .. } => "resume",
        Ask::Terminate { .. } => "terminate",
    }
}

fn answer(outcome: &Json) -> Answer {
    let text = |field: &str| outcome[field].as_str().unwrap_or_default().to_string();
    let phase = phase_named(&outcome["phase"]);
    if phase == Phase::Running {
        let resume = outcome["resumeIn"].as_f64().map(Duration::from_secs_f64);
        return Answer::Running { resume, metadata: BTreeMap::new() };
    }
    Answer::Verdict {
        phase,
        value: text("value"),
        message: text("message"),
        metadata: BTreeMap::new(),
        is_last: false,
    }
}

#[test]
fn one_look_at_a_run() {
    each("assess", |input, want| {
        let (spec, mut status) = (RunSpec::read(&input["spec"]), RunStatus::read(&input["status"]));
        let now = time(&input["now"]);
        let mut asked: Map<String, Json> = Map::new();
        let before = status.clone();
        let mut turn = RunTurn::begin(&spec, &before, now);
        loop {
            match turn.next() {
                RunNext::Ask(asks) => {
                    for ask in &asks {
                        let words = asked.entry(ask.metric().to_string()).or_insert_with(|| json!([]));
                        words.as_array_mut().unwrap().push(word(ask).into());
                    }
                    let answer = |ask: Ask| (ask.clone(), answer(&input["outcomes"][ask.metric()]));
                    turn.answered(&asks.into_iter().map(answer).collect::<Vec<_>>());
                }
                RunNext::Store(next) => status = next,
                RunNext::Done { .. } => break,
            }
        }
        equal("asked", &Json::Object(asked), &want["asked"])?;
        equal("phase", &status.phase.as_str().into(), &want["phase"])?;
        // The detail of what is wrong with a duration is free.
        let stem = |message: &str| message.split(" string: ").next().unwrap().to_string();
        equal("message", &stem(&status.message).into(), &stem(want["message"].as_str().unwrap()).into())?;
        equal("completed", &status.completed_at.is_some().into(), &want["completed"])?;
        let results: Json = status
            .metrics
            .iter()
            .map(|result| {
                json!({
                    "name": &*result.name, "phase": result.phase.as_str(), "message": result.message,
                    "count": result.count, "successful": result.successful, "failed": result.failed,
                    "inconclusive": result.inconclusive, "error": result.error,
                    "consecutiveError": result.consecutive_error,
                    "consecutiveSuccess": result.consecutive_success,
                    "measurements": result.measurements.len(), "dryRun": result.dry_run,
                    "last": result.newest().unwrap().phase.as_str(),
                })
            })
            .collect();
        equal("metricResults", &filled(&results), &filled(&want["metricResults"]))?;
        let written = status.write();
        for summary in ["runSummary", "dryRunSummary"] {
            if want.get(summary).is_some() {
                let got = written.get(summary).cloned().unwrap_or_else(|| json!({}));
                equal(summary, &filled(&got), &filled(&want[summary]))?;
            }
        }
        equal("stored and read", &RunStatus::read(&written).write(), &written)
    });
}

#[test]
fn what_is_due() {
    each("interval", |input, want| {
        let (spec, status) = (RunSpec::read(&input["spec"]), RunStatus::read(&input["status"]));
        let now = time(&input["now"]);
        let asks = due_now(&spec, &status, now);
        let named = |is_new: bool| -> Json {
            asks.iter().filter(|ask| matches!(ask, Ask::Measure { .. }) == is_new).map(Ask::metric).collect()
        };
        equal("measure", &named(true), &want["measure"])?;
        equal("resume", &named(false), &want["resume"])?;
        if want.get("wake").is_some() && asks.is_empty() {
            let wake = next_look(&spec, &status, now);
            let left = wake.map(|wake| u32::try_from(wake.as_millis() - now.as_millis()).unwrap());
            let left = left.map(|millis| f64::from(millis) / 1000.0);
            if left != want["wake"].as_f64() {
                return Err(format!("wake is {left:?}, not {}", want["wake"]));
            }
        }
        Ok(())
    });
}

#[test]
fn whole_runs() {
    each("run", |input, want| {
        let mut spec = RunSpec::read(&input["spec"]);
        let mut terminated = input["spec"].clone();
        terminated["terminate"] = true.into();
        let terminate_at = input["terminateAt"].as_i64().map(|at| at * 1000);
        let (mut status, mut now) = (RunStatus::default(), 0);
        let mut trace = Vec::new();
        let mut nth: BTreeMap<String, usize> = BTreeMap::new();
        for _ in 0..5000 {
            if terminate_at.is_some_and(|at| now >= at) {
                spec = RunSpec::read(&terminated);
            }
            let before = status.clone();
            let mut turn = RunTurn::begin(&spec, &before, Time::from_millis(now));
            let wake = loop {
                match turn.next() {
                    RunNext::Ask(asks) => {
                        let answer = |ask: Ask| {
                            let phases = input["outcomes"][ask.metric()].as_array().unwrap();
                            let nth = nth.entry(ask.metric().into()).or_default();
                            let phase = &phases[(*nth).min(phases.len() - 1)];
                            *nth += 1;
                            trace.push(json!([now / 1000, ask.metric(), phase]));
                            (ask, answer(&json!({ "phase": phase })))
                        };
                        turn.answered(&asks.into_iter().map(answer).collect::<Vec<_>>());
                    }
                    RunNext::Store(next) => status = next,
                    RunNext::Done { wake } => break wake.map(Time::as_millis),
                }
            };
            let later = [wake, terminate_at.filter(|at| now < *at)].into_iter().flatten().min();
            let Some(later) = later.filter(|_| !status.phase.is_done()) else { break };
            now = later.max(now);
        }
        equal("trace", &trace.into(), &want["trace"])?;
        equal("phase", &status.phase.as_str().into(), &want["phase"])?;
        equal("message", &status.message.clone().into(), &want["message"])?;
        let metrics: Map<String, Json> =
            status.metrics.iter().map(|m| (m.name.to_string(), m.phase.as_str().into())).collect();
        equal("metrics", &metrics.into(), &want["metrics"])?;
        equal("completedAt", &json!(status.completed_at.map(Time::as_secs)), &want["completedAt"])
    });
}

#[test]
fn templates_and_arguments() {
    each("compose", |input, want| {
        let list = |field: &str| input[field].as_array().cloned().unwrap_or_default();
        let (templates, cluster, args) = (list("templates"), list("clusterTemplates"), list("args"));
        let (dry_run, retention) = (list("dryRun"), list("measurementRetention"));
        let composed = compose(&Templates {
            templates: &templates,
            cluster_templates: &cluster,
            args: &args,
            dry_run: &dry_run,
            measurement_retention: &retention,
        });
        let wanted_error = want.get("error").is_some();
        let composed = match composed {
            Ok(_) if wanted_error => return Err(format!("must be refused: {want}\n{input}")),
            Err(error) if !wanted_error => return Err(format!("is refused: {error}\n{input}")),
            Err(_) => return Ok(()),
            Ok(composed) => composed,
        };
        let got = json!({
            "args": composed.args, "dryRun": composed.dry_run,
            "measurementRetention": composed.measurement_retention,
            "metrics": composed.resolved(|_, _| None).unwrap(),
        });
        equal("composed", &filled(&got), &filled(&filled(want)))
    });
}
