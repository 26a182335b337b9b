//! What makes a run invalid, in the words of Argo Rollouts.

use super::{
    condition::pattern::Pattern,
    spec::{number, text},
};
use crate::argo::duration::nanoseconds;
use alloc::{format, string::String, vec::Vec};
use serde_json::Value as Json;

/// Returns the first reason why a spec cannot be run.
pub(super) fn invalid(spec: &Json) -> Option<String> {
    let metrics = spec.get("metrics").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
    if metrics.is_empty() {
        return Some("no metrics specified".into());
    }
    let of_metrics = metrics.iter().enumerate().find_map(|(index, metric)| {
        let earlier = metrics.get(..index).unwrap_or_default();
        let twice = earlier.iter().any(|other| text(other, "name") == text(metric, "name"));
        let wrong =
            if twice { Some(format!("duplicate name '{}", text(metric, "name"))) } else { of_metric(metric) };
        wrong.map(|wrong| format!("metrics[{index}]: {wrong}"))
    });
    of_metrics
        .or_else(|| of_rules(spec, metrics, "dryRun"))
        .or_else(|| of_rules(spec, metrics, "measurementRetention"))
}

fn of_metric(metric: &Json) -> Option<String> {
    let limit = |field: &str| number(metric.get(field)).unwrap_or(0);
    let (count, failure, success) = (limit("count"), limit("failureLimit"), limit("consecutiveSuccessLimit"));
    if success < 0 {
        return Some("consecutiveSuccessLimit must be >= 0".into());
    }
    if failure < -1 {
        return Some("failureLimit must be >= -1".into());
    }
    if success == 0 && failure == -1 {
        return Some("consecutiveSuccessLimit and failureLimit cannot both be disabled".into());
    }
    if limit("inconclusiveLimit") < 0 {
        return Some("inconclusiveLimit must be >= 0".into());
    }
    if limit("consecutiveErrorLimit") < 0 {
        return Some("consecutiveErrorLimit must be >= 0".into());
    }
    if count > 0 {
        if failure >= 0 && count < failure.saturating_add(success) {
            return Some(format!(
                "count ({count}) must be >= failureLimit + consecutiveSuccessLimit ({failure} + {success}) if both >= 0"
            ));
        }
        if failure < 0 && count < success {
            return Some(format!("count ({count}) must be >= consecutiveSuccessLimit ({success})"));
        }
        if count < limit("inconclusiveLimit") {
            return Some("count must be >= inconclusiveLimit".into());
        }
    }
    let (interval, delay) = (text(metric, "interval"), text(metric, "initialDelay"));
    if count > 1 && interval.is_empty() {
        return Some("interval must be specified when count > 1".into());
    }
    if !interval.is_empty() && nanoseconds(interval).is_none() {
        return Some(format!("invalid interval string: {}", no_duration(interval)));
    }
    if !delay.is_empty() && nanoseconds(delay).is_none() {
        return Some(format!("invalid startDelay string: {}", no_duration(delay)));
    }
    match providers(metric) {
        0 => Some("no provider specified".into()),
        1 => None,
        _ => Some("multiple providers specified".into()),
    }
}

fn no_duration(text: &str) -> String {
    format!("{text:?} is not a duration such as 30s, 5m or 1h30m")
}

/// Counts the providers; each plug-in is one.
fn providers(metric: &Json) -> usize {
    let providers = metric.get("provider").and_then(Json::as_object);
    let count = |(name, provider): (&String, &Json)| match provider {
        Json::Null => 0,
        Json::Object(plugins) if name == "plugin" => plugins.len(),
        Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => 1,
    };
    providers.into_iter().flatten().map(count).sum()
}

/// A rule must be about some metric.
fn of_rules(spec: &Json, metrics: &[Json], field: &str) -> Option<String> {
    let rules = spec.get(field).and_then(Json::as_array)?;
    let index = rules.iter().position(|rule| {
        let pattern = Pattern::new(text(rule, "metricName")).ok();
        !pattern.is_some_and(|pattern| metrics.iter().any(|metric| pattern.finds(text(metric, "name"))))
    })?;
    Some(format!("{field}[{index}]: Rule didn't match any metric name(s)"))
}
