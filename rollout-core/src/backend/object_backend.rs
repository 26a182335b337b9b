use super::{
    BackendError, Claim, DataPlane, EditError, Edits, EventText, FENCE_ANNOTATION, ObjectEditor, ObjectStore,
    Objects, StoreError, Topic, TrafficBackend, Written, note, set_note,
};
use crate::{
    Revision,
    backend::Layer,
    traffic::{ObjectRef, ObjectVersion, Routes, Seen, Selectors, Settled, Version, fingerprint},
};
use alloc::{boxed::Box, vec::Vec};
use async_trait::async_trait;

/// Turns an editor and a store with compare-and-swap into a backend.
///
/// Every write is conditional on its observation: if any of the objects, even one that would not change, is no longer
/// the one that was observed, nothing is written at all.
///
/// ```
/// use rollout_core::backend::{MemoryStore, NoDataPlane, ServiceEditor, ObjectBackend, TrafficBackend, ready};
/// use rollout_core::traffic::{ObjectRef, Selection, Selectors};
/// # use serde_json::json;
/// let store = MemoryStore::new();
/// let service = ObjectRef::new("", "Service", "shop", "canary");
/// store.apply(&service, json!({"spec": {"selector": {"app": "shop"}}}));
///
/// let backend = ObjectBackend::new(ServiceEditor::new("shop", None, Some("canary")), store, NoDataPlane);
/// let seen = ready(backend.observe(&[]))??;
/// assert_eq!(seen.behind.canary, [Selection::Unpinned]);
/// let to = Selectors { stable: None, canary: Some(Selection::Revision("v2".into())) };
/// let written = ready(backend.select(&to, &seen.version))??;
/// assert_eq!(written.changed, [service]);
/// assert!(ready(backend.select(&to, &seen.version))?.is_err(), "the object has changed since it was seen");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct ObjectBackend<E, S, D> {
    editor: E,
    store: S,
    data_plane: D,
}

impl<E: ObjectEditor, S: ObjectStore, D: DataPlane> ObjectBackend<E, S, D> {
    /// Creates a backend. `editor` reads and edits objects in `store`, and `data_plane` reports what the proxies have
    /// of them.
    ///
    /// See [`ObjectBackend`] for an example.
    #[must_use]
    pub fn new(editor: E, store: S, data_plane: D) -> Self {
        Self { editor, store, data_plane }
    }

    /// Returns the editor.
    pub fn editor(&self) -> &E {
        &self.editor
    }

    /// Returns the store.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Returns the data plane.
    pub fn data_plane(&self) -> &D {
        &self.data_plane
    }

    /// Reads the objects that the editor edits, each under its actual name.
    async fn fetch(&self) -> Result<Objects, StoreError> {
        let mut objects = Objects::new();
        for name in self.editor.objects() {
            let (name, object) = match self.store.get(&name).await {
                Err(StoreError::NotFound(missing)) => match self.editor.otherwise(&name) {
                    None => return Err(StoreError::NotFound(missing)),
                    Some(other) => match self.store.get(&other).await {
                        Err(StoreError::NotFound(_)) => return Err(StoreError::NotFound(missing)),
                        object => (other, object?),
                    },
                },
                object => (name, object?),
            };
            objects.insert(name, object);
        }
        Ok(objects)
    }

    /// Reads the objects, and fails if any differs from `seen`.
    async fn fetch_unchanged(&self, seen: &Version) -> Result<Objects, StoreError> {
        let objects = self.fetch().await?;
        for (name, object) in &objects {
            if seen.of(name).is_none_or(|seen| seen.write != object.version.write) {
                return Err(StoreError::Conflict(name.clone()));
            }
        }
        Ok(objects)
    }

    /// Writes the edits in order; an error says how far it got.
    async fn write(&self, objects: &Objects, edits: Edits) -> Result<Written, BackendError> {
        let mut versions: Vec<(ObjectRef, ObjectVersion)> =
            objects.iter().map(|(name, object)| (name.clone(), object.version.clone())).collect();
        let mut changed = Vec::new();
        let mut failed = None;
        for (name, to) in edits {
            let Some((_, version)) = versions.iter_mut().find(|(other, _)| *other == name) else {
                failed = Some(StoreError::NotFound(name));
                break;
            };
            match self.store.replace(&name, to, version).await {
                Ok(new) => {
                    *version = new;
                    changed.push(name);
                }
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        let written = Written::new(versions.into_iter().collect(), changed);
        match failed {
            None => Ok(written),
            Some(error) => Err(BackendError::Store { error, written }),
        }
    }

    /// Returns a fingerprint of one layer, and whether the layer is settled.
    async fn settled(&self, version: &Version, layer: Layer) -> Option<(u64, Settled)> {
        let objects = version.objects().iter();
        let part: Version = objects.filter(|(name, _)| self.editor.layer(name) == layer).cloned().collect();
        if part.objects().is_empty() {
            return None;
        }
        let content = fingerprint(part.objects().iter().map(|(_, version)| version.content));
        Some((content, self.data_plane.objects(&part).await))
    }

    /// Returns whether any object holds this layer; otherwise there is nothing to read.
    fn holds(&self, layer: Layer) -> bool {
        self.editor.objects().iter().any(|name| self.editor.layer(name) == layer)
    }
}

#[async_trait]
impl<E: ObjectEditor, S: ObjectStore, D: DataPlane> TrafficBackend for ObjectBackend<E, S, D> {
    async fn observe(&self, revisions: &[Revision]) -> Result<Seen, BackendError> {
        let own = self.fetch().await?;
        let version: Version =
            own.iter().map(|(name, object)| (name.clone(), object.version.clone())).collect();
        let rollout = self.editor.rollout();
        let nonces =
            own.iter().filter_map(|(name, object)| note(name, &object.value, FENCE_ANNOTATION, rollout));
        let nonces: Vec<_> = nonces.map(Into::into).collect();
        let mut objects = Objects::new();
        for mentions in self.editor.mentions(&own) {
            objects.extend(self.store.mentioning(&mentions).await?);
        }
        objects.extend(own);
        let mut seen = self.editor.read(&objects)?;
        if let Some((content, settled)) = self.settled(&version, Layer::Routes).await {
            (seen.routes_content, seen.routes_settled) = (content, settled);
        }
        if let Some((content, settled)) = self.settled(&version, Layer::Selectors).await {
            (seen.selectors_content, seen.selectors_settled) = (content, settled);
        }
        seen.proxies_known_in = self.data_plane.proxies_known_in().await;
        for revision in revisions {
            seen.endpoints.push((revision.clone(), self.data_plane.endpoints(revision).await));
        }
        seen.version = version;
        seen.nonces = nonces;
        Ok(seen)
    }

    async fn select(&self, to: &Selectors, seen: &Version) -> Result<Written, BackendError> {
        if !self.holds(Layer::Selectors) {
            return Ok(Written::default());
        }
        let objects = self.fetch_unchanged(seen).await?;
        let edits = self.editor.select(&objects, to)?;
        self.write(&objects, edits).await
    }

    async fn route(&self, to: &Routes, seen: &Version) -> Result<Written, BackendError> {
        if !self.holds(Layer::Routes) {
            return Ok(Written::default());
        }
        let objects = self.fetch_unchanged(seen).await?;
        let edits = self.editor.route(&objects, to)?;
        self.write(&objects, edits).await
    }

    async fn release(&self, seen: &Version) -> Result<Written, BackendError> {
        let objects = self.fetch_unchanged(seen).await?;
        let mut edits = self.editor.release(&objects)?;
        for (name, edit) in &mut edits {
            set_note(name, edit, FENCE_ANNOTATION, self.editor.rollout(), None)?;
        }
        for (name, object) in &objects {
            if edits.iter().any(|(edited, _)| edited == name) {
                continue;
            }
            let mut value = (*object.value).clone();
            if set_note(name, &mut value, FENCE_ANNOTATION, self.editor.rollout(), None)? {
                edits.push((name.clone(), value));
            }
        }
        self.write(&objects, edits).await
    }

    async fn fence(&self, nonce: &str, seen: &Version) -> Result<Written, BackendError> {
        let objects = self.fetch_unchanged(seen).await?;
        let fence = |(name, object): (&ObjectRef, &super::Object)| -> Result<_, EditError> {
            let mut value = (*object.value).clone();
            set_note(name, &mut value, FENCE_ANNOTATION, self.editor.rollout(), Some(nonce))?;
            Ok((name.clone(), value))
        };
        let edits = objects.iter().map(fence).collect::<Result<Edits, _>>()?;
        self.write(&objects, edits).await
    }

    fn claims(&self) -> Vec<Claim> {
        self.editor.claims()
    }

    fn describe(&self, topic: Topic<'_>) -> Vec<EventText> {
        self.editor.describe(topic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Failure, Outcome,
        backend::{Chain, MemoryStore, NoDataPlane, REVISION_LABEL, ServiceEditor, StoreFault, ready},
        traffic::{ManagedChange, Selection, WeightChange},
    };
    use alloc::string::ToString;
    use alloc::{sync::Arc, vec};
    use serde_json::{Value, json};

    type Services = ObjectBackend<ServiceEditor, Arc<MemoryStore>, NoDataPlane>;

    fn service(name: &str) -> ObjectRef {
        ObjectRef::new("", "Service", "shop", name)
    }

    fn world() -> (Arc<MemoryStore>, Services) {
        let store = Arc::new(MemoryStore::new());
        for name in ["stable", "canary"] {
            store.apply(&service(name), json!({"spec": {"selector": {"app": name}}}));
        }
        let editor = ServiceEditor::new("shop", Some("stable"), Some("canary"));
        (store.clone(), ObjectBackend::new(editor, store, NoDataPlane))
    }

    fn both_to(revision: &str) -> Selectors {
        let to = || Some(Selection::Revision(revision.into()));
        Selectors { stable: to(), canary: to() }
    }

    fn label(store: &MemoryStore, name: &str) -> Value {
        store.peek(&service(name)).unwrap().value["spec"]["selector"][REVISION_LABEL].clone()
    }

    fn observe(backend: &impl TrafficBackend) -> Seen {
        ready(backend.observe(&["v1".into()])).unwrap().unwrap()
    }

    #[test]
    fn the_layers_are_asked_for_apart_and_endpoints_per_revision() {
        let (_, backend) = world();
        let seen = observe(&backend);
        assert_eq!(seen.routes_settled, Settled::Yes, "there are no routes, so nobody need have them");
        assert_eq!(seen.selectors_settled, Settled::UNKNOWN);
        assert_eq!(seen.endpoints, [("v1".into(), Settled::UNKNOWN)]);
        assert_eq!(seen.version.objects().len(), 2);
    }

    #[test]
    fn s75_a_write_in_between_is_a_conflict_and_nothing_is_written() {
        let (store, backend) = world();
        let seen = observe(&backend);
        store.apply(&service("stable"), json!({"spec": {"selector": {"app": "other"}}}));
        let error = ready(backend.select(&both_to("v2"), &seen.version)).unwrap().unwrap_err();
        assert_eq!(Failure::from(&error), Failure::Conflict);
        assert!(error.written().changed.is_empty());
        assert_eq!(label(&store, "canary"), Value::Null, "not even the object that is still as it was");
    }

    #[test]
    fn a_version_that_was_never_seen_is_a_conflict() {
        let (_, backend) = world();
        let error = ready(backend.select(&both_to("v2"), &Version::NONE)).unwrap().unwrap_err();
        assert_eq!(Failure::from(&error), Failure::Conflict);
    }

    #[test]
    fn half_way_is_reported_and_can_be_chained() {
        let (store, backend) = world();
        let seen = observe(&backend);
        store.inject(Some(&service("canary")), StoreFault::Refused("quota".into()));
        let error = ready(backend.select(&both_to("v2"), &seen.version)).unwrap().unwrap_err();
        assert_eq!(Failure::from(&error), Failure::Refused("Service shop/canary: quota".into()));
        assert_eq!(error.written().changed, [service("stable")]);
        assert_eq!((label(&store, "stable"), label(&store, "canary")), (json!("v2"), Value::Null));
        let now = seen.version.after(&error.written().version);
        let written = ready(backend.select(&both_to("v2"), &now)).unwrap().unwrap();
        assert_eq!(written.changed, [service("canary")]);
        assert_eq!(written.outcome(), Outcome::Changed);
    }

    #[test]
    fn unclear_is_no_refusal_even_when_it_took_effect() {
        for took_effect in [false, true] {
            let (store, backend) = world();
            let seen = observe(&backend);
            store.inject(None, StoreFault::Ambiguous { took_effect });
            let error = ready(backend.select(&both_to("v2"), &seen.version)).unwrap().unwrap_err();
            assert!(matches!(Failure::from(&error), Failure::Ambiguous(_)));
            assert_eq!(label(&store, "stable") == "v2", took_effect);
            assert!(error.written().changed.is_empty());
        }
    }

    #[test]
    fn s50_a_failed_read_is_no_empty_one() {
        let (store, backend) = world();
        store.inject(None, StoreFault::Unreadable);
        let error = ready(backend.observe(&[])).unwrap().unwrap_err();
        assert!(
            matches!(Failure::from(&error), Failure::Refused(_)),
            "nothing was written, so nothing is unclear"
        );
        store.delete(&service("canary"));
        let error = ready(backend.observe(&[])).unwrap().unwrap_err();
        assert_eq!(error.to_string(), "Service shop/canary not found");
    }

    #[test]
    fn a_fence_lets_no_earlier_write_land_and_changes_no_content() {
        let (store, backend) = world();
        let before = observe(&backend);
        let fenced = ready(backend.fence("7f3a", &before.version)).unwrap().unwrap();
        assert_eq!(fenced.changed.len(), 2);
        let late = ready(backend.select(&both_to("v1"), &before.version)).unwrap().unwrap_err();
        assert_eq!(Failure::from(&late), Failure::Conflict);
        let after = observe(&backend);
        assert_eq!(after.nonces, [Arc::from("7f3a"), Arc::from("7f3a")]);
        for (name, version) in before.version.objects() {
            assert_eq!(after.version.of(name).unwrap().content, version.content);
        }
        let written = ready(backend.select(&both_to("v2"), &after.version)).unwrap().unwrap();
        let _ = ready(backend.release(&written.version)).unwrap().unwrap();
        let left =
            store.all().into_values().map(|object| Arc::unwrap_or_clone(object.value)).collect::<Vec<_>>();
        let user_selector = |name| json!({"metadata": {}, "spec": {"selector": {"app": name}}});
        assert_eq!(left, [user_selector("canary"), user_selector("stable")]);
    }

    #[test]
    fn a_release_takes_the_fence_also_from_what_it_does_not_edit() {
        let (store, backend) = world();
        let _ = ready(backend.fence("7f3a", &observe(&backend).version)).unwrap().unwrap();
        let to = Selectors { canary: None, ..both_to("v2") };
        let _ = ready(backend.select(&to, &observe(&backend).version)).unwrap().unwrap();
        let _ = ready(backend.release(&observe(&backend).version)).unwrap().unwrap();
        let left: Vec<_> = store.all().into_values().map(|object| object.value.to_string()).collect();
        assert!(!left.iter().any(|text| text.contains("7f3a") || text.contains("v2")), "{left:?}");
    }

    #[test]
    fn a_layer_that_is_not_here_is_not_even_read() {
        let (_, backend) = world();
        let (weight, managed) = (WeightChange::Keep, ManagedChange::Keep);
        let to = Routes { weight, managed, written_for: "v2".into() };
        let written = ready(backend.route(&to, &Version::NONE)).unwrap().unwrap();
        assert_eq!(written, Written::default());
    }

    #[test]
    fn what_is_right_is_left_alone() {
        let (store, backend) = world();
        let seen = observe(&backend);
        let to = Selectors { stable: Some(Selection::Unpinned), canary: None };
        let written = ready(backend.select(&to, &seen.version)).unwrap().unwrap();
        assert_eq!((written.outcome(), &written.version), (Outcome::Unchanged, &seen.version));
        assert_eq!(store.writes(), 2);
    }

    #[test]
    fn a_pair_tells_both_and_reports_the_half_that_got_through() {
        let store = Arc::new(MemoryStore::new());
        for name in ["a", "b"] {
            store.apply(&service(name), json!({"spec": {}}));
        }
        let one = |stable, canary| {
            ObjectBackend::new(ServiceEditor::new("shop", stable, canary), store.clone(), NoDataPlane)
        };
        let pair = Chain::new(one(Some("a"), None), one(None, Some("b")));
        let seen = observe(&pair);
        assert_eq!(
            (seen.behind.stable.len(), seen.behind.canary.len(), seen.version.objects().len()),
            (1, 1, 2)
        );
        store.inject(Some(&service("b")), StoreFault::Conflict);
        let error = ready(pair.select(&both_to("v2"), &seen.version)).unwrap().unwrap_err();
        assert_eq!(Failure::from(&error), Failure::Conflict);
        assert_eq!(error.written().changed, vec![service("a")]);
        let now = seen.version.after(&error.written().version);
        let written = ready(pair.select(&both_to("v2"), &now)).unwrap().unwrap();
        assert_eq!(written.changed, vec![service("b")]);
        let fenced = ready(pair.fence("1", &now.after(&written.version))).unwrap().unwrap();
        assert_eq!(fenced.changed.len(), 2);
    }
}
