use super::{Mesh, MeshResult, MeshStore, MeshWrite};
use crate::{
    Failure, Outcome, Range,
    backend::{
        BackendError, FENCE_ANNOTATION, Layer, Object, ObjectEditor, Objects, TrafficBackend, Written,
        is_managed_by, note, ready,
    },
    sim::{Content, TrafficObject, Watcher, World},
    traffic::{ObjectRef, ObjectVersion, RoutesSeen, Seen, Version},
};
use alloc::{
    boxed::Box,
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};
use serde_json::Value;

/// A traffic manager made of real objects: the world's actions really edit them, with the same editors and the same
/// bridge as on a cluster.
///
/// The backend must use the [`MeshStore`] that the mesh is created with. Its data plane is not asked, because the world
/// knows what its proxies have.
///
/// ```
/// use rollout_core::backend::{NoDataPlane, ServiceEditor, ObjectBackend};
/// use rollout_core::sim::{Mesh, MeshStore, ObjectMesh};
/// use rollout_core::traffic::ObjectRef;
/// # use serde_json::json;
/// let store = MeshStore::new();
/// let service = ObjectRef::new("", "Service", "shop", "canary");
/// store.user_applies(&service, json!({"spec": {"selector": {"app": "shop"}}}));
/// let editor = || ServiceEditor::new("shop", None, Some("canary"));
/// let mut mesh = ObjectMesh::new(store.clone(), ObjectBackend::new(editor(), store, NoDataPlane)).objects_of(editor());
/// assert_eq!(mesh.objects().len(), 1);
/// ```
#[derive(Debug)]
pub struct ObjectMesh {
    store: Arc<MeshStore>,
    backend: Box<dyn TrafficBackend>,
    parts: Vec<Part>,
    /// The same objects, with the roles of the destinations swapped.
    swapped: Option<Box<Self>>,
}

/// One object, and the editor that reads it.
#[derive(Debug)]
struct Part {
    name: ObjectRef,
    editor: Arc<dyn ObjectEditor>,
    manifest: Arc<Value>,
}

impl ObjectMesh {
    /// Creates a mesh over the objects in `store`, which `backend` reads and edits; name them with
    /// [`objects_of`](Self::objects_of).
    ///
    /// See [`ObjectMesh`] for an example.
    #[must_use]
    pub fn new(store: Arc<MeshStore>, backend: impl TrafficBackend + 'static) -> Self {
        Self { store, backend: Box::new(backend), parts: Vec::new(), swapped: None }
    }

    /// Adds the objects that an editor edits: the proxies get them, read one by one.
    ///
    /// Their current state in the store is what the user reapplies later. A missing object says nothing, and the
    /// controller sees that it is missing.
    ///
    /// See [`ObjectMesh`] for an example.
    #[must_use]
    pub fn objects_of(mut self, editor: impl ObjectEditor + 'static) -> Self {
        let editor: Arc<dyn ObjectEditor> = Arc::new(editor);
        for meant in editor.objects() {
            let other = || editor.otherwise(&meant).filter(|other| self.store.peek(other).is_some());
            let name = if self.store.peek(&meant).is_some() { None } else { other() }.unwrap_or(meant);
            let manifest = self.store.peek(&name).map_or_else(Arc::default, |object| object.value);
            if self.parts.iter().all(|part| part.name != name) {
                self.parts.push(Part { name, editor: editor.clone(), manifest });
            }
        }
        self
    }

    /// Sets how the same objects, in the same order, are read and edited while the roles of the destinations are swapped
    /// (`pingPong`).
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::backend::{NoDataPlane, ObjectBackend, ServiceEditor};
    /// use rollout_core::sim::{MeshStore, ObjectMesh};
    /// # use rollout_core::traffic::ObjectRef;
    /// let store = MeshStore::new();
    /// # for name in ["ping", "pong"] {
    /// #     let service = ObjectRef::new("", "Service", "shop", name);
    /// #     store.user_applies(&service, serde_json::json!({"spec": {"selector": {"app": "shop"}}}));
    /// # }
    /// let mesh = |stable, canary| {
    ///     let editor = || ServiceEditor::new("shop", Some(stable), Some(canary));
    ///     ObjectMesh::new(store.clone(), ObjectBackend::new(editor(), store.clone(), NoDataPlane)).objects_of(editor())
    /// };
    /// let mesh = mesh("ping", "pong").swapped(mesh("pong", "ping"));
    /// assert_eq!(mesh.store().all().len(), 2);
    /// ```
    #[must_use]
    pub fn swapped(mut self, other: Self) -> Self {
        self.swapped = Some(Box::new(other));
        self
    }

    /// Returns the store with the current objects.
    #[must_use]
    pub fn store(&self) -> &Arc<MeshStore> {
        &self.store
    }

    /// Sets a new user's manifest of an object; returns its index, if it is one of these.
    fn new_manifest(&mut self, name: &ObjectRef, manifest: Value) -> Option<usize> {
        let index = self.parts.iter().position(|part| part.name == *name)?;
        if let Some(part) = self.parts.get_mut(index) {
            part.manifest = manifest.into();
        }
        Some(index)
    }
}

impl Part {
    /// Returns what the object says by itself; `None` if it is invalid: proxies keep what they have.
    fn content(&self, objects: &Objects) -> Option<Content> {
        let mut seen = self.editor.read_one(objects, &self.name).ok()?;
        if self.editor.layer(&self.name) == Layer::Routes {
            return Some(Content::Routes {
                routes: seen.routes.pop().unwrap_or_else(|| RoutesSeen::new(Range::exact(0))),
                stable_elsewhere: seen.used_elsewhere.stable,
                canary_elsewhere: seen.used_elsewhere.canary,
            });
        }
        Some(Content::Selectors { stable: seen.behind.stable.pop(), canary: seen.behind.canary.pop() })
    }

    fn object(&self, stored: &Object, content: Content) -> TrafficObject {
        TrafficObject {
            name: self.name.clone(),
            write: stored.version.write.parse().unwrap_or(0),
            generation: stored.version.content,
            signed: is_managed_by(&self.name, &stored.value, self.editor.rollout()),
            nonce: note(&self.name, &stored.value, FENCE_ANNOTATION, self.editor.rollout()).map(Into::into),
            content,
        }
    }

    /// Returns the content of an object that cannot be read: it says nothing.
    fn nothing(&self) -> Content {
        if self.editor.layer(&self.name) == Layer::Routes {
            let routes = RoutesSeen::new(Range::exact(0));
            return Content::Routes { routes, stable_elsewhere: false, canary_elsewhere: false };
        }
        Content::Selectors { stable: None, canary: None }
    }
}

impl<W: Watcher> World<ObjectMesh, W> {
    /// Applies another manifest of an object as the user, as a whole.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::backend::{NoDataPlane, ObjectBackend, ServiceEditor};
    /// use rollout_core::sim::{MeshStore, ObjectMesh, Sim};
    /// use rollout_core::{Spec, Strategy, traffic::ObjectRef};
    /// # use serde_json::json;
    /// let (store, service) = (MeshStore::new(), ObjectRef::new("", "Service", "shop", "web"));
    /// store.user_applies(&service, json!({"spec": {"selector": {"app": "web"}}}));
    /// let editor = || ServiceEditor::new("shop", Some("web"), None);
    /// let backend = ObjectBackend::new(editor(), store.clone(), NoDataPlane);
    /// let strategy = Strategy::builder().stable_service(true).build()?;
    /// let mesh = ObjectMesh::new(store.clone(), backend).objects_of(editor());
    /// let mut world = Sim::new(Spec::new(strategy, "v1".into())).build_with(mesh, ());
    /// world.run_to_rest(Duration::from_secs(60))?;
    /// world.user_changes(&service, json!({"spec": {"selector": {"app": "shop"}}}));
    /// world.run_to_rest(Duration::from_secs(60))?;
    /// let selector = &store.peek(&service).unwrap().value["spec"]["selector"];
    /// assert_eq!(selector, &json!({"app": "shop", "rollouts-pod-template-hash": "v1"}), "pinned again");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn user_changes(&mut self, name: &ObjectRef, manifest: Value) {
        match self.mesh.new_manifest(name, manifest.clone()) {
            Some(index) => self.reapply_object(index),
            None => self.mesh.store.user_applies(name, manifest),
        }
    }
}

impl Mesh for ObjectMesh {
    fn objects(&mut self) -> Vec<TrafficObject> {
        let all = self.store.all();
        let missing =
            Object { value: Arc::default(), version: ObjectVersion { write: "0".into(), content: 0 } };
        let objects = self.parts.iter().map(|part| {
            let content = part.content(&all).unwrap_or_else(|| part.nothing());
            part.object(all.get(&part.name).unwrap_or(&missing), content)
        });
        objects.collect()
    }

    fn read(&mut self, objects: &[TrafficObject]) -> Result<Seen, String> {
        self.store.show(objects.iter().map(|object| (&object.name, object.write)));
        let seen = ready(self.backend.observe(&[]));
        self.store.show_now();
        let mut seen = seen.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        // In the world's order, because it keeps an age for each object by its index.
        let version = |part: &Part| Some((part.name.clone(), seen.version.of(&part.name)?.clone()));
        seen.version = self.parts.iter().filter_map(version).collect();
        Ok(seen)
    }

    fn write(
        &mut self,
        objects: &mut [TrafficObject],
        what: MeshWrite<'_>,
        seen: &Version,
        most: usize,
    ) -> MeshResult {
        let before: Vec<u64> = objects.iter().map(|object| object.write).collect();
        self.store.allow(most);
        let result = match what {
            MeshWrite::Select(to) => ready(self.backend.select(to, seen)),
            MeshWrite::Route(to) => ready(self.backend.route(to, seen)),
            MeshWrite::Fence(nonce) => ready(self.backend.fence(nonce, seen)),
        };
        self.store.allow(usize::MAX);
        self.refresh(objects);
        let took_effect = objects.iter().map(|object| object.write).ne(before);
        let (answer, version) = match result {
            Ok(result) => answer(&result, seen),
            Err(error) => (Err(Failure::Ambiguous(error.to_string())), seen.clone()),
        };
        MeshResult { took_effect, answer, version }
    }

    fn refresh(&mut self, objects: &mut [TrafficObject]) {
        let all = self.store.all();
        for (object, part) in objects.iter_mut().zip(&self.parts) {
            let Some(stored) = all.get(&part.name) else { continue };
            if stored.version.write.parse() != Ok(object.write) {
                let read = part.content(&all).unwrap_or_else(|| object.content.clone());
                *object = part.object(stored, read);
            }
        }
    }

    fn swap_roles(&mut self, _: u32) {
        let Some(other) = &mut self.swapped else { return };
        core::mem::swap(&mut self.backend, &mut other.backend);
        for part in &mut self.parts {
            if let Some(other) = other.parts.iter_mut().find(|other| other.name == part.name) {
                core::mem::swap(&mut part.editor, &mut other.editor);
            }
        }
    }

    fn reapply(&mut self, objects: &mut [TrafficObject], object: usize) {
        if let Some(part) = self.parts.get(object) {
            self.store.user_applies(&part.name, (*part.manifest).clone());
        }
        self.refresh(objects);
    }

    fn strip(&mut self, objects: &mut [TrafficObject], object: usize) {
        if let Some(part) = self.parts.get(object)
            && let Some(object) = self.store.peek(&part.name)
        {
            let mut value = Arc::unwrap_or_clone(object.value);
            let own = part.manifest.pointer("/metadata/annotations").cloned();
            if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
                match own {
                    Some(own) => drop(metadata.insert("annotations".into(), own)),
                    None => drop(metadata.remove("annotations")),
                }
            }
            self.store.user_applies(&part.name, value);
        }
        self.refresh(objects);
    }
}

fn answer(result: &Result<Written, BackendError>, seen: &Version) -> (Result<Outcome, Failure>, Version) {
    match result {
        Ok(written) => (Ok(written.outcome()), seen.after(&written.version)),
        Err(error) => (Err(Failure::from(error)), seen.after(&error.written().version)),
    }
}
