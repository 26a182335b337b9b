use super::{
    Claim, EditError, Edits, EventText, MANAGED_BY_ANNOTATION, ObjectEditor, Objects, REVISION_LABEL, Topic,
    annotate, is_managed_by,
};
#[cfg(feature = "argo")]
use crate::{DnsName, argo::wire::Rollout};
use crate::{
    Finding,
    backend::{Layer, RolloutRef},
    traffic::{Destination, ObjectRef, Routes, Seen, Selection, Selectors},
};
use alloc::{
    borrow::{Cow, ToOwned},
    format,
    string::ToString,
    vec::Vec,
};
use serde_json::{Map, Value};

/// Edits the Services of a rollout: `canaryService` and `stableService`.
///
/// A selector names a revision with [`REVISION_LABEL`]; a Service without that label leads to whatever the user's own
/// selector matches. Services hold no routes. A stable Service always counts as used: it is the users' front door.
///
/// ```
/// use rollout_core::backend::{ObjectEditor, ServiceEditor};
/// let editor = ServiceEditor::new("shop", Some("web"), Some("web-canary"));
/// let names: Vec<_> = editor.objects().iter().map(ToString::to_string).collect();
/// assert_eq!(names, ["Service shop/web", "Service shop/web-canary"]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceEditor {
    label: Cow<'static, str>,
    rollout: RolloutRef,
    services: Vec<(Destination, ObjectRef)>,
}

impl ServiceEditor {
    /// Creates an editor for the Services of a rollout in `namespace`; each may be absent. Unless
    /// [`of_rollout`](Self::of_rollout) is called, the rollout has the name of its first Service.
    ///
    /// See [`of_rollout`](Self::of_rollout) for an example.
    #[must_use]
    pub fn new(namespace: &str, stable: Option<&str>, canary: Option<&str>) -> Self {
        let rollout = RolloutRef::new(namespace, stable.or(canary).unwrap_or_default());
        let service = |name| ObjectRef::new("", "Service", namespace, name);
        let stable = stable.map(|name| (Destination::Stable, service(name)));
        let canary = canary.map(|name| (Destination::Canary, service(name)));
        let label = Cow::Borrowed(REVISION_LABEL);
        Self { label, rollout, services: stable.into_iter().chain(canary).collect() }
    }

    /// Sets the pod label that identifies the revision, instead of [`REVISION_LABEL`].
    ///
    /// ```
    /// use rollout_core::{backend::{Object, ObjectEditor, ServiceEditor}, traffic::{ObjectVersion, Selection}};
    /// # use serde_json::json;
    /// let editor = ServiceEditor::new("shop", Some("web"), None).revision_label("example.com/revision");
    /// let value = json!({"spec": {"selector": {"app": "web", "example.com/revision": "v1"}}}).into();
    /// let object = Object { value, version: ObjectVersion { write: "1".into(), content: 1 } };
    /// let seen = editor.read(&[(editor.objects()[0].clone(), object)].into())?;
    /// assert_eq!(seen.behind.stable, [Selection::Revision("v1".into())]);
    /// # Ok::<(), rollout_core::backend::EditError>(())
    /// ```
    #[must_use]
    pub fn revision_label(mut self, label: &str) -> Self {
        self.label = Cow::Owned(label.to_owned());
        self
    }

    /// Creates an editor for the Services that a Rollout names, if any.
    ///
    /// # Errors
    /// Reports each name that is not a [`DnsName`]: such a text must not get into a request path.
    ///
    /// ```
    /// use rollout_core::argo::wire::Rollout;
    /// use rollout_core::backend::{ObjectEditor, ServiceEditor};
    /// # use serde_json::json;
    /// let mut rollout = json!({"metadata": {"namespace": "shop", "name": "web"}, "spec": {"strategy": {"canary": {
    ///     "stableService": "web", "canaryService": "web-canary",
    /// }}}});
    /// let editor = ServiceEditor::from_wire(&Rollout::from_value(&rollout));
    /// assert_eq!(editor.map(|editor| editor.objects().len()), Ok(2));
    /// rollout["spec"]["strategy"]["canary"]["canaryService"] = "web?dryRun=All".into();
    /// let errors = ServiceEditor::from_wire(&Rollout::from_value(&rollout)).unwrap_err();
    /// assert_eq!(errors[0].path, "spec.strategy.canary.canaryService");
    /// ```
    #[cfg(feature = "argo")]
    pub fn from_wire(rollout: &Rollout) -> Result<Self, Vec<Finding>> {
        let mut errors = Vec::new();
        let mut name = |path: &str, text: Option<&str>| -> Option<DnsName> {
            let name = DnsName::parse(text.filter(|text| !text.is_empty())?);
            name.map_err(|error| errors.push(Finding::error(path, error.to_string(), DnsName::INSTEAD))).ok()
        };
        let (namespace, rollout_name) = rollout.identity();
        let namespace = name("metadata.namespace", namespace);
        let rollout_name = name("metadata.name", rollout_name);
        let services = rollout.services();
        let stable = name("spec.strategy.canary.stableService", services.stable);
        let canary = name("spec.strategy.canary.canaryService", services.canary);
        if !errors.is_empty() {
            return Err(errors);
        }
        let text = |name: &Option<DnsName>| name.as_ref().map(ToString::to_string).unwrap_or_default();
        let (stable, canary) = (stable.as_ref().map(DnsName::as_str), canary.as_ref().map(DnsName::as_str));
        Ok(Self::new(&text(&namespace), stable, canary).of_rollout(&text(&rollout_name)))
    }

    /// Sets the name of the Rollout.
    ///
    /// ```
    /// use rollout_core::backend::{ObjectEditor, ServiceEditor};
    /// let editor = ServiceEditor::new("shop", Some("web"), None);
    /// assert_eq!(&*editor.rollout().name, "web");
    /// assert_eq!(&*editor.of_rollout("frontend").rollout().name, "frontend");
    /// ```
    #[must_use]
    pub fn of_rollout(mut self, name: &str) -> Self {
        self.rollout.name = name.into();
        self
    }

    /// Records the owner of the selector in the same write, so that it can be found after the Rollout is gone.
    fn sign(&self, name: &ObjectRef, service: &mut Value, to: &Selection) -> Result<(), EditError> {
        if to.revision().is_some() {
            annotate(name, service, MANAGED_BY_ANNOTATION, Some(&self.rollout.name))?;
        } else if is_managed_by(name, service, &self.rollout) {
            annotate(name, service, MANAGED_BY_ANNOTATION, None)?;
        }
        Ok(())
    }

    fn selected(&self, name: &ObjectRef, service: &Value) -> Result<Selection, EditError> {
        let path = "spec.selector";
        let selector = match service.get("spec").and_then(|spec| spec.get("selector")) {
            None | Some(Value::Null) => return Ok(Selection::Unpinned),
            Some(selector) => {
                selector.as_object().ok_or_else(|| no_text(name, path, "is not a map of labels"))?
            }
        };
        match selector.get(&*self.label) {
            None | Some(Value::Null) => Ok(Selection::Unpinned),
            Some(Value::String(hash)) => Ok(Selection::Revision(hash.as_str().into())),
            Some(_) => Err(no_text(name, &format!("{path}.{}", self.label), "is not text")),
        }
    }

    fn point(&self, name: &ObjectRef, service: &mut Value, to: &Selection) -> Result<(), EditError> {
        let no_spec = || {
            EditError::new(
                name.clone(),
                Finding::error("spec", "the Service has no spec", "write one with ports and a selector"),
            )
        };
        let spec = service.get_mut("spec").and_then(Value::as_object_mut).ok_or_else(no_spec)?;
        let selector = spec.entry("selector").or_insert(Value::Null);
        if selector.is_null() {
            *selector = Value::Object(Map::new());
        }
        if let Some(selector) = selector.as_object_mut() {
            match to {
                Selection::Unpinned => selector.retain(|label, _| *label != self.label),
                Selection::Revision(revision) => {
                    selector.insert(self.label.to_string(), revision.as_str().into());
                }
            }
        }
        Ok(())
    }

    fn edit(
        &self,
        objects: &Objects,
        selection: impl Fn(Destination) -> Option<Selection>,
    ) -> Result<Edits, EditError> {
        let mut edits = Edits::new();
        for (destination, name) in &self.services {
            let service = find(objects, name)?;
            let seen = self.selected(name, service)?;
            if let Some(to) = selection(*destination).filter(|to| *to != seen) {
                let mut service = service.clone();
                self.point(name, &mut service, &to)?;
                self.sign(name, &mut service, &to)?;
                edits.push((name.clone(), service));
            }
        }
        Ok(edits)
    }
}

impl ObjectEditor for ServiceEditor {
    fn rollout(&self) -> &RolloutRef {
        &self.rollout
    }

    fn claims(&self) -> Vec<Claim> {
        let claim = |name: ObjectRef| Claim::selector(self.rollout.clone(), name);
        self.objects().into_iter().map(claim).collect()
    }

    fn objects(&self) -> Vec<ObjectRef> {
        self.services.iter().map(|(_, name)| name.clone()).collect()
    }

    fn read_one(&self, objects: &Objects, one: &ObjectRef) -> Result<Seen, EditError> {
        let mut seen = Seen::nothing();
        for (destination, _) in self.services.iter().filter(|(_, name)| name == one) {
            let selection = self.selected(one, find(objects, one)?)?;
            seen.behind[*destination].push(selection);
            seen.used_elsewhere.stable |= *destination == Destination::Stable;
        }
        Ok(seen)
    }

    fn select(&self, objects: &Objects, to: &Selectors) -> Result<Edits, EditError> {
        self.edit(objects, |destination| to[destination].clone())
    }

    fn route(&self, _objects: &Objects, _to: &Routes) -> Result<Edits, EditError> {
        Ok(Edits::new())
    }

    fn release(&self, objects: &Objects) -> Result<Edits, EditError> {
        let mut edits = self.edit(objects, |_| Some(Selection::Unpinned))?;
        for (_, name) in &self.services {
            if edits.iter().any(|(edited, _)| edited == name) {
                continue;
            }
            let mut service = find(objects, name)?.clone();
            if is_managed_by(name, &service, &self.rollout) {
                self.sign(name, &mut service, &Selection::Unpinned)?;
                edits.push((name.clone(), service));
            }
        }
        Ok(edits)
    }

    fn describe(&self, topic: Topic<'_>) -> Vec<EventText> {
        let Topic::Selected { to, before } = topic else { return Vec::new() };
        let hash = |selection: &Option<Selection>| {
            selection.as_ref().and_then(Selection::revision).map(ToString::to_string).unwrap_or_default()
        };
        let switched = |(destination, service): &(Destination, ObjectRef)| {
            let (old, new) = (&before[*destination], &to[*destination]);
            let text = || {
                let (old, new) = (hash(old), hash(new));
                format!("Switched selector for service '{}' from '{old}' to '{new}'", service.name)
            };
            (new.is_some() && old != new).then(|| EventText::new("SwitchService", text()))
        };
        self.services.iter().filter_map(switched).collect()
    }

    fn layer(&self, _object: &ObjectRef) -> Layer {
        Layer::Selectors
    }
}

fn find<'a>(objects: &'a Objects, name: &ObjectRef) -> Result<&'a Value, EditError> {
    let missing = || {
        let instead = "create it, or correct its name in the Rollout";
        EditError::new(name.clone(), Finding::error("", "the Service does not exist", instead))
    };
    objects.get(name).map(|object| &*object.value).ok_or_else(missing)
}

fn no_text(name: &ObjectRef, path: &str, what: &str) -> EditError {
    EditError::new(name.clone(), Finding::error(path, what, "write a map of label names and texts"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{backend::Object, traffic::ObjectVersion};
    use alloc::string::ToString;
    use serde_json::json;

    fn objects(stable: Value, canary: Value) -> Objects {
        let version = ObjectVersion { write: "1".into(), content: 1 };
        let object = |name, value: Value| {
            (
                ObjectRef::new("", "Service", "shop", name),
                Object { value: value.into(), version: version.clone() },
            )
        };
        [object("stable", stable), object("canary", canary)].into()
    }

    fn editor() -> ServiceEditor {
        ServiceEditor::new("shop", Some("stable"), Some("canary"))
    }

    #[test]
    fn only_the_label_changes() {
        let before = json!({"spec": {"ports": [{"port": 80}], "selector": {"app": "a"}}, "status": {}});
        let objects = objects(before.clone(), before.clone());
        let to = Selectors { stable: None, canary: Some(Selection::Revision("v2".into())) };
        let edits = editor().select(&objects, &to).unwrap();
        assert_eq!(edits.len(), 1);
        let mut expected = before;
        expected["spec"]["selector"][REVISION_LABEL] = "v2".into();
        expected["metadata"] = json!({"annotations": {MANAGED_BY_ANNOTATION: "stable"}});
        assert_eq!(edits[0], (ObjectRef::new("", "Service", "shop", "canary"), expected));
    }

    #[test]
    fn what_is_right_is_left_alone_and_release_takes_the_label() {
        let right = json!({"spec": {"selector": {"app": "a", REVISION_LABEL: "v1"}}});
        let objects = objects(right.clone(), json!({"spec": {"selector": {"app": "a"}}}));
        let to =
            Selectors { stable: Some(Selection::Revision("v1".into())), canary: Some(Selection::Unpinned) };
        assert!(editor().select(&objects, &to).unwrap().is_empty());
        let seen = editor().read(&objects).unwrap();
        assert_eq!(seen.behind.stable, [Selection::Revision("v1".into())]);
        assert_eq!(seen.behind.canary, [Selection::Unpinned]);
        assert!(seen.used_elsewhere.stable && !seen.used_elsewhere.canary);
        let edits = editor().release(&objects).unwrap();
        assert_eq!(edits[0].1, json!({"spec": {"selector": {"app": "a"}}}));
        assert_eq!(edits.len(), 1);
    }

    #[test]
    fn s80_a_missing_service_is_named() {
        let error = editor().read(&Objects::new()).unwrap_err();
        assert!(error.to_string().contains("Service shop/stable"), "{error}");
        let bad = objects(json!({"spec": {"selector": {REVISION_LABEL: 7}}}), json!({}));
        let error = editor().read(&bad).unwrap_err();
        assert_eq!(error.finding.path, "spec.selector.rollouts-pod-template-hash");
    }
}
