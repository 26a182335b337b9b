//! What is to be said about the analyses of a Rollout before anything is played, in the files that define them.

use super::{
    args::Args,
    diagnostics::Findings,
    metrics::Given,
    model::{Model, in_a_namespace, namespace},
    traffic::{self, LATEST, Places, STABLE},
    whole::Whole,
};
use rollout_core::{
    Finding, Strategy,
    analysis::{
        Analysis, Around, Compare, Composed, InvalidAnalysis, RunRole, RunSpec, TemplateRef, Traffic, power,
    },
    argo::{Document, Severity},
    traffic::ObjectRef,
};
use serde_json::Value;

/// A Rollout, and what its analyses are made of.
pub(crate) struct Judged<'j> {
    pub(crate) rollout: &'j Whole<'j>,
    /// Its manifest after the update.
    pub(crate) after: &'j Value,
    pub(crate) strategy: &'j Strategy,
    pub(crate) templates: &'j Given,
}

/// Notes what is wrong or odd with the analyses of a Rollout. The names of the metrics that they measure.
pub(crate) fn note(args: &Args, judged: &Judged<'_>, model: &Model, findings: &mut Findings) -> Vec<String> {
    let places = args.script.traffic.is_some().then(|| Places::of(&judged.rollout.manifest, judged.after));
    let manifest = in_a_namespace(&judged.rollout.manifest);
    let mut names = Vec::new();
    for (role, analysis) in judged.strategy.analyses() {
        let mut notes = Notes { role, rollout: judged.rollout, findings };
        let given = |name: &TemplateRef| judged.templates.get(name).cloned();
        let composed = match Composed::of_analysis(analysis, &manifest, (Some(STABLE), LATEST), given) {
            Ok(composed) => composed,
            Err(error) => {
                notes.cannot_be(&error);
                continue;
            }
        };
        let metrics = match composed.resolved(|_, _| None) {
            Ok(metrics) => metrics,
            Err(error) => {
                notes.cannot_be(&error.into());
                continue;
            }
        };
        let spec = RunSpec::read(&composed.run(&metrics));
        names.extend(spec.metrics().iter().map(|metric| metric.name().to_owned()));
        if let Some(invalid) = spec.invalid() {
            notes.say(Severity::Error, &format!("its run is invalid: {invalid}"), "change the template");
            continue;
        }
        measured(args, &spec, places.as_ref(), &mut notes);
        in_templates(args, judged, (role, analysis), (&composed, &spec), model, findings);
    }
    names
}

/// Notes templates that the update changes: runs are made of those that are given without `--update`.
pub(crate) fn not_used(model: &Model, update: &Model, findings: &mut Findings) {
    let is_template =
        |name: &ObjectRef| matches!(&*name.kind, "AnalysisTemplate" | "ClusterAnalysisTemplate");
    for (name, document) in update.objects.iter().filter(|(name, _)| is_template(name)) {
        let spec = |document: &Document| document.value().get("spec").cloned();
        if model.objects.get(name).is_none_or(|given| spec(given) != spec(document)) {
            let what = "this template is neither used nor checked: runs are made of the templates that are given without `--update`";
            let instead = "pass it without `--update`";
            findings.located(document.finding(Severity::Warning, "spec", what, instead));
        }
    }
}

/// Notes what cannot be measured, or is measured only nearly.
fn measured(args: &Args, spec: &RunSpec, places: Option<&Places>, notes: &mut Notes<'_, '_>) {
    for metric in spec.metrics() {
        let name = metric.name();
        if let Some(Err(Finding { path, what, instead, .. })) = Compare::read(spec, metric) {
            notes.say(Severity::Error, &format!("metric `{name}`: {path} {what}"), &instead);
            continue;
        }
        if args.script.metrics.iter().any(|scripted| scripted.name == name) {
            continue;
        }
        let instead =
            format!("pass --metric {name}=0.99, or --metric {name}=0.99@0s,0.90@12m for values that change");
        let Some(places) = places else {
            notes.say(Severity::Error, &format!("no value is given for the metric `{name}`"), &instead);
            continue;
        };
        if let Err(why) = traffic::can_measure(spec, metric) {
            let what = format!("the metric `{name}` cannot be measured of simulated requests: {why}");
            notes.say(Severity::Error, &what, &instead);
            continue;
        }
        for doubt in traffic::doubts(spec, metric, places) {
            let what = format!("metric `{name}`: {doubt}");
            notes.say(Severity::Warning, &what, &format!("check that, or {instead}"));
        }
    }
}

/// Notes what is wrong with templates although each of their parts is valid, where it stands.
fn in_templates(
    args: &Args,
    judged: &Judged<'_>,
    (role, analysis): (RunRole, &Analysis),
    (composed, spec): (&Composed, &RunSpec),
    model: &Model,
    findings: &mut Findings,
) {
    let traffic = args.script.traffic.as_ref();
    let traffic = traffic.map(|traffic| Traffic { requests: traffic.rps, bad: traffic.stable.bad });
    let around = Around::of(judged.strategy, role);
    // It could be composed.
    let mut found = composed.lint(analysis, &around).unwrap_or_default();
    let power = power(spec, &around, traffic.as_ref()).into_iter();
    found.extend(power.map(|finding| composed.in_template(finding)));
    let rollout = judged.rollout.rollout;
    for (template, finding) in found {
        let document = template.and_then(|template| model.template(&template, namespace(rollout)));
        let (document, within) = match document {
            Some(document) => (document, "spec".to_owned()),
            None => (rollout, role.path()),
        };
        let Finding { severity, path, what, instead, .. } = finding;
        findings.located(document.finding(severity, &format!("{within}.{path}"), &what, &instead));
    }
}

/// What is said about one analysis, where a Rollout names it.
struct Notes<'n, 'f> {
    role: RunRole,
    rollout: &'n Whole<'n>,
    findings: &'f mut Findings,
}

impl Notes<'_, '_> {
    fn say(&mut self, severity: Severity, what: &str, instead: &str) {
        let found = self.rollout.rollout.finding(severity, &self.role.path(), what, instead);
        self.findings.located(found);
    }

    /// Its templates and arguments make no run.
    fn cannot_be(&mut self, error: &InvalidAnalysis) {
        if let InvalidAnalysis::NotFound(template) = error {
            let what = format!("{template} not found");
            return self.say(Severity::Error, &what, "also pass the file that defines it");
        }
        let what = error.to_string();
        let (what, instead) = what.split_once("; ").unwrap_or((&what, ""));
        self.say(Severity::Error, what, instead);
    }
}
