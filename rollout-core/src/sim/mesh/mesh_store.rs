use crate::{
    backend::{MemoryStore, Object, ObjectStore, Objects, StoreError},
    traffic::{ObjectRef, ObjectVersion},
};
use alloc::{boxed::Box, collections::BTreeMap, string::ToString, sync::Arc, vec::Vec};
use async_trait::async_trait;
use serde_json::Value;
use spin::Mutex;

/// The object store of an [`ObjectMesh`](super::ObjectMesh). It can show earlier states of objects, for stale reads,
/// and can cut off a write over several objects half-way.
///
/// See [`ObjectMesh`](super::ObjectMesh) for an example.
#[derive(Debug)]
pub struct MeshStore {
    store: MemoryStore,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// Every state of every object, by name and write.
    history: BTreeMap<(ObjectRef, Arc<str>), Object>,
    /// The states to show; an object that is not listed is shown in its current state.
    shown: Vec<(ObjectRef, Arc<str>)>,
    /// How many more writes succeed.
    allowed: usize,
    /// The number of writes so far, by all users of the store.
    writes: u64,
}

impl MeshStore {
    /// Creates an empty store.
    #[must_use]
    pub fn new() -> Arc<Self> {
        let inner = Inner { history: BTreeMap::new(), shown: Vec::new(), allowed: usize::MAX, writes: 0 };
        Arc::new(Self { store: MemoryStore::new(), inner: Mutex::new(inner) })
    }

    /// Creates or replaces an object as a user does, whatever its version.
    ///
    /// See [`ObjectMesh`](super::ObjectMesh) for an example.
    pub fn user_applies(&self, name: &ObjectRef, to: Value) {
        self.store.apply(name, to);
        self.remember(name);
    }

    /// Returns the number of writes so far: users of a shared store use it to see whether anything is new.
    ///
    /// ```
    /// use rollout_core::{sim::MeshStore, traffic::ObjectRef};
    /// let (store, service) = (MeshStore::new(), ObjectRef::new("", "Service", "shop", "web"));
    /// store.user_applies(&service, serde_json::json!({"spec": {}}));
    /// assert_eq!(store.writes(), 1);
    /// ```
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.inner.lock().writes
    }

    /// Returns the current state of an object.
    ///
    /// ```
    /// use rollout_core::{sim::MeshStore, traffic::ObjectRef};
    /// let (store, service) = (MeshStore::new(), ObjectRef::new("", "Service", "shop", "web"));
    /// assert!(store.peek(&service).is_none());
    /// store.user_applies(&service, serde_json::json!({"spec": {"ports": [80]}}));
    /// assert_eq!(store.peek(&service).unwrap().value["spec"]["ports"][0], 80);
    /// ```
    #[must_use]
    pub fn peek(&self, name: &ObjectRef) -> Option<Object> {
        self.store.peek(name)
    }

    /// Returns the current state of all objects.
    #[must_use]
    pub fn all(&self) -> Objects {
        self.store.all()
    }

    /// Shows these objects as they were after these writes.
    pub(super) fn show<'a>(&self, states: impl Iterator<Item = (&'a ObjectRef, u64)>) {
        self.inner.lock().shown =
            states.map(|(name, write)| (name.clone(), write.to_string().into())).collect();
    }

    /// Shows the current state of every object.
    pub(super) fn show_now(&self) {
        self.inner.lock().shown.clear();
    }

    /// Lets this many more writes succeed.
    pub(super) fn allow(&self, writes: usize) {
        self.inner.lock().allowed = writes;
    }

    fn remember(&self, name: &ObjectRef) {
        if let Some(object) = self.store.peek(name) {
            let mut inner = self.inner.lock();
            inner.writes += 1;
            inner.history.insert((name.clone(), object.version.write.clone()), object);
        }
    }

    fn as_shown(&self, name: &ObjectRef, now: Object) -> Object {
        let inner = self.inner.lock();
        let shown = inner.shown.iter().find(|(other, _)| other == name);
        shown.and_then(|state| inner.history.get(state)).cloned().unwrap_or(now)
    }
}

#[async_trait]
impl ObjectStore for MeshStore {
    async fn get(&self, object: &ObjectRef) -> Result<Object, StoreError> {
        let now = self.store.get(object).await?;
        Ok(self.as_shown(object, now))
    }

    async fn list(&self, like: &ObjectRef) -> Result<Vec<(ObjectRef, Object)>, StoreError> {
        let found = self.store.list(like).await?;
        Ok(found.into_iter().map(|(name, now)| (name.clone(), self.as_shown(&name, now))).collect())
    }

    async fn replace(
        &self,
        object: &ObjectRef,
        to: Value,
        read: &ObjectVersion,
    ) -> Result<ObjectVersion, StoreError> {
        let allowed = {
            let mut inner = self.inner.lock();
            let allowed = inner.allowed > 0;
            inner.allowed = inner.allowed.saturating_sub(1);
            allowed
        };
        if !allowed {
            let why = "the connection broke half-way".into();
            return Err(StoreError::Ambiguous { object: object.clone(), why });
        }
        let version = self.store.replace(object, to, read).await?;
        self.remember(object);
        Ok(version)
    }
}
