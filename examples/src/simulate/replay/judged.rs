//! One stored run, judged by templates.

use super::Replayed;
use rollout_core::{
    Time,
    analysis::{
        Answer, Ask, Measurement, Metric, Phase, RunSpec, RunStatus, Templates, Value, compose, record,
    },
};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

/// The longest text of a measurement that is shown, in letters.
const LONGEST: usize = 200;

/// A template that is given.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) name: String,
    pub(super) spec: Json,
}

/// Judges a run.
///
/// # Errors
/// No template is about it, or one does not fit.
pub(super) fn judged(name: String, run: &Json, templates: &[Template]) -> Result<Replayed, String> {
    let none = Json::Null;
    let stored = RunStatus::read(run.get("status").unwrap_or(&none));
    let (spec, without) = judged_by(run.get("spec").unwrap_or(&none), templates)?;
    if let Some(invalid) = spec.invalid() {
        return Err(format!("with these templates, it is invalid: {invalid}"));
    }
    let mut but = Vec::new();
    if !without.is_empty() {
        but.push(format!("no template has {}", without.join(", ")));
    }
    let mut measurements: Vec<(Time, &Metric, Answer)> = Vec::new();
    let (mut lost, mut undated) = (0_i64, 0_usize);
    for result in &stored.metrics {
        let Some(metric) = spec.metric(&result.name) else { continue };
        let kept = i64::try_from(result.measurements.len()).unwrap_or(i64::MAX);
        lost = lost.saturating_add(result.count.saturating_add(result.error).saturating_sub(kept).max(0));
        for measurement in &result.measurements {
            match measurement.finished_at.or(measurement.started_at) {
                Some(at) => measurements.push((at, metric, answer(metric, measurement))),
                None => undated += 1,
            }
        }
        if result
            .measurements
            .iter()
            .any(|measurement| matches!(answer(metric, measurement), Answer::Verdict { .. }))
        {
            but.push(format!("{} keeps its verdicts: only its provider could judge anew", metric.name()));
        }
    }
    if lost > 0 {
        but.push(format!("{lost} of its measurements are no longer stored"));
    }
    if undated > 0 {
        but.push(format!("{undated} of its measurements have no time"));
    }
    measurements.sort_by_key(|(at, ..)| *at);
    let mut now = RunStatus::default();
    now.started_at = stored.started_at;
    let mut after = None;
    for (at, metric, answer) in measurements {
        let ask = Ask::Measure { metric: metric.name().into() };
        now = record(&spec, &now, &[(ask, answer)], at);
        if now.phase.is_done() {
            after = stored.started_at.map(|started| at.since(started));
            break;
        }
    }
    let why = why(&spec, &now);
    // Its Rollout had ended it: nothing bad was found until then.
    let phase = if stored.phase.is_done() && !now.phase.is_done() { Phase::Successful } else { now.phase };
    Ok(Replayed { name, was: stored.phase, now: phase, after, why, but })
}

fn list(object: &Json, field: &str) -> Vec<Json> {
    object.get(field).and_then(Json::as_array).cloned().unwrap_or_default()
}

fn names(object: &Json, field: &str) -> BTreeSet<String> {
    let name = |item: Json| item.get("name").and_then(Json::as_str).unwrap_or_default().to_owned();
    list(object, field).into_iter().map(name).collect()
}

/// The spec of a run with the metrics of the templates in place of its own, and the metrics that none of them has.
fn judged_by(spec: &Json, templates: &[Template]) -> Result<(RunSpec, Vec<String>), String> {
    let (wanted, args) = (names(spec, "metrics"), names(spec, "args"));
    let mut chosen: Vec<&Template> = Vec::new();
    let mut without = Vec::new();
    for metric in &wanted {
        let has = |template: &&Template| names(&template.spec, "metrics").contains(metric);
        // A run has the arguments of its templates.
        let fits = |template: &&Template| names(&template.spec, "args").is_subset(&args);
        let mut all: Vec<&Template> = templates.iter().filter(has).collect();
        if all.len() > 1 {
            all.retain(fits);
        }
        match all.as_slice() {
            [] => without.push(metric.clone()),
            [one] if chosen.iter().any(|other| other.name == one.name) => {}
            [one] => chosen.push(one),
            [one, other, ..] => {
                let (one, other) = (&one.name, &other.name);
                return Err(format!(
                    "both {one} and {other} have the metric {metric}; give only one of them"
                ));
            }
        }
    }
    if chosen.is_empty() {
        return Err(format!("no template that is given has one of its metrics, {}", without.join(", ")));
    }
    let from =
        |field: &str| chosen.iter().flat_map(|template| list(&template.spec, field)).collect::<Vec<_>>();
    let is_wanted =
        |metric: &Json| metric.get("name").and_then(Json::as_str).is_some_and(|name| wanted.contains(name));
    let metrics: Vec<Json> = from("metrics").into_iter().filter(is_wanted).collect();
    let template = json!({"args": from("args"), "metrics": metrics});
    let composed =
        compose(&Templates { templates: &[template], args: &list(spec, "args"), ..Templates::default() });
    let metrics =
        composed.and_then(|composed| composed.resolved(|_, _| None)).map_err(|error| error.to_string())?;
    let rules = |field: &str| {
        let own = from(field);
        if own.is_empty() { list(spec, field) } else { own }
    };
    let (dry_run, retention) = (rules("dryRun"), rules("measurementRetention"));
    let spec = json!({"metrics": metrics, "dryRun": dry_run, "measurementRetention": retention});
    Ok((RunSpec::read(&spec), without))
}

/// What the provider had answered: a value where conditions judge it, otherwise its own verdict.
fn answer(metric: &Metric, measurement: &Measurement) -> Answer {
    let has = |provider: &str| metric.provider().get(provider).is_some_and(|settings| !settings.is_null());
    let text = measurement.value.as_str();
    let value = if text.is_empty() || has("job") || has("plugin") {
        None
    } else if has("web") {
        Some(serde_json::from_str(text).map_or_else(|_| Value::Text(text.to_owned()), Value::Json))
    } else {
        numbers(text)
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
    let short = |text: &str| text.chars().take(LONGEST).collect::<String>();
    match decided {
        Some((name, newest)) if !newest.value.is_empty() => {
            format!("{name}: measured {}", short(&newest.value))
        }
        Some((name, newest)) => format!("{name}: {}", short(&newest.message)),
        None => String::new(),
    }
}
