//! Objects that may hold the pod template of a Rollout. Whether one does is known only when everything was given: until
//! then they are kept, and what no Rollout refers to is passed over, whatever is in it.

use super::{
    diagnostics::Findings,
    input::{self, Part, Template},
    load,
    model::{Model, object_ref},
    whole::reference,
};
use rollout_core::{
    Finding,
    argo::{Document, Severity, read_part},
    traffic::ObjectRef,
};
use std::{collections::BTreeSet, mem};

/// Whether a Rollout can take its pod template from an object of this kind.
pub(crate) fn holds_template(kind: &str) -> bool {
    matches!(kind, "Deployment" | "ReplicaSet" | "PodTemplate")
}

/// One object that may hold the pod template of a Rollout.
#[derive(Debug, Clone)]
pub(crate) struct Workload {
    pub(crate) kind: String,
    pub(crate) part: Part,
    /// Where it was read already: in a list.
    pub(crate) object: Option<Document>,
}

/// What is in a document.
enum Content {
    /// With what is odd about the text.
    Objects(Vec<Document>, Vec<Finding>),
    Template(Template),
    Broken(Vec<Finding>),
    TooLarge,
}

/// Adds those to which a Rollout of these models refers, each to its own model, and passes over the others.
pub(crate) fn add(mut models: [&mut Model; 2], findings: &mut Findings) {
    let rollouts = models.iter().flat_map(|model| &model.rollouts);
    let mut wanted: BTreeSet<ObjectRef> = rollouts.filter_map(|rollout| reference(rollout)?.ok()).collect();
    let kinds: BTreeSet<String> = wanted.iter().map(|object| (*object.kind).to_owned()).collect();
    let mut unreadable = Vec::new();
    for model in &mut models {
        for workload in mem::take(&mut model.workloads) {
            if !kinds.contains(&workload.kind) {
                findings.passed_over(&workload.kind);
                continue;
            }
            let Workload { kind, part, object } = workload;
            match object.map_or_else(|| content(&part), |object| Content::Objects(vec![object], Vec::new())) {
                Content::Objects(objects, problems) => {
                    for object in objects {
                        one(model, &wanted, (object, &problems), &part, findings);
                    }
                }
                content => unreadable.push((kind, part, content)),
            }
        }
    }
    // What is missing may be in what could not be read.
    wanted.retain(|object| !models.iter().any(|model| model.objects.contains_key(object)));
    for (kind, part, content) in unreadable {
        let mut alike = wanted.iter().filter(|object| *object.kind == *kind);
        let is_named = alike.clone().any(|object| part.text.contains(&*object.name));
        match content {
            Content::Template(template) if alike.next().is_some() => {
                load::unfilled(&template, &part, findings);
            }
            Content::Broken(problems) if is_named => {
                for problem in problems {
                    findings.located(problem);
                }
            }
            Content::TooLarge if is_named => load::too_large(&part, findings),
            _ => findings.passed_over(&kind),
        }
    }
}

fn content(part: &Part) -> Content {
    if part.too_large {
        return Content::TooLarge;
    }
    if let Some(template) = input::recognise(&part.text, false) {
        return Content::Template(template);
    }
    let reading = read_part(&part.text, &part.name, part.first_line);
    if !reading.problems.iter().any(|problem| problem.severity == Severity::Error) {
        return Content::Objects(reading.documents, reading.problems);
    }
    match input::recognise(&part.text, true) {
        Some(template) => Content::Template(template),
        None => Content::Broken(reading.problems),
    }
}

fn one(
    model: &mut Model,
    wanted: &BTreeSet<ObjectRef>,
    (object, problems): (Document, &[Finding]),
    part: &Part,
    findings: &mut Findings,
) {
    match object_ref(&object) {
        Some(name) if wanted.contains(&name) => {
            for problem in problems {
                findings.located(problem.clone());
            }
            load::add(model, object, part, findings);
        }
        name => {
            findings.passed_over(object.kind().unwrap_or_default());
            model.beside.extend(name);
        }
    }
}
