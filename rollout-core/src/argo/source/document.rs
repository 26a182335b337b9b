use super::{
    lines::Lines,
    place::{Children, Places},
};
use crate::{Finding, Place, Severity};
use alloc::string::String;
use alloc::{sync::Arc, vec::Vec};
use serde_json::Value;

/// One document of a text: a value, and the place of each part of it.
///
/// ```
/// use rollout_core::argo::read;
/// let text = "kind: Rollout\nmetadata: {name: web, namespace: shop}\n";
/// let document = read(text, "web.yaml").documents.remove(0);
/// assert_eq!((document.kind(), document.name()), (Some("Rollout"), Some("web")));
/// assert_eq!((document.namespace(), document.file()), (Some("shop"), "web.yaml"));
/// assert_eq!(document.place("metadata.name").line, 2);
/// ```
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

    /// Returns the value.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Returns the value without its places.
    #[must_use]
    pub fn into_value(self) -> Value {
        self.value
    }

    /// Returns the objects of a `List`, in which `kubectl get -o yaml` prints several; otherwise the document itself.
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

    /// Returns the object's kind, such as `Rollout`.
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        self.value.get("kind")?.as_str()
    }

    /// Returns the object's name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.value.get("metadata")?.get("name")?.as_str()
    }

    /// Returns the object's namespace, if it has one.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.value.get("metadata")?.get("namespace")?.as_str()
    }

    /// Returns the name under which the text was read.
    #[must_use]
    pub fn file(&self) -> &str {
        self.lines.name()
    }

    /// Returns the place of the value at `path`; if there is none, of the nearest enclosing value.
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

    /// Adds the place to a finding, and rewords it to say first what to write. Argo Rollouts' own message then moves to
    /// `reference`.
    ///
    /// ```
    /// use rollout_core::{Finding, argo::read};
    /// let reading = read("spec:\n  replicas: 5\n", "demo.yaml");
    /// let found = reading.documents[0].locate(&Finding::error("spec.replicas", "too many", "write 4"));
    /// assert_eq!(found.located.as_ref().unwrap().place.line, 2);
    /// assert_eq!(found.to_string(), "error: demo.yaml:2:13: too many; write 4");
    /// ```
    #[must_use]
    pub fn locate(&self, finding: &Finding) -> Finding {
        let place = self.places.find(finding.stands_at(), finding.names_key);
        let mut found = self.lines.locate(place, finding.clone());
        if let (Some(headline), Some(located)) = (finding.headline(), &mut found.located) {
            located.reference = core::mem::replace(&mut found.what, headline);
            found.instead = String::new();
            found.quotes = false;
        }
        found
    }

    /// Creates a finding about the value at `path`.
    ///
    /// ```
    /// use rollout_core::{Severity, argo::read};
    /// let document = read("spec:\n  replicas: 5\n", "demo.yaml").documents.remove(0);
    /// let found = document.finding(Severity::Warning, "spec.replicas", "is more than the quota", "write 4");
    /// assert_eq!(found.to_string(), "warning: demo.yaml:2:13: is more than the quota; write 4");
    /// ```
    #[must_use]
    pub fn finding(&self, severity: Severity, path: &str, what: &str, instead: &str) -> Finding {
        self.locate(&Finding::new(severity, path, what, instead))
    }

    /// Creates a finding about the name of the field at `path`, if there is one.
    ///
    /// ```
    /// use rollout_core::{Severity, argo::read};
    /// let document = read("spec:\n  replicas: 5\n", "demo.yaml").documents.remove(0);
    /// let found = document.about_field(Severity::Error, "spec.replicas", "is set by the autoscaler", "remove it");
    /// assert_eq!(found.located.unwrap().place.column, 3, "where the name is, not the value");
    /// ```
    #[must_use]
    pub fn about_field(&self, severity: Severity, path: &str, what: &str, instead: &str) -> Finding {
        self.locate(&Finding { names_key: true, ..Finding::new(severity, path, what, instead) })
    }
}
