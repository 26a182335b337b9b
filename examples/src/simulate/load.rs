//! From documents to a model: what is read, what is passed over, and what must be made readable first.

use super::{
    diagnostics::Findings,
    identity::{Identity, identify},
    input::{self, Look, MOST_BYTES, Origin, Part, Template},
    model::Model,
    workloads::{Workload, holds_template},
};
use rollout_core::argo::{Document, Severity, read_part};
use serde_json::Value;
use std::{io::Read, path::PathBuf};

/// Everything in these files and folders, by kind and name.
pub(crate) fn load(paths: &[PathBuf], stdin: &mut dyn Read, findings: &mut Findings) -> Model {
    let mut model = Model::default();
    input::read(paths, stdin, findings, &mut |part, findings| take(&mut model, part, findings));
    model
}

fn take(model: &mut Model, part: Part, findings: &mut Findings) {
    let look = input::look(&part.text);
    match &look {
        Look::Beside(kind) => return model.saw(&part.name, kind),
        Look::Other(kind) => {
            model.saw(&part.name, kind);
            if holds_template(kind) {
                return model.workloads.push(Workload { kind: kind.clone(), part, object: None });
            }
            return findings.passed_over(kind);
        }
        Look::Ours | Look::Unknown => {}
    }
    let is_found = matches!(part.origin, Origin::Found(_));
    if part.too_large {
        if look == Look::Unknown && is_found {
            return findings.passed_over(&part.name);
        }
        return too_large(&part, findings);
    }
    if let Some(template) = input::recognise(&part.text, false) {
        return unfilled(&template, &part, findings);
    }
    let reading = read_part(&part.text, &part.name, part.first_line);
    if reading.problems.iter().any(|problem| problem.severity == Severity::Error) {
        if let Some(template) = input::recognise(&part.text, true) {
            return unfilled(&template, &part, findings);
        }
        if look == Look::Unknown && is_found {
            return findings.passed_over(&part.name);
        }
    }
    let broken = !reading.problems.is_empty();
    reading.problems.into_iter().for_each(|problem| findings.located(problem));
    let objects = reading.documents.into_iter().flat_map(Document::items);
    // What a text that is no YAML seems to hold is no object: what is wrong is said already.
    for object in objects.filter(|object| !broken || object.kind().is_some()) {
        one(model, object, &part, findings);
    }
}

fn one(model: &mut Model, object: Document, part: &Part, findings: &mut Findings) {
    match identify(&object) {
        Identity::Ours => {}
        Identity::Nothing => {
            model.saw(&part.name, "no object of Kubernetes");
            return findings.passed_over(&part.name);
        }
        Identity::Other(words) => {
            model.saw(&part.name, &words);
            if object
                .value()
                .get("apiVersion")
                .and_then(Value::as_str)
                .is_some_and(|version| version.starts_with("networking.istio.io/"))
            {
                return;
            }
            if holds_template(&words) {
                let part = Part { text: String::new(), ..part.clone() };
                return model.workloads.push(Workload { kind: words, part, object: Some(object) });
            }
            return findings.passed_over(&words);
        }
        Identity::Wrong(wrong) => {
            model.saw(&part.name, object.kind().unwrap_or("an object without a kind"));
            return findings.located(object.locate(&wrong));
        }
    }
    add(model, object, part, findings);
}

/// Adds an object that is read, if it can be one as it stands.
pub(crate) fn add(model: &mut Model, object: Document, part: &Part, findings: &mut Findings) {
    if let Some((path, what)) = no_name(&object) {
        let instead = "write letters a-z, digits, `-` and `.`, as Kubernetes wants it";
        return findings.located(object.finding(Severity::Error, path, &what, instead));
    }
    let is_rollout = object.kind() == Some("Rollout");
    let (own, of_pods) = variables(object.value());
    if !own.is_empty() || !of_pods.is_empty() {
        let refused = is_rollout && !own.is_empty();
        let (what, command) =
            Template::Variables(if own.is_empty() { of_pods } else { own }).words(&part.origin);
        findings.next_step(format!("{}: {what}", part.name), command);
        if refused {
            return model.saw(&part.name, "Rollout");
        }
    }
    if is_rollout && input::is_part(object.value()) && object.name().is_some() {
        return findings.located(object.finding(
            Severity::Error,
            "spec",
            "this is only a part of a Rollout: a patch, most likely",
            "build what it belongs to: kustomize build DIR | simulate -",
        ));
    }
    model.add(object, findings);
}

/// A name or a namespace that no object can have, and where it stands.
fn no_name(object: &Document) -> Option<(&'static str, String)> {
    let is_name = |name: &str| {
        let plain =
            name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.');
        plain && !name.is_empty() && name.len() <= 253
    };
    // What a shell is to fill in is told of by itself.
    let wrong = |name: &&str| !is_name(name) && input::variables(name).is_empty();
    let named = [("metadata.name", object.name()), ("metadata.namespace", object.namespace())];
    named.into_iter().find_map(|(path, name)| {
        let name = name.filter(|name| wrong(name))?;
        let shown: String = name.chars().take(60).collect();
        Some((path, format!("{shown:?} is no name that an object can have")))
    })
}

/// A document that is too large to be read.
pub(crate) fn too_large(part: &Part, findings: &mut Findings) {
    findings.plain(format!(
        "{}:{}: the document that begins here is larger than {} MiB; split it up, one object in each document",
        part.name,
        part.first_line,
        MOST_BYTES >> 20
    ));
}

/// A text that is none before a program has filled something in.
pub(crate) fn unfilled(template: &Template, part: &Part, findings: &mut Findings) {
    let (what, command) = template.words(&part.origin);
    findings.next_step(format!("{}: {what}", part.name), command);
}

/// The variables that nobody has filled in: in what is read of an object, and in the image of a container.
fn variables(object: &Value) -> (Vec<String>, Vec<String>) {
    let (mut own, mut of_pods) = (Vec::new(), Vec::new());
    for part in ["/metadata/name", "/metadata/namespace"] {
        collect(object.pointer(part), &mut own);
    }
    for (field, value) in object.get("spec").and_then(Value::as_object).into_iter().flatten() {
        if field != "template" {
            collect(Some(value), &mut own);
        }
    }
    collect(object.pointer("/spec/template/metadata/labels"), &mut own);
    let containers = object.pointer("/spec/template/spec/containers").and_then(Value::as_array);
    containers.into_iter().flatten().for_each(|container| collect(container.get("image"), &mut of_pods));
    (own, of_pods)
}

/// More variables help nobody.
const MOST_VARIABLES: usize = 8;

fn collect(value: Option<&Value>, into: &mut Vec<String>) {
    match value {
        Some(Value::String(text)) => {
            for name in input::variables(text) {
                if into.len() < MOST_VARIABLES && !into.iter().any(|known| known == name) {
                    into.push(name.to_owned());
                }
            }
        }
        Some(Value::Array(items)) => items.iter().for_each(|item| collect(Some(item), into)),
        Some(Value::Object(fields)) => fields.values().for_each(|field| collect(Some(field), into)),
        _ => {}
    }
}
