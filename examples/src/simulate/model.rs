//! What was given: Rollouts, and the objects around them.

use super::{diagnostics::Findings, input::Source};
use rollout_core::{
    Revision, Spec,
    argo::{Document, Finding, Severity, check, convert, read, template_hash},
    traffic::ObjectRef,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// Everything that was given, by kind.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    /// In the order in which they were given.
    pub(crate) rollouts: Vec<Document>,
    /// Services, VirtualServices, DestinationRules and whatever else was given.
    pub(crate) objects: BTreeMap<ObjectRef, Document>,
}

impl Model {
    /// Sorts what was read by kind and name.
    pub(crate) fn load(sources: &[Source], findings: &mut Findings) -> Self {
        let mut model = Self::default();
        for source in sources {
            let reading = read(&source.text, &source.name);
            let broken = reading.problems.iter().any(|problem| problem.severity == Severity::Error);
            reading.problems.into_iter().for_each(|problem| findings.located(problem));
            let objects = reading.documents.into_iter().flat_map(Document::items);
            // What a text that is no YAML seems to hold is no object: what is wrong is said already.
            let objects = objects.filter(|object| !broken || object.kind().is_some());
            objects.for_each(|object| model.add(object, findings));
        }
        model
    }

    /// What each Rollout is called: its name, and where several have the same, `namespace/name`.
    pub(crate) fn labels(&self) -> Vec<String> {
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        let name = |rollout: &Document| rollout.name().unwrap_or_default().to_owned();
        for rollout in &self.rollouts {
            *times.entry(rollout.name().unwrap_or_default()).or_default() += 1;
        }
        let alone = |name: &String| times.get(name.as_str()) == Some(&1);
        let label = |rollout| {
            let name = name(rollout);
            if alone(&name) { name } else { format!("{}/{name}", namespace(rollout)) }
        };
        self.rollouts.iter().map(label).collect()
    }

    /// That no Rollout was given, and what was.
    pub(crate) fn no_rollout(&self) -> String {
        let mut given: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (object, document) in &self.objects {
            let kinds = given.entry(document.file()).or_default();
            if !kinds.contains(&&*object.kind) {
                kinds.push(&object.kind);
            }
        }
        let given: Vec<String> =
            given.into_iter().map(|(file, kinds)| format!("{file} has {}", kinds.join(", "))).collect();
        let given = if given.is_empty() { String::new() } else { format!(" ({})", given.join("; ")) };
        format!("there is no Rollout in what was given{given}; add its manifest")
    }

    fn add(&mut self, document: Document, findings: &mut Findings) {
        let missing = [("kind", document.kind()), ("metadata.name", document.name())];
        for (path, _) in missing.iter().filter(|(_, value)| value.is_none()) {
            let what = format!("the object has no {path}");
            findings.located(document.diagnostic(
                Severity::Error,
                path,
                &what,
                "write it as kubectl needs it",
            ));
        }
        let (Some(kind), Some(name)) = (document.kind(), document.name()) else { return };
        let object = object_ref(&document, kind, name);
        if kind == "Rollout" {
            if &*object.group != "argoproj.io" {
                findings.located(document.diagnostic(
                    Severity::Warning,
                    "apiVersion",
                    "this is no apiVersion of a Rollout; it is read as one",
                    "write apiVersion: argoproj.io/v1alpha1",
                ));
            }
            match self.rollouts.iter().find(|other| same_object(other, &document)) {
                Some(other) => findings.located(twice(&document, other)),
                None => self.rollouts.push(document),
            }
            return;
        }
        match self.objects.get(&object) {
            Some(other) => findings.located(twice(&document, other)),
            None => drop(self.objects.insert(object, document)),
        }
    }
}

fn twice(document: &Document, other: &Document) -> rollout_core::argo::Diagnostic {
    let first = other.place("metadata.name");
    let what = format!("the same object is also in {}:{}", other.file(), first.line);
    document.diagnostic(
        Severity::Error,
        "metadata.name",
        &what,
        "give one of them another name, or leave it out",
    )
}

/// Whether two manifests are of the same Rollout.
pub(crate) fn same_object(one: &Document, other: &Document) -> bool {
    one.name() == other.name() && namespace(one) == namespace(other)
}

/// The namespace that is meant where none is given.
pub(crate) fn namespace(document: &Document) -> &str {
    document.namespace().unwrap_or("default")
}

fn object_ref(document: &Document, kind: &str, name: &str) -> ObjectRef {
    let version = document.value().get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    let group = version.split_once('/').map_or("", |(group, _)| group);
    ObjectRef::new(group, kind, namespace(document), name)
}

/// What a manifest asks for, with what is to be said about it: a spec only if nothing is wrong.
pub(crate) fn understand(manifest: &Value) -> (Option<Spec>, Vec<Finding>) {
    let report = check(manifest);
    let conversion = convert(&report.rollout, revision(manifest));
    let driven = report.is_valid() && conversion.unsupported.is_empty();
    let mut findings = report.findings;
    findings.extend(conversion.unsupported.into_iter().map(Finding::from));
    (conversion.spec.filter(|_| driven), findings)
}

/// The revision of the template as it stands.
pub(crate) fn revision(manifest: &Value) -> Revision {
    template_hash(manifest.pointer("/spec/template").unwrap_or(&Value::Null))
}
