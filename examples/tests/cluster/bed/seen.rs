use super::view::{Rollout, Run, weights_of};
use serde_json::Value;
use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

/// One change that a watch has shown.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// Of what kind the object is.
    pub(crate) kind: &'static str,
    /// Its name.
    pub(crate) name: String,
    /// The object, without `managedFields`.
    pub(crate) object: Value,
    /// Whether it is there; else this is how it was last.
    pub(crate) is_there: bool,
}

/// What watches have shown in one namespace: all changes from its beginning, in the order in which they were seen;
/// within a kind, that is the order in which they happened.
#[derive(Debug, Default, Clone)]
pub(crate) struct Seen {
    changes: Vec<Arc<Change>>,
    now: BTreeMap<(&'static str, String), usize>,
}

impl Seen {
    pub(super) fn add(&mut self, kind: &'static str, name: String, object: Value, is_there: bool) {
        if is_there {
            self.now.insert((kind, name.clone()), self.changes.len());
        } else {
            self.now.remove(&(kind, name.clone()));
        }
        self.changes.push(Arc::new(Change { kind, name, object, is_there }));
    }

    /// Everything, in order.
    pub(crate) fn changes(&self) -> &[Arc<Change>] {
        &self.changes
    }

    /// The object as it is now.
    pub(crate) fn object(&self, kind: &'static str, name: &str) -> Option<&Value> {
        self.now.get(&(kind, name.to_owned())).map(|at| &self.changes[*at].object)
    }

    /// All objects of a kind as they are now.
    pub(crate) fn objects(&self, kind: &'static str) -> impl Iterator<Item = &Value> {
        self.now.iter().filter(move |((of, _), _)| *of == kind).map(|(_, at)| &self.changes[*at].object)
    }

    /// The Rollout of this name as it is now.
    pub(crate) fn rollout(&self, name: &str) -> Option<Rollout<'_>> {
        self.object("Rollout", name).map(Rollout)
    }

    /// The AnalysisRuns as they are now, by name.
    pub(crate) fn runs(&self) -> Vec<Run<'_>> {
        self.objects("AnalysisRun").map(Run).collect()
    }

    /// The AnalysisRun of a role (`Step`, `Background`) that was made last.
    pub(crate) fn run(&self, role: &str) -> Option<Run<'_>> {
        let runs = self.runs().into_iter().filter(|run| run.label("rollout-type") == role);
        runs.max_by(|one, other| one.made().cmp(&other.made()))
    }

    /// The healths that an AnalysisRun had, each once in a row.
    pub(crate) fn healths(&self, run: &str) -> Vec<&'static str> {
        let its = self.changes.iter().filter(|change| change.kind == "AnalysisRun" && change.name == run);
        let mut healths: Vec<_> =
            its.filter(|change| change.is_there).map(|change| Run(&change.object).health()).collect();
        healths.dedup();
        healths
    }

    /// The weights of a VirtualService's route `test-v1`: stable, canary.
    pub(crate) fn weights(&self, virtual_service: &str) -> Option<(i64, i64)> {
        weights_of(self.object("VirtualService", virtual_service)?, "test-v1")
    }

    /// Reasons and texts of what was said about the object of this name, in order, each once.
    pub(crate) fn events(&self, about: &str) -> Vec<(&str, &str)> {
        let text = |object: &'_ Value, pointer: &str| -> Option<String> {
            object.pointer(pointer)?.as_str().map(str::to_owned)
        };
        let mut names = std::collections::BTreeSet::new();
        let events = self.changes.iter().filter(|change| change.kind == "Event" && change.is_there);
        let events = events.filter(|change| names.insert(&change.name));
        let about_it =
            events.filter(|event| text(&event.object, "/involvedObject/name").as_deref() == Some(about));
        about_it
            .map(|event| {
                let text = |field: &str| event.object[field].as_str().unwrap_or_default();
                (text("reason"), text("message"))
            })
            .collect()
    }

    /// What is there now, in a few lines.
    pub(crate) fn report(&self) -> String {
        let mut report = String::new();
        for rollout in self.objects("Rollout") {
            let _ = writeln!(report, "{}", Rollout(rollout));
        }
        for run in self.runs() {
            let _ = writeln!(report, "{run}");
        }
        let name = |object: &Value| object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        for set in self.objects("ReplicaSet") {
            let count = |pointer: &str| set.pointer(pointer).and_then(Value::as_i64).unwrap_or(0);
            let (wanted, ready) = (count("/spec/replicas"), count("/status/readyReplicas"));
            let _ = writeln!(report, "ReplicaSet {}: {ready} of {wanted} ready", name(set));
        }
        for (kind, pointer) in [
            ("Service", "/spec/selector"),
            ("VirtualService", "/spec/http"),
            ("DestinationRule", "/spec/subsets"),
        ] {
            for object in self.objects(kind) {
                let part = object.pointer(pointer).unwrap_or(&Value::Null);
                let _ = writeln!(report, "{kind} {}: {part}", name(object));
            }
        }
        report
    }
}
