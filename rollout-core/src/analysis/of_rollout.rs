//! The run of a Rollout's analysis.

use super::{Composed, InvalidArgument, InvalidTemplates, Source, Templates, arguments, compose};
use crate::strategy::{Analysis, AnalysisArg, ArgSource};
use alloc::{string::String, vec::Vec};
use core::fmt;
use serde_json::{Value as Json, json};

/// The most templates of one analysis, with those that they refer to.
const TEMPLATES: usize = 20;
/// The most metrics of one analysis, and the most arguments and rules.
const PARTS: usize = 200;

/// A reference to a template.
///
/// ```
/// use rollout_core::analysis::TemplateRef;
/// let template = TemplateRef { cluster: true, name: "success-rate".into() };
/// assert_eq!(template.to_string(), "ClusterAnalysisTemplate 'success-rate'");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_structs, reason = "a scope and a name")]
pub struct TemplateRef {
    /// Whether it is one of the whole cluster.
    pub cluster: bool,
    /// The name.
    pub name: String,
}

/// Why an analysis has no run.
///
/// See [`Composed::of_analysis`] for an example.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAnalysis {
    /// A template is not known.
    #[error("{0} not found; create it, or correct the name")]
    NotFound(TemplateRef),
    /// It has too many parts.
    #[error("has more than {most} {what}; leave some out")]
    TooMany {
        /// What they are.
        what: &'static str,
        /// How many there may be.
        most: usize,
    },
    /// An argument has no value.
    #[error(transparent)]
    Argument(#[from] InvalidArgument),
    /// The templates and arguments do not fit.
    #[error(transparent)]
    Templates(#[from] InvalidTemplates),
}

impl Composed {
    /// Joins the templates and arguments of a Rollout's analysis, for the revision that is rolled out and the stable one.
    ///
    /// `template` returns the `spec` of a template. If it knows one only after it was asked for (of an API server, for
    /// example), call this again after [`InvalidAnalysis::NotFound`].
    ///
    /// ```
    /// use rollout_core::{analysis::{Analysis, Composed, InvalidAnalysis}};
    /// use serde_json::json;
    /// let analysis = Analysis::of("errors");
    /// let rollout = json!({"metadata": {"name": "web"}});
    /// let metric = json!({"name": "errors", "provider": {"prometheus": {"query": "errors"}}});
    /// let known = |_: &_| Some(json!({"metrics": [metric]}));
    /// let composed = Composed::of_analysis(&analysis, &rollout, (Some("v1"), "v2"), known)?;
    /// assert_eq!(composed.run(&composed.metrics)["metrics"][0]["name"], "errors");
    /// let error = Composed::of_analysis(&analysis, &rollout, (Some("v1"), "v2"), |_| None).unwrap_err();
    /// assert_eq!(error.to_string(), "AnalysisTemplate 'errors' not found; create it, or correct the name");
    /// # Ok::<(), InvalidAnalysis>(())
    /// ```
    ///
    /// # Errors
    /// A template is not known, or templates and arguments do not fit.
    pub fn of_analysis(
        analysis: &Analysis,
        rollout: &Json,
        (stable, latest): (Option<&str>, &str),
        template: impl Fn(&TemplateRef) -> Option<Json>,
    ) -> Result<Self, InvalidAnalysis> {
        let [templates, cluster_templates] = named(analysis, template)?;
        let sources = [&templates, &cluster_templates].into_iter().flatten();
        let sources = sources.map(|(name, spec)| Source::of(name.clone(), spec)).collect();
        let [templates, cluster_templates] = [templates, cluster_templates]
            .map(|named| named.into_iter().map(|(_, spec)| spec).collect::<Vec<Json>>());
        few(analysis, templates.iter().chain(&cluster_templates))?;
        let args: Vec<Json> = analysis.args.iter().map(argument).collect();
        let args = arguments(&args, rollout, stable, latest)?;
        let rule = |name: &str| json!({"metricName": name});
        let dry_run: Vec<Json> = analysis.dry_run.iter().map(|name| rule(name)).collect();
        let retention = analysis.measurement_retention.iter();
        let retention: Vec<Json> =
            retention.map(|(name, limit)| json!({"metricName": &**name, "limit": limit})).collect();
        let composed = compose(&Templates {
            templates: &templates,
            cluster_templates: &cluster_templates,
            args: &args,
            dry_run: &dry_run,
            measurement_retention: &retention,
        })?;
        Ok(Self { sources, ..composed })
    }
}

/// Returns the specs of the templates of the namespace, and those of the cluster: each once, in the order of Argo
/// Rollouts, each followed by those that it refers to.
fn named(
    analysis: &Analysis,
    template: impl Fn(&TemplateRef) -> Option<Json>,
) -> Result<[Vec<(TemplateRef, Json)>; 2], InvalidAnalysis> {
    let first = analysis.templates.iter();
    let mut open: Vec<TemplateRef> =
        first.map(|(name, cluster)| TemplateRef { cluster: *cluster, name: String::from(&**name) }).collect();
    open.reverse();
    let (mut seen, mut found) = (Vec::new(), <[Vec<(TemplateRef, Json)>; 2]>::default());
    while let Some(next) = open.pop() {
        if seen.contains(&next) {
            continue;
        }
        if seen.len() == TEMPLATES {
            return Err(InvalidAnalysis::TooMany { what: "templates", most: TEMPLATES });
        }
        let spec = template(&next).ok_or_else(|| InvalidAnalysis::NotFound(next.clone()))?;
        let others = spec.get("templates").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
        open.extend(others.iter().take(TEMPLATES + 1).rev().map(reference));
        let [of_namespace, of_cluster] = &mut found;
        if next.cluster { of_cluster } else { of_namespace }.push((next.clone(), spec));
        seen.push(next);
    }
    Ok(found)
}

/// Checks the numbers of parts before they are joined: tenants write them, and joining compares each with each.
fn few<'t>(analysis: &Analysis, templates: impl Iterator<Item = &'t Json>) -> Result<(), InvalidAnalysis> {
    let mut counts = [
        ("arguments", "args", analysis.args.len()),
        ("metrics", "metrics", 0),
        ("dry-run rules", "dryRun", analysis.dry_run.len()),
        ("retention rules", "measurementRetention", analysis.measurement_retention.len()),
    ];
    for template in templates {
        for (_, field, count) in &mut counts {
            *count += template.get(*field).and_then(Json::as_array).map_or(0, Vec::len);
        }
    }
    match counts.into_iter().find(|(.., count)| *count > PARTS) {
        Some((what, ..)) => Err(InvalidAnalysis::TooMany { what, most: PARTS }),
        None => Ok(()),
    }
}

fn reference(of: &Json) -> TemplateRef {
    let cluster = of.get("clusterScope").and_then(Json::as_bool).unwrap_or(false);
    TemplateRef { cluster, name: super::spec::text(of, "templateName").into() }
}

fn argument(arg: &AnalysisArg) -> Json {
    let from = match &arg.value {
        ArgSource::Value(value) => return json!({"name": &*arg.name, "value": &**value}),
        ArgSource::StableHash => json!({"podTemplateHashValue": "Stable"}),
        ArgSource::LatestHash => json!({"podTemplateHashValue": "Latest"}),
        ArgSource::Field(path) => json!({"fieldRef": {"fieldPath": &**path}}),
    };
    json!({"name": &*arg.name, "valueFrom": from})
}

impl fmt::Display for TemplateRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.cluster { "ClusterAnalysisTemplate" } else { "AnalysisTemplate" };
        write!(f, "{kind} '{}'", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    fn known(name: &TemplateRef) -> Option<Json> {
        let metric = json!({"name": alloc::format!("{name}"), "provider": {"job": {}}});
        let others = match (name.cluster, &*name.name) {
            (false, "outer") => {
                json!([{"templateName": "inner"}, {"templateName": "shared", "clusterScope": true}])
            }
            (false, "inner") => json!([{"templateName": "outer"}]),
            (true, "shared") => json!([{"templateName": "inner"}]),
            _ => return None,
        };
        Some(json!({"metrics": [metric], "templates": others}))
    }

    #[test]
    fn templates_that_others_refer_to_count_once_and_circles_end() {
        let composed =
            Composed::of_analysis(&Analysis::of("outer"), &json!({}), (None, "v2"), known).unwrap();
        let names: Vec<_> = composed.metrics.iter().map(|metric| &metric["name"]).collect();
        assert_eq!(
            names,
            ["AnalysisTemplate 'outer'", "AnalysisTemplate 'inner'", "ClusterAnalysisTemplate 'shared'"]
        );
    }

    #[test]
    fn without_an_end_there_are_too_many() {
        let endless = |of: &TemplateRef| {
            Some(json!({"metrics": [], "templates": [{"templateName": alloc::format!("{}a", of.name)}]}))
        };
        let error = Composed::of_analysis(&Analysis::of("a"), &json!({}), (None, "v2"), endless).unwrap_err();
        assert_eq!(error.to_string(), "has more than 20 templates; leave some out");
        let many: Vec<Json> = (0..201).map(|number| json!({"name": alloc::format!("m{number}")})).collect();
        let large = |_: &TemplateRef| Some(json!({"metrics": many}));
        let error = Composed::of_analysis(&Analysis::of("a"), &json!({}), (None, "v2"), large).unwrap_err();
        assert_eq!(error.to_string(), "has more than 200 metrics; leave some out");
    }
}
