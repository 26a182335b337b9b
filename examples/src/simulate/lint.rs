//! What is wrong with the analyses of a Rollout although each of their parts is valid, in the files that define them.

use super::{
    args::Args,
    diagnostics::Findings,
    model::{Model, namespace},
    whole::Whole,
};
use rollout_core::{
    Finding, Strategy,
    analysis::{Around, Composed, RunRole, RunSpec, TemplateRef, Traffic, power},
    argo::Document,
};

/// Notes what is wrong or odd with the analyses of a Rollout.
pub(crate) fn note(
    args: &Args,
    strategy: &Strategy,
    rollout: &Whole<'_>,
    model: &Model,
    findings: &mut Findings,
) {
    let traffic = args.script.traffic.as_ref();
    let traffic = traffic.map(|traffic| Traffic { requests: traffic.rps, bad: traffic.stable.bad });
    let templates = model.templates(namespace(rollout.rollout));
    for (role, analysis) in strategy.analyses() {
        let given = |name: &TemplateRef| templates.get(name).cloned();
        let hashes = (Some("stable"), "latest");
        // What cannot be composed is said elsewhere.
        let composed = Composed::of_analysis(analysis, &rollout.manifest, hashes, given);
        let Ok(composed) = composed else { continue };
        let around = Around::of(strategy, role);
        let Ok(mut found) = composed.lint(analysis, &around) else { continue };
        if let Ok(metrics) = composed.resolved(|_, _| None) {
            let spec = RunSpec::read(&composed.run(&metrics));
            let power = power(&spec, &around, traffic.as_ref()).into_iter();
            found.extend(power.map(|finding| composed.in_template(finding)));
        }
        for (template, finding) in found {
            let document = template.and_then(|template| document(model, rollout, &template));
            let (document, within) = match document {
                Some(document) => (document, "spec".to_owned()),
                None => (rollout.rollout, place(role)),
            };
            let Finding { severity, path, what, instead, .. } = finding;
            findings.located(document.finding(severity, &format!("{within}.{path}"), &what, &instead));
        }
    }
}

/// Where an analysis is in a Rollout.
fn place(role: RunRole) -> String {
    match role {
        RunRole::Step(index) => format!("spec.strategy.canary.steps[{index}].analysis"),
        RunRole::Background => "spec.strategy.canary.analysis".to_owned(),
    }
}

fn document<'m>(model: &'m Model, rollout: &Whole<'_>, template: &TemplateRef) -> Option<&'m Document> {
    let kind = if template.cluster { "ClusterAnalysisTemplate" } else { "AnalysisTemplate" };
    let is_it = |name: &rollout_core::traffic::ObjectRef| {
        let is_visible = template.cluster || &*name.namespace == namespace(rollout.rollout);
        is_visible && &*name.kind == kind && *name.name == *template.name
    };
    model.objects.iter().find(|(name, _)| is_it(name)).map(|(_, document)| document)
}
