//! What was given: Rollouts, and the objects around them.

use super::{
    diagnostics::Findings,
    metrics::Given,
    next_version,
    workloads::{Workload, holds_template},
};
use rollout_core::{
    Revision, Spec,
    analysis::TemplateRef,
    argo::{Document, Finding, Severity, check, convert, ignored_by_argo_rollouts, template_hash},
    traffic::ObjectRef,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Everything that was given, by kind.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    /// In the order in which they were given.
    pub(crate) rollouts: Vec<Document>,
    /// Services, VirtualServices, DestinationRules, and the objects from which Rollouts take their pod templates.
    pub(crate) objects: BTreeMap<ObjectRef, Document>,
    /// What may hold the pod template of a Rollout, until all Rollouts are known.
    pub(crate) workloads: Vec<Workload>,
    /// Of these, what no Rollout refers to.
    pub(crate) beside: BTreeSet<ObjectRef>,
    /// Where in `rollouts` each is, by namespace and name.
    by_name: BTreeMap<(String, String), usize>,
    /// What stands in each file beside these, for whoever looks for a Rollout.
    seen: BTreeMap<String, BTreeSet<String>>,
}

/// So many files, and kinds of each, are remembered for whoever looks for a Rollout.
const MOST_SEEN: usize = 20;

impl Model {
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

    /// The templates of analyses, for all Rollouts at once.
    pub(crate) fn templates(&self) -> Templates {
        let (mut of_cluster, mut own) = (Given::new(), BTreeMap::<String, Given>::new());
        for (name, document) in &self.objects {
            let spec = || document.value().get("spec").cloned().unwrap_or_default();
            let named = |cluster| TemplateRef { cluster, name: name.name.to_string() };
            if &*name.kind == "AnalysisTemplate" {
                own.entry(name.namespace.to_string()).or_default().insert(named(false), spec());
            } else if &*name.kind == "ClusterAnalysisTemplate" {
                of_cluster.insert(named(true), spec());
            }
        }
        let both = |(namespace, mut own): (String, Given)| {
            own.extend(of_cluster.clone());
            (namespace, Arc::new(own))
        };
        Templates { own: own.into_iter().map(both).collect(), of_cluster: Arc::new(of_cluster) }
    }

    /// The document of a template that a Rollout of this namespace names.
    pub(crate) fn template(&self, template: &TemplateRef, namespace: &str) -> Option<&Document> {
        let (kind, namespace) = if template.cluster {
            ("ClusterAnalysisTemplate", DEFAULT)
        } else {
            ("AnalysisTemplate", namespace)
        };
        self.objects.get(&ObjectRef::new("argoproj.io", kind, namespace, &template.name))
    }

    /// The Rollout that has the name and the namespace of this one.
    pub(crate) fn same_as(&self, rollout: &Document) -> Option<&Document> {
        self.rollouts.get(*self.by_name.get(&key(rollout))?)
    }

    /// Notes what else a file holds.
    pub(crate) fn saw(&mut self, file: &str, what: &str) {
        if self.seen.len() < MOST_SEEN || self.seen.contains_key(file) {
            let kinds = self.seen.entry(file.to_owned()).or_default();
            if kinds.len() < MOST_SEEN {
                kinds.insert(what.to_owned());
            }
        }
    }

    /// That no Rollout was given, and what was.
    pub(crate) fn no_rollout(&self) -> String {
        let given: Vec<String> = self
            .seen
            .iter()
            .map(|(file, kinds)| {
                let kinds = kinds.iter().map(|kind| match kind.strip_prefix("Rollout of ") {
                    Some(group) => format!("a Rollout of {group}, which is not read"),
                    None => kind.clone(),
                });
                format!("{file} has {}", kinds.collect::<Vec<_>>().join(", "))
            })
            .collect();
        let given = if given.is_empty() { String::new() } else { format!(" ({})", given.join("; ")) };
        format!("there is no Rollout in what was given{given}; add its manifest")
    }

    /// Adds one of the objects that are read.
    pub(crate) fn add(&mut self, document: Document, findings: &mut Findings) {
        let Some(object) = object_ref(&document) else {
            let what = "the object has no metadata.name";
            return findings.located(document.finding(
                Severity::Error,
                "metadata.name",
                what,
                "write it as kubectl needs it",
            ));
        };
        self.saw(document.file(), &object.kind);
        if &*object.kind == "Rollout" {
            if let Some(other) = self.same_as(&document) {
                return findings.located(self.twice(&document, other));
            }
            self.by_name.insert(key(&document), self.rollouts.len());
            return self.rollouts.push(document);
        }
        match self.objects.get(&object) {
            Some(other) => findings.located(self.twice(&document, other)),
            None => drop(self.objects.insert(object, document)),
        }
    }

    fn twice(&self, document: &Document, other: &Document) -> Finding {
        let first = other.place("metadata.name");
        let what = format!("the same object is also in {}:{}", other.file(), first.line);
        let mut instead = "give one of them another name, or leave it out".to_owned();
        if document.kind().is_some_and(|kind| kind == "Rollout" || holds_template(kind)) {
            let files = self.seen.keys().map(String::as_str);
            let command = next_version::command(other.file(), document.file(), files);
            instead += &format!("; if one of them is the next version: {command}");
        }
        document.finding(Severity::Error, "metadata.name", &what, &instead)
    }
}

fn key(rollout: &Document) -> (String, String) {
    (namespace(rollout).to_owned(), rollout.name().unwrap_or_default().to_owned())
}

/// The specs of templates of analyses, by namespace.
#[derive(Debug)]
pub(crate) struct Templates {
    /// With those of the cluster.
    own: BTreeMap<String, Arc<Given>>,
    of_cluster: Arc<Given>,
}

impl Templates {
    /// Those that a Rollout of this namespace may name.
    pub(crate) fn of(&self, namespace: &str) -> Arc<Given> {
        self.own.get(namespace).unwrap_or(&self.of_cluster).clone()
    }
}

const DEFAULT: &str = "default";

/// The namespace that is meant where none is given.
pub(crate) fn namespace(document: &Document) -> &str {
    document.namespace().unwrap_or(DEFAULT)
}

/// The manifest as it is applied: with a namespace.
pub(crate) fn in_a_namespace(manifest: &Value) -> Value {
    let mut manifest = manifest.clone();
    if let Some(metadata) = manifest.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.entry("namespace").or_insert_with(|| DEFAULT.into());
    }
    manifest
}

/// Which object it is; `None` if it has no kind or no name.
pub(crate) fn object_ref(document: &Document) -> Option<ObjectRef> {
    let version = document.value().get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    let group = version.split_once('/').map_or("", |(group, _)| group);
    Some(ObjectRef::new(group, document.kind()?, namespace(document), document.name()?))
}

/// What a manifest asks for, with what is to be said about it: a spec only if nothing is wrong.
pub(crate) fn understand(manifest: &Value) -> (Option<Spec>, Vec<Finding>) {
    let report = check(manifest);
    let conversion = convert(&report.rollout, revision(manifest)).with_analyses();
    let mut findings = report.findings;
    // What is lost without a word is no warning here: a canary without its steps goes to everybody at once.
    for finding in findings.iter_mut().filter(|finding| finding.is_misplaced()) {
        finding.severity = Severity::Error;
    }
    let is_valid = findings.iter().all(|finding| finding.severity != Severity::Error);
    let driven = is_valid && conversion.unsupported.is_empty();
    findings.extend(conversion.unsupported);
    findings.extend(conversion.ignored);
    findings.extend(ignored_by_argo_rollouts(&report.rollout));
    (conversion.spec.filter(|_| driven), findings)
}

/// The revision of the template as it stands.
pub(crate) fn revision(manifest: &Value) -> Revision {
    template_hash(manifest.pointer("/spec/template").unwrap_or(&Value::Null))
}
