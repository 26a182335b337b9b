use super::{annotations, kinds, lint, metadata, notes::Notes, selector, spec, template};
use crate::argo::{
    Finding, Severity,
    reader::Reader,
    wire::{Rollout, RolloutSpec, Wire},
};
use alloc::vec::Vec;
use serde_json::Value;

/// The result of reading and checking a Rollout.
///
/// See [`check`] for an example.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// The Rollout, without the parts of the wrong type.
    pub rollout: Rollout,
    /// Errors and warnings, in the order of the rules.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Returns whether the manifest is valid. Warnings do not count.
    ///
    /// ```
    /// use rollout_core::argo::check;
    /// use serde_json::json;
    /// let report = check(&json!({"spec": {"strategy": {"canary": {"steps": [{"setwieght": 5}]}}}}));
    /// assert!(!report.is_valid(), "among others, there is no pod template");
    /// assert!(report.rollout.canary().is_some(), "what could be read is there all the same");
    /// ```
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.errors().next().is_none()
    }

    /// Iterates over the errors.
    ///
    /// See [`check`] for an example.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.of(Severity::Error)
    }

    /// Iterates over the warnings: allowed, but most likely mistakes.
    ///
    /// See [`check`] for an example.
    pub fn warnings(&self) -> impl Iterator<Item = &Finding> {
        self.of(Severity::Warning)
    }

    fn of(&self, severity: Severity) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.severity == severity)
    }
}

/// Reads and checks a Rollout: reports all errors at once, each with its path.
///
/// The rules need nothing but the Rollout. Settings that the engine does not support yet are not errors here;
/// [`convert`](crate::argo::convert) reports them.
///
/// ```
/// use rollout_core::argo::check;
/// use serde_json::json;
/// let report = check(&json!({
///     "spec": {
///         "replicas": -1,
///         "selector": {"matchLabels": {"app": "demo"}},
///         "strategy": {"canary": {"steps": [{"setWeight": 101}, {"setwieght": 5, "pause": {}}]}},
///         "template": {
///             "metadata": {"labels": {"app": "demo"}},
///             "spec": {"containers": [{"name": "c", "image": "demo:v1"}]}
///         }
///     }
/// }));
/// let errors: Vec<_> = report.errors().map(|error| error.path.as_str()).collect();
/// assert_eq!(errors, ["spec.replicas", "spec.strategy.canary.steps[0].setWeight"]);
/// assert!(report.warnings().any(|warning| warning.instead == "did you mean `setWeight`?"));
/// ```
#[must_use]
pub fn check(rollout: &Value) -> Report {
    let mut reader = Reader::default();
    let wire = Rollout::read(rollout, &mut reader).unwrap_or_default();
    let mut notes = Notes::default();
    if rollout.is_object() {
        let steps = rollout.pointer("/spec/strategy/canary/steps").and_then(Value::as_array);
        rules(&wire, steps.map_or(&[], Vec::as_slice), &mut notes);
    }
    let mut findings = reader.findings.into_list();
    let mut found = notes.findings.into_list();
    found.retain(|note| {
        !findings.iter().any(|wrong| wrong.severity == Severity::Error && follows(note, wrong))
    });
    findings.append(&mut found);
    Report { rollout: wire, findings }
}

fn rules(rollout: &Rollout, written: &[Value], notes: &mut Notes) {
    let none = RolloutSpec::default();
    let spec = rollout.spec.as_ref().unwrap_or(&none);
    spec::check(spec, notes);
    let readable = selector::check(spec, notes);
    template::check(spec, readable, notes);
    kinds::check(spec.strategy.as_ref(), written, notes);
    metadata::check(spec, notes);
    annotations::check(rollout, notes);
    lint::check(spec, notes);
}

/// Returns whether a rule's finding only follows from a value that could not be read, which is already reported.
fn follows(note: &Finding, wrong: &Finding) -> bool {
    let (note, wrong) = (note.stands_at(), wrong.stands_at());
    let below = |path: &str, parent: &str| {
        path.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    below(note, wrong) || below(wrong, note)
}
