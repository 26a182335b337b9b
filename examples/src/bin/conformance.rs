//! Answers questions about the canary language; `conformance --help` says how they are asked. There are no rules in
//! here: it decodes, asks the library, and encodes.

use clap::Parser;
use examples::analysis_answers as analysis;
use rollout_core::{
    Finding,
    argo::{
        self,
        wire::{IntOrText, Rollout},
    },
    conformance,
};
use rollout_istio::conformance::InForce;
use serde_json::{Value, json};
use std::io::{self, BufRead, BufWriter, Write};

/// Answer questions about the canary language, to compare the answers with another implementation's
///
/// Reads lines of JSON from standard input: {"id": …, "kind": …, "input": …}, where the kind is pause, fenceposts,
/// replicas, stepHash, phase, validate, istio, condition, assess, interval, run or compose. Answers each with a line {"id": …, "output": …}, or with
/// {"id": …, "error": "why"} if the input is refused.
#[derive(Parser)]
#[command(name = "conformance", version)]
struct Args;

fn main() -> io::Result<()> {
    let Args = Args::parse();
    let mut input = io::stdin().lock();
    let mut output = BufWriter::new(io::stdout().lock());
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        if !line.trim_ascii().is_empty() {
            serde_json::to_writer(&mut output, &reply(&line))?;
            output.write_all(b"\n")?;
        }
        line.clear();
    }
    output.flush()
}

fn reply(line: &[u8]) -> Value {
    let mut question: Value = match serde_json::from_slice(line) {
        Ok(question @ Value::Object(_)) => question,
        Ok(_) => return json!({"id": null, "error": "the line is not a JSON object"}),
        Err(error) => return json!({"id": null, "error": format!("not a JSON line: {error}")}),
    };
    let mut take = |field: &str| question.get_mut(field).map_or(Value::Null, Value::take);
    let (id, kind, mut input) = (take("id"), take("kind"), take("input"));
    match answer(kind.as_str().unwrap_or_default(), &mut input) {
        Ok(output) => json!({"id": id, "output": output}),
        Err(why) => json!({"id": id, "error": why}),
    }
}

fn answer(kind: &str, input: &mut Value) -> Result<Value, String> {
    match kind {
        "pause" => pause(input),
        "fenceposts" => fenceposts(input),
        "replicas" => replicas(input),
        "stepHash" => step_hash(input),
        "phase" => Ok(phase(input)),
        "validate" => Ok(validate(input)),
        "istio" => istio(input),
        "condition" => analysis::condition(input),
        "assess" => analysis::assess(input),
        "interval" => analysis::interval(input),
        "run" => analysis::run(input),
        "compose" => analysis::compose(input),
        _ => Err(format!(
            "the kind {kind:?} is unknown; known are pause, fenceposts, replicas, stepHash, phase, validate, istio, \
             condition, assess, interval, run, compose"
        )),
    }
}

fn pause(input: &Value) -> Result<Value, String> {
    let duration = optional(input, "duration")?.ok_or("input.duration: is missing")?;
    let seconds = conformance::pause_seconds(&duration).map_err(|error| error.to_string())?;
    Ok(json!({"seconds": seconds}))
}

fn fenceposts(input: &Value) -> Result<Value, String> {
    let replicas = field(input, "replicas");
    let replicas = if replicas.is_null() { 1 } else { number(replicas, "input.replicas")? };
    let (surge, unavailable) = (optional(input, "maxSurge")?, optional(input, "maxUnavailable")?);
    let posts = conformance::fenceposts(replicas, surge.as_ref(), unavailable.as_ref());
    Ok(json!({"maxSurge": posts.surge, "maxUnavailable": posts.unavailable}))
}

fn replicas(input: &Value) -> Result<Value, String> {
    let goal = conformance::goal_of(field(input, "rollout")).map_err(|findings| list(&findings))?;
    Ok(json!({"weight": goal.weight.parts(), "canary": goal.canary, "stable": goal.stable}))
}

fn step_hash(input: &Value) -> Result<Value, String> {
    let hash = argo::step_hash(field(input, "rollout")).map_err(|findings| list(&findings))?;
    Ok(json!({"hash": hash}))
}

fn phase(input: &Value) -> Value {
    let rollout = field(input, "rollout");
    let (stored, shown) = (conformance::phase(rollout), conformance::phase_for_clients(rollout));
    json!({
        "phase": stored.name, "message": stored.message,
        "clientPhase": shown.name, "clientMessage": shown.message,
    })
}

fn validate(input: &Value) -> Value {
    let report = argo::check(field(input, "rollout"));
    let refused = conformance::refused_by_argo_rollouts(&report);
    let said = |finding: &Finding| json!({"path": finding.path, "message": finding.what});
    let made = argo::convert(&report.rollout, "".into());
    let not_driven = made.unsupported.iter().map(said);
    let ignored = made.ignored.iter().map(said);
    json!({
        "valid": refused.is_empty(),
        "errors": refused.iter().map(said).collect::<Vec<_>>(),
        "warnings": report.warnings().map(said).chain(not_driven).chain(ignored).collect::<Vec<_>>(),
    })
}

fn istio(input: &mut Value) -> Result<Value, String> {
    let Some(Value::Array(objects)) = input.get_mut("objects").map(Value::take) else {
        return Err("input.objects: must be a list".into());
    };
    let text = |name: &str| field(input, name).as_str().ok_or_else(|| format!("input.{name}: must be text"));
    let managed = field(input, "managed");
    let Some(managed) = managed.as_array().map(Vec::as_slice).or(managed.is_null().then_some(&[][..])) else {
        return Err("input.managed: must be a list".into());
    };
    let to = InForce {
        canary: text("canaryHash")?.into(),
        stable: text("stableHash")?.into(),
        weight: number(field(input, "weight"), "input.weight")?,
        managed,
    };
    let objects =
        rollout_istio::conformance::apply_steps(&Rollout::from_value(field(input, "rollout")), objects, &to)
            .map_err(|error| error.to_string())?;
    Ok(json!({"objects": objects}))
}

fn field<'v>(input: &'v Value, name: &str) -> &'v Value {
    input.get(name).unwrap_or(&Value::Null)
}

fn number(value: &Value, path: &str) -> Result<u32, String> {
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    number.ok_or_else(|| format!("{path}: must be a whole number from 0 to 4294967295"))
}

fn optional(input: &Value, name: &str) -> Result<Option<IntOrText>, String> {
    let value = field(input, name);
    let read = (!value.is_null()).then(|| IntOrText::from_value(value)).transpose();
    read.map_err(|error| format!("input.{name}: {}", error.what))
}

fn list(findings: &[Finding]) -> String {
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
