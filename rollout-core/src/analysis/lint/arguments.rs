//! Arguments that nothing uses, and which template a finding is in.

use super::{Around, lint};
use crate::{
    Finding, Severity,
    analysis::{
        Analysis, Composed, InvalidTemplates, RunSpec, TemplateRef,
        compose::{list, tags},
        spec::text,
    },
};
use alloc::{collections::BTreeSet, format, string::String, vec::Vec};
use serde_json::Value as Json;

/// What the metrics and arguments of a run were taken from: of each template, in the order of the joined list, its name,
/// the names of its arguments, and how many metrics it has.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::analysis) struct Source {
    name: TemplateRef,
    args: Vec<String>,
    metrics: usize,
}

impl Source {
    pub(in crate::analysis) fn of(name: TemplateRef, spec: &Json) -> Self {
        let args = list(spec, "args").map(|arg| text(arg, "name").into()).collect();
        Self { name, args, metrics: list(spec, "metrics").count() }
    }
}

impl Composed {
    /// Returns what is wrong with the run of an analysis before it begins: what [`lint`](lint()) says, and which arguments
    /// nothing uses. Each finding is in a template, with a path below its `spec`; without a template, the path is below
    /// the analysis in the Rollout.
    ///
    /// ```
    /// use rollout_core::{Strategy, analysis::{Analysis, AnalysisArg, Around, ArgSource, Composed, RunRole}};
    /// use serde_json::json;
    /// let metric = json!({"name": "a", "successCondition": "result = 1", "provider": {"web": {"url": "http://web"}}});
    /// let spec = json!({"args": [{"name": "service", "value": "web"}], "metrics": [metric]});
    /// let mut analysis = Analysis::of("errors");
    /// analysis.args.push(AnalysisArg { name: "team".into(), value: ArgSource::Value("shop".into()) });
    /// let composed = Composed::of_analysis(&analysis, &json!({}), (None, "v2"), |_| Some(spec.clone()))?;
    /// let around = Around::of(&Strategy::builder().build()?, RunRole::Background);
    /// let findings = composed.lint(&analysis, &around)?;
    /// let said: Vec<_> = findings.iter().map(|(template, finding)| (template.is_some(), &*finding.path)).collect();
    /// assert_eq!(said, [(true, "metrics[0].successCondition"), (true, "args[0]"), (false, "args[0]")]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A text refers to something that is no argument.
    pub fn lint(
        &self,
        analysis: &Analysis,
        around: &Around,
    ) -> Result<Vec<(Option<TemplateRef>, Finding)>, InvalidTemplates> {
        let spec = RunSpec::read(&self.run(&self.resolved(|_, _| None)?));
        let mut findings: Vec<_> =
            lint(&spec, around).into_iter().map(|finding| self.in_template(finding)).collect();
        let mut used = BTreeSet::new();
        self.metrics.iter().for_each(|metric| tags(metric, &mut used));
        for source in &self.sources {
            for (index, name) in
                source.args.iter().enumerate().filter(|(_, name)| !used.contains(name.as_str()))
            {
                let what = format!("no metric uses the argument `{name}`");
                let finding = Finding::new(Severity::Warning, format!("args[{index}]"), what, "leave it out");
                findings.push((Some(source.name.clone()), finding));
            }
        }
        let declared = |name: &str| self.args.iter().any(|arg| text(arg, "name") == name);
        for (index, arg) in analysis.args.iter().enumerate().filter(|(_, arg)| !declared(&arg.name)) {
            let what = format!("no template has an argument `{}`", arg.name);
            let instead = "leave it out, or correct its name";
            findings.push((None, Finding::new(Severity::Warning, format!("args[{index}]"), what, instead)));
        }
        Ok(findings)
    }

    /// Returns the template in which a finding about the run is, with the path there. Where no template is known, the
    /// path stays.
    ///
    /// ```
    /// use rollout_core::{Finding, analysis::{Analysis, Composed}};
    /// use serde_json::json;
    /// let mut analysis = Analysis::of("errors");
    /// analysis.templates.push(("latency".into(), true));
    /// let spec = |name: &str| json!({"metrics": [{"name": name, "provider": {"job": {}}}]});
    /// let composed =
    ///     Composed::of_analysis(&analysis, &json!({}), (None, "v2"), |template| Some(spec(&template.name)))?;
    /// let (template, finding) = composed.in_template(Finding::error("metrics[1].count", "is too large", "write 5"));
    /// assert_eq!(template.unwrap().to_string(), "ClusterAnalysisTemplate 'latency'");
    /// assert_eq!(finding.path, "metrics[0].count");
    /// # Ok::<(), rollout_core::analysis::InvalidAnalysis>(())
    /// ```
    #[must_use]
    pub fn in_template(&self, finding: Finding) -> (Option<TemplateRef>, Finding) {
        let split = finding.path.strip_prefix("metrics[").and_then(|path| path.split_once(']'));
        let Some((Ok(mut index), field)) = split.map(|(index, field)| (index.parse::<usize>(), field)) else {
            return (None, finding);
        };
        for source in &self.sources {
            if index < source.metrics {
                let path = format!("metrics[{index}]{field}");
                return (Some(source.name.clone()), Finding { path, ..finding });
            }
            index -= source.metrics;
        }
        (None, finding)
    }
}
