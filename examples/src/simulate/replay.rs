//! `--replay`: judges stored AnalysisRuns by the templates that are given, as if these had been in force then.

use super::{args::Args, diagnostics::Findings, duration, load::load, model::Model};
use rollout_core::{
    Escaped, Time,
    analysis::{
        Answer, Ask, Measurement, Metric, MetricResult, Phase, RunSpec, RunStatus, Templates, Value, compose,
        record,
    },
};
use serde::Deserialize as _;
use serde_json::{Value as Json, json};
use std::{collections::BTreeSet, fs, io::Read, path::Path, time::Duration};

/// The largest file of runs, in bytes.
const LARGEST: u64 = 64 << 20;

/// One run, as it was and as it would have been.
#[derive(Debug, PartialEq)]
pub(crate) struct Replayed {
    pub(crate) name: String,
    pub(crate) was: Phase,
    pub(crate) now: Phase,
    /// How long after its start it would have been over.
    pub(crate) after: Option<Duration>,
    pub(crate) why: String,
    /// How many of its measurements are no longer stored.
    pub(crate) lost: i64,
}

/// Judges all stored runs; what is wrong with them or with the templates is noted.
pub(crate) fn replay(args: &Args, stdin: &mut dyn Read, findings: &mut Findings) -> Vec<Replayed> {
    let model = load(&args.inputs, stdin, findings);
    let templates = templates(&model);
    if templates.is_empty() {
        findings.plain("--replay: no AnalysisTemplate is given; name the files with the changed ones");
    }
    let mut replayed = Vec::new();
    for path in &args.script.replay {
        match runs(path) {
            Ok(runs) if runs.is_empty() => {
                let shown = path.display();
                findings.plain(format!(
                    "--replay: there is no AnalysisRun in {shown}; write them with: kubectl get analysisruns -o yaml"
                ));
            }
            Ok(runs) => {
                for run in runs {
                    let name = run
                        .pointer("/metadata/name")
                        .and_then(Json::as_str)
                        .unwrap_or("a run without a name");
                    match one(name, &run, &templates) {
                        Ok(one) => replayed.push(one),
                        Err(why) => findings.plain(format!("--replay: {}: {}", Escaped(name), Escaped(why))),
                    }
                }
            }
            Err(why) => findings.plain(format!("--replay: {}: {why}", path.display())),
        }
    }
    replayed
}

fn templates(model: &Model) -> Vec<Json> {
    let is_template = |kind: &str| matches!(kind, "AnalysisTemplate" | "ClusterAnalysisTemplate");
    let given = model.objects.iter().filter(|(name, _)| is_template(&name.kind));
    given.map(|(_, document)| document.value().get("spec").cloned().unwrap_or_default()).collect()
}

/// The AnalysisRuns in a file, also within lists.
fn runs(path: &Path) -> Result<Vec<Json>, String> {
    let size = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > LARGEST {
        return Err(format!("it is larger than {} MiB; split it up", LARGEST >> 20));
    }
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let mut found = Vec::new();
    for document in serde_yaml::Deserializer::from_str(&text) {
        let mut object = Json::deserialize(document).map_err(|error| format!("no YAML: {error}"))?;
        let items = match object.get_mut("items").map(Json::take) {
            Some(Json::Array(items)) => items,
            _ => vec![object],
        };
        found.extend(
            items.into_iter().filter(|item| item.get("kind").is_some_and(|kind| kind == "AnalysisRun")),
        );
    }
    Ok(found)
}

/// # Errors
/// No template is about this run, or it does not fit it.
fn one(name: &str, run: &Json, templates: &[Json]) -> Result<Replayed, String> {
    let none = Json::Null;
    let (spec, status) =
        (run.get("spec").unwrap_or(&none), RunStatus::read(run.get("status").unwrap_or(&none)));
    let spec = judged_by(spec, templates)?;
    if let Some(invalid) = spec.invalid() {
        return Err(format!("with these templates, it is invalid: {invalid}"));
    }
    let measured = |result: &MetricResult| {
        let metric = spec.metric(&result.name)?;
        let each = result.measurements.iter().filter_map(move |measurement| {
            Some((measurement.finished_at?, metric.name().to_owned(), answer(metric, measurement)))
        });
        Some(each.collect::<Vec<_>>())
    };
    let mut measurements: Vec<(Time, String, Answer)> =
        status.metrics.iter().filter_map(measured).flatten().collect();
    measurements.sort_by_key(|(at, ..)| *at);
    let mut now = RunStatus::default();
    now.started_at = status.started_at;
    let mut after = None;
    for (at, metric, answer) in measurements {
        let ask = Ask::Measure { metric: metric.into() };
        now = record(&spec, &now, &[(ask, answer)], at);
        if now.phase.is_done() {
            after = status.started_at.map(|started| at.since(started));
            break;
        }
    }
    let stored = |result: &MetricResult| i64::try_from(result.measurements.len()).unwrap_or(i64::MAX);
    let lost =
        status.metrics.iter().map(|result| (result.count + result.error - stored(result)).max(0)).sum();
    Ok(Replayed {
        name: name.to_owned(),
        was: status.phase,
        now: now.phase,
        after,
        why: why(&spec, &now),
        lost,
    })
}

/// The spec of a run with the metrics of the templates in place of its own.
fn judged_by(spec: &Json, templates: &[Json]) -> Result<RunSpec, String> {
    let list =
        |object: &Json, field: &str| object.get(field).and_then(Json::as_array).cloned().unwrap_or_default();
    let name = |object: &Json| object.get("name").and_then(Json::as_str).unwrap_or_default().to_owned();
    let mut wanted: BTreeSet<String> = list(spec, "metrics").iter().map(name).collect();
    let known = wanted.iter().cloned().collect::<Vec<_>>().join(", ");
    let (mut metrics, mut args) = (Vec::new(), Vec::<Json>::new());
    let mut rules = (list(spec, "dryRun"), list(spec, "measurementRetention"));
    for template in templates {
        let own: Vec<Json> =
            list(template, "metrics").into_iter().filter(|metric| wanted.remove(&name(metric))).collect();
        if own.is_empty() {
            continue;
        }
        metrics.extend(own);
        args.extend(list(template, "args"));
        for (rules, field) in [(&mut rules.0, "dryRun"), (&mut rules.1, "measurementRetention")] {
            if template.get(field).is_some() {
                *rules = list(template, field);
            }
        }
    }
    if metrics.is_empty() {
        return Err(format!("no template that is given has one of its metrics: {known}"));
    }
    let template = json!({"args": args, "metrics": metrics});
    let of_run = list(spec, "args");
    let composed = compose(&Templates { templates: &[template], args: &of_run, ..Templates::default() });
    let composed = composed.map_err(|error| error.to_string())?;
    let metrics = composed.resolved(|_, _| None).map_err(|error| error.to_string())?;
    Ok(RunSpec::read(&json!({"metrics": metrics, "dryRun": rules.0, "measurementRetention": rules.1})))
}

/// What the provider had answered: a value where conditions judge it, otherwise its own verdict.
fn answer(metric: &Metric, measurement: &Measurement) -> Answer {
    let has = |provider: &str| metric.provider().get(provider).is_some_and(|settings| !settings.is_null());
    let text = measurement.value.as_str();
    let value = match () {
        () if text.is_empty() => None,
        () if has("web") => {
            Some(serde_json::from_str(text).map_or_else(|_| Value::Text(text.to_owned()), Value::Json))
        }
        () if has("job") || has("plugin") => None,
        () => numbers(text),
    };
    match value {
        Some(value) => Answer::Value(value),
        None if measurement.phase == Phase::Error => {
            Answer::Unanswered { why: measurement.message.clone(), after: None }
        }
        None => Answer::Verdict {
            phase: measurement.phase,
            value: text.to_owned(),
            message: measurement.message.clone(),
            metadata: measurement.metadata.clone(),
            is_last: false,
        },
    }
}

/// `0.97` or `[0.97,NaN]`.
fn numbers(text: &str) -> Option<Value> {
    let number = |text: &str| match text.trim() {
        "+Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        text => text.parse().ok(),
    };
    match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        None => number(text).map(Value::Number),
        Some("") => Some(Value::Numbers(Vec::new())),
        Some(list) => list.split(',').map(number).collect::<Option<Vec<f64>>>().map(Value::Numbers),
    }
}

/// The metric that decided, and its last value.
fn why(spec: &RunSpec, status: &RunStatus) -> String {
    let decided = spec.metrics().iter().find_map(|metric| {
        let result = status.metric(metric.name()).filter(|result| result.phase == status.phase)?;
        result.newest().map(|newest| (metric.name(), newest))
    });
    match decided {
        Some((name, newest)) if !newest.value.is_empty() => format!("{name}: measured {}", newest.value),
        Some((name, newest)) => format!("{name}: {}", newest.message),
        None => String::new(),
    }
}

impl Replayed {
    pub(crate) fn was_stopped(&self) -> bool {
        matches!(self.was, Phase::Failed | Phase::Error)
    }

    pub(crate) fn is_stopped(&self) -> bool {
        matches!(self.now, Phase::Failed | Phase::Error)
    }
}

/// In words, a line a run, and a summary.
pub(crate) fn text(replayed: &[Replayed]) -> String {
    let mut text = String::new();
    for run in replayed {
        let after = run.after.map(|after| format!(" after {}", duration::show(after))).unwrap_or_default();
        let why = if run.why.is_empty() { String::new() } else { format!("; {}", run.why) };
        let lost = match run.lost {
            0 => String::new(),
            lost => format!(" ({lost} of its measurements are no longer stored)"),
        };
        text += &format!(
            "{}: was {}, would be {}{after}{why}{lost}\n",
            Escaped(&run.name),
            run.was,
            run.now,
            why = Escaped(why)
        );
    }
    let count = |is: fn(&Replayed) -> bool| replayed.iter().filter(|run| is(run)).count();
    text += &format!(
        "These templates would have stopped {} of {} runs; {} of them were stopped.\n",
        count(Replayed::is_stopped),
        replayed.len(),
        count(Replayed::was_stopped)
    );
    text
}
