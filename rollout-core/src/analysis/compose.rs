//! One run of several templates and arguments.

use super::{Source, spec::text};
use alloc::{
    collections::BTreeSet,
    format,
    string::{String, ToString},
    vec::Vec,
};
use serde_json::{Map, Value as Json, json};

/// What a run is composed of. Everything is in the wire form.
///
/// See [`compose`](compose()) for an example.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::exhaustive_structs, reason = "what goes in is written out")]
pub struct Templates<'a> {
    /// The specs of the AnalysisTemplates, in order.
    pub templates: &'a [Json],
    /// The specs of the ClusterAnalysisTemplates, in order.
    pub cluster_templates: &'a [Json],
    /// The arguments of the Rollout, [with their values](super::arguments).
    pub args: &'a [Json],
    /// The Rollout's rules for metrics without consequences.
    pub dry_run: &'a [Json],
    /// The Rollout's rules for how many measurements are kept.
    pub measurement_retention: &'a [Json],
}

/// Templates and arguments that were joined.
///
/// See [`compose`](compose()) for an example.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Composed {
    /// The arguments, with values or the Secrets that they come from.
    pub args: Vec<Json>,
    /// The metrics, with arguments still to be put in.
    pub metrics: Vec<Json>,
    /// The rules for metrics without consequences.
    pub dry_run: Vec<Json>,
    /// The rules for how many measurements are kept.
    pub measurement_retention: Vec<Json>,
    /// The templates that the metrics are of, if these are known by name.
    pub(super) sources: Vec<Source>,
}

/// Why templates and arguments cannot be joined.
///
/// ```
/// use rollout_core::analysis::{Templates, compose};
/// use serde_json::json;
/// let template = json!({"args": [{"name": "service"}], "metrics": []});
/// let error = compose(&Templates { templates: &[template], ..Templates::default() }).unwrap_err();
/// assert_eq!(error.to_string(), "args.service was not resolved; write its value in the Rollout's `args`");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidTemplates {
    /// Two metrics have one name.
    #[error("two metrics have the same name '{0}'; write another name in one of the templates")]
    SameMetric(String),
    /// Two rules are about the same metrics.
    #[error("two {kind} metric rules have the same name '{name}'; leave one out")]
    SameRule {
        /// `Dry-Run` or `Measurement Retention`.
        kind: &'static str,
        /// The pattern.
        name: String,
    },
    /// One argument has two values.
    #[error(
        "Argument `{name}` specified multiple times with different values: '{first}', '{second}'; write one of them \
         in both templates, or in the Rollout"
    )]
    TwoValues {
        /// The argument.
        name: String,
        /// The value of the earlier template.
        first: String,
        /// The value of the later template.
        second: String,
    },
    /// An argument has no value.
    #[error("args.{0} was not resolved; write its value in the Rollout's `args`")]
    NoValue(String),
    /// A text refers to something else than an argument.
    #[error("failed to resolve {0}; write `{{{{args.NAME}}}}` with one of the templates' arguments")]
    Unresolved(String),
}

/// Joins templates and arguments.
///
/// ```
/// use rollout_core::analysis::{RunSpec, Templates, compose};
/// use serde_json::json;
/// let template = json!({
///     "args": [{"name": "service"}, {"name": "rate", "value": "0.95"}],
///     "metrics": [{
///         "name": "success-rate", "successCondition": "result[0] >= {{args.rate}}",
///         "provider": {"prometheus": {"query": "rate(ok{service=\"{{ args.service }}\"}[5m])"}},
///     }],
/// });
/// let args = [json!({"name": "service", "value": "web"})];
/// let composed = compose(&Templates { templates: &[template], args: &args, ..Templates::default() })?;
/// let metrics = composed.resolved(|_, _| None)?;
/// assert_eq!(metrics[0]["successCondition"], "result[0] >= 0.95");
/// assert_eq!(metrics[0]["provider"]["prometheus"]["query"], "rate(ok{service=\"web\"}[5m])");
/// assert_eq!(RunSpec::read(&composed.run(&metrics)).invalid(), None);
/// # Ok::<(), rollout_core::analysis::InvalidTemplates>(())
/// ```
///
/// # Errors
/// Names collide, an argument has two values or none, or a text refers to something that is no argument.
pub fn compose(from: &Templates<'_>) -> Result<Composed, InvalidTemplates> {
    let all = || from.templates.iter().chain(from.cluster_templates);
    let metrics: Vec<Json> = all().flat_map(|template| list(template, "metrics")).cloned().collect();
    if let Some(name) = twice(&metrics, "name") {
        return Err(InvalidTemplates::SameMetric(name));
    }
    let rules = |own: &[Json], field: &'static str, kind: &'static str| {
        let rules: Vec<Json> =
            own.iter().chain(all().flat_map(|template| list(template, field))).cloned().collect();
        match twice(&rules, "metricName") {
            Some(name) => Err(InvalidTemplates::SameRule { kind, name }),
            None => Ok(rules),
        }
    };
    let dry_run = rules(from.dry_run, "dryRun", "Dry-Run")?;
    let kept = from.measurement_retention;
    let measurement_retention = rules(kept, "measurementRetention", "Measurement Retention")?;
    let args = joined_arguments(all(), from.args)?;
    let composed = Composed { args, metrics, dry_run, measurement_retention, sources: Vec::new() };
    composed.resolved(|_, _| None)?;
    Ok(composed)
}

impl Composed {
    /// Returns the metrics with all arguments put in. `secret` reads one key of a Secret, by their names; what it does
    /// not know becomes `temp-for-secret`.
    ///
    /// See [`compose`](compose()) for an example.
    ///
    /// # Errors
    /// A text refers to something that is no argument.
    pub fn resolved(
        &self,
        secret: impl Fn(&str, &str) -> Option<String>,
    ) -> Result<Vec<Json>, InvalidTemplates> {
        let value = |name: &str| {
            let argument = self.args.iter().find(|argument| text(argument, "name") == name)?;
            match argument.pointer("/valueFrom/secretKeyRef") {
                Some(from) => {
                    let known = secret(text(from, "name"), text(from, "key"));
                    Some(known.unwrap_or_else(|| "temp-for-secret".into()))
                }
                None => argument.get("value").and_then(Json::as_str).map(ToString::to_string),
            }
        };
        self.metrics.iter().map(|metric| put_in(metric, &value)).collect()
    }

    /// Returns the `spec` of an AnalysisRun with these metrics.
    ///
    /// See [`compose`](compose()) for an example.
    #[must_use]
    pub fn run(&self, metrics: &[Json]) -> Json {
        json!({
            "metrics": metrics,
            "args": self.args,
            "dryRun": self.dry_run,
            "measurementRetention": self.measurement_retention,
        })
    }
}

pub(super) fn list<'j>(object: &'j Json, field: &str) -> impl Iterator<Item = &'j Json> {
    object.get(field).and_then(Json::as_array).into_iter().flatten()
}

/// Returns the first text that stands twice in this field.
fn twice(items: &[Json], field: &str) -> Option<String> {
    let is_twice = |index: usize, name: &str| {
        items.get(..index).unwrap_or_default().iter().any(|earlier| text(earlier, field) == name)
    };
    let mut names = items.iter().map(|item| text(item, field)).enumerate();
    names.find(|(index, name)| is_twice(*index, name)).map(|(_, name)| name.into())
}

/// Joins the arguments that the templates name, and overwrites them with those of the Rollout.
fn joined_arguments<'j>(
    templates: impl Iterator<Item = &'j Json>,
    own: &[Json],
) -> Result<Vec<Json>, InvalidTemplates> {
    let mut joined: Vec<Json> = Vec::new();
    for argument in templates.flat_map(|template| list(template, "args")) {
        let name = text(argument, "name");
        let Some(earlier) = joined.iter_mut().find(|earlier| text(earlier, "name") == name) else {
            joined.push(argument.clone());
            continue;
        };
        match (value(earlier), value(argument)) {
            (Some(first), Some(second)) if first != second => {
                let (first, second) = (first.into(), second.into());
                return Err(InvalidTemplates::TwoValues { name: name.into(), first, second });
            }
            (Some(_), _) => {}
            (None, _) => earlier.clone_from(argument),
        }
    }
    for argument in &mut joined {
        let name = text(argument, "name").to_string();
        let given = own.iter().rfind(|own| text(own, "name") == name);
        if let (Some(given), Some(fields)) = (given, argument.as_object_mut()) {
            for field in ["value", "valueFrom"] {
                if let Some(given) = given.get(field).filter(|given| !given.is_null()) {
                    fields.insert(field.into(), given.clone());
                    break;
                }
            }
        }
        if value(argument).is_none() && argument.get("valueFrom").is_none_or(Json::is_null) {
            return Err(InvalidTemplates::NoValue(name));
        }
    }
    Ok(joined)
}

fn value(argument: &Json) -> Option<&str> {
    argument.get("value").and_then(Json::as_str)
}

/// Puts arguments into every text. Nothing is put in twice: a value may itself contain `{{`.
fn put_in(json: &Json, value: &impl Fn(&str) -> Option<String>) -> Result<Json, InvalidTemplates> {
    Ok(match json {
        Json::String(text) => Json::String(put_into_text(text, value)?),
        Json::Array(items) => {
            let items: Result<Vec<_>, _> = items.iter().map(|item| put_in(item, value)).collect();
            Json::Array(items?)
        }
        Json::Object(fields) => {
            let mut out = Map::new();
            for (key, field) in fields {
                out.insert(put_into_text(key, value)?, put_in(field, value)?);
            }
            Json::Object(out)
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => json.clone(),
    })
}

/// Adds the names of all arguments that texts refer to.
pub(super) fn tags(json: &Json, names: &mut BTreeSet<String>) {
    let mut of_text = |text: &str| {
        let tags = text.split("{{").skip(1).filter_map(|tag| tag.split_once("}}"));
        names.extend(tags.filter_map(|(tag, _)| tag.trim().strip_prefix("args.").map(String::from)));
    };
    match json {
        Json::String(text) => of_text(text),
        Json::Array(items) => items.iter().for_each(|item| tags(item, names)),
        Json::Object(fields) => {
            fields.keys().for_each(|key| of_text(key));
            fields.values().for_each(|field| tags(field, names));
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn put_into_text(text: &str, value: &impl Fn(&str) -> Option<String>) -> Result<String, InvalidTemplates> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((tag, after)) = after.split_once("}}") else {
            return Err(InvalidTemplates::Unresolved(format!("{{{{{}", super::shortened(after))));
        };
        let argument = tag.trim().strip_prefix("args.").and_then(value);
        let unresolved = || InvalidTemplates::Unresolved(format!("{{{{{}}}}}", super::shortened(tag)));
        out.push_str(before);
        out.push_str(&argument.ok_or_else(unresolved)?);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}
