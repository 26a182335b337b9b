use super::{
    Diagnostic, Place,
    diagnostic::Lines,
    place::{Children, Places},
};
use crate::argo::{Finding, Severity};
use alloc::{sync::Arc, vec::Vec};
use serde_json::Value;

/// One document of a text: a value, and where each part of it stands.
#[derive(Debug, Clone)]
pub struct Document {
    value: Value,
    places: Places,
    lines: Arc<Lines>,
}

impl Document {
    pub(super) fn new(value: Value, places: Places, lines: Arc<Lines>) -> Self {
        Self { value, places, lines }
    }

    /// What was read.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// What was read, without its places.
    #[must_use]
    pub fn into_value(self) -> Value {
        self.value
    }

    /// The objects of a `List`, as `kubectl get -o yaml` prints several; the document itself when it is none.
    ///
    /// ```
    /// use rollout_core::argo::read;
    /// let text = "kind: List\nitems:\n- kind: Rollout\n- kind: Service\n";
    /// let kinds = |document: rollout_core::argo::Document| document.kind().map(String::from);
    /// let items = read(text, "all.yaml").documents.remove(0).items();
    /// assert_eq!(items[1].place("kind").line, 4);
    /// assert_eq!(items.into_iter().filter_map(kinds).collect::<Vec<_>>(), ["Rollout", "Service"]);
    /// ```
    #[must_use]
    pub fn items(mut self) -> Vec<Self> {
        let is_list = self.kind().is_some_and(|kind| kind.ends_with("List"));
        let Some(Value::Array(values)) = self.value.get_mut("items").filter(|_| is_list) else {
            return Vec::from([self]);
        };
        let values = core::mem::take(values);
        let Children::Map(fields) = self.places.children else { return Vec::new() };
        let items = fields.into_vec().into_iter().find(|(name, _)| &**name == "items");
        let Some(Children::List(places)) = items.map(|(_, items)| items.children) else {
            return Vec::new();
        };
        let items = values.into_iter().zip(places);
        items.map(|(value, places)| Self { value, places, lines: self.lines.clone() }).collect()
    }

    /// The object's kind, such as `Rollout`.
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        self.value.get("kind")?.as_str()
    }

    /// The object's name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.value.get("metadata")?.get("name")?.as_str()
    }

    /// The object's namespace, if it says one.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.value.get("metadata")?.get("namespace")?.as_str()
    }

    /// Says something about a field by its name, where there is one at `path`.
    #[must_use]
    pub fn about_field(&self, severity: Severity, path: &str, what: &str, instead: &str) -> Diagnostic {
        self.lines.diagnostic(severity, self.places.find(path, true), path, what, instead)
    }

    /// The name under which the text was read.
    #[must_use]
    pub fn file(&self) -> &str {
        self.lines.name()
    }

    /// Where something stands; for what is not there, the nearest thing around it.
    ///
    /// ```
    /// use rollout_core::argo::read;
    /// let reading = read("spec:\n  replicas: 5\n", "demo.yaml");
    /// let at = |path: &str| {
    ///     let place = reading.documents[0].place(path);
    ///     (place.line, place.column)
    /// };
    /// assert_eq!(at("spec.replicas"), (2, 13));
    /// assert_eq!(at("spec.strategy.canary"), (1, 1));
    /// ```
    #[must_use]
    pub fn place(&self, path: &str) -> Place {
        self.lines.in_file(self.places.find(path, false))
    }

    /// Shows where a finding stands.
    #[must_use]
    pub fn diagnose(&self, finding: &Finding) -> Diagnostic {
        let place = self.places.find(finding.place(), finding.names_key);
        let Finding { severity, path, message, instead, .. } = finding;
        let Some(headline) = finding.headline() else {
            return self.lines.diagnostic(*severity, place, path, message, instead);
        };
        let shown = self.lines.diagnostic(*severity, place, path, &headline, "");
        Diagnostic { reference: message.clone(), ..shown }
    }

    /// Says something about what stands at `path`.
    #[must_use]
    pub fn diagnostic(&self, severity: Severity, path: &str, what: &str, instead: &str) -> Diagnostic {
        self.lines.diagnostic(severity, self.places.find(path, false), path, what, instead)
    }
}
