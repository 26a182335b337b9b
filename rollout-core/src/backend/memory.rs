use super::{Object, ObjectStore, Objects, StoreError};
use crate::traffic::{ObjectRef, ObjectVersion};
use alloc::{boxed::Box, collections::VecDeque, format, string::String, vec::Vec};
use async_trait::async_trait;
use serde_json::Value;
use spin::Mutex;

/// Stores objects in memory, with versions like those of Kubernetes, and injects faults on request.
///
/// `write` counts all writes to the store, so no two writes share a number, not even to different objects; `content`
/// rises when anything but `metadata` and `status` changes. A write that changes nothing changes neither. The futures
/// are always ready: [`ready`](super::ready) polls them without a runtime.
///
/// ```
/// use rollout_core::{backend::MemoryStore, traffic::ObjectRef};
/// use serde_json::json;
/// let (store, service) = (MemoryStore::new(), ObjectRef::new("", "Service", "shop", "provider"));
/// let first = store.apply(&service, json!({"spec": {"ports": [80]}}));
/// let second = store.apply(&service, json!({"metadata": {"name": "provider"}, "spec": {"ports": [80]}}));
/// assert_ne!(first.write, second.write);
/// assert_eq!(first.content, second.content);
/// ```
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Inner>);

/// A fault, which occurs once.
///
/// ```
/// use rollout_core::backend::{MemoryStore, ObjectStore, StoreError, StoreFault, ready};
/// use rollout_core::traffic::ObjectRef;
/// # use serde_json::json;
/// let (store, service) = (MemoryStore::new(), ObjectRef::new("", "Service", "shop", "web"));
/// let read = store.apply(&service, json!({"spec": {}}));
/// store.inject(Some(&service), StoreFault::Ambiguous { took_effect: true });
/// let answer = ready(store.replace(&service, json!({"spec": {"ports": [80]}}), &read))?;
/// assert!(matches!(answer, Err(StoreError::Ambiguous { .. })));
/// assert_eq!(store.peek(&service).unwrap().value["spec"], json!({"ports": [80]}), "written all the same");
/// # Ok::<(), rollout_core::backend::NotReady>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreFault {
    /// A write is answered as if another client had written before.
    Conflict,
    /// A write is refused with this message; nothing changes.
    Refused(String),
    /// A write gets no answer.
    Ambiguous {
        /// Whether the write took effect anyway.
        took_effect: bool,
    },
    /// A read gets no answer.
    Unreadable,
}

#[derive(Debug, Clone, Default)]
struct Inner {
    objects: Objects,
    writes: u64,
    faults: VecDeque<(Option<ObjectRef>, StoreFault)>,
}

impl MemoryStore {
    /// Creates an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates or replaces an object whatever its version, as a user does and the engine never does. Returns the new
    /// version.
    ///
    /// See [`MemoryStore`] for an example.
    pub fn apply(&self, object: &ObjectRef, to: Value) -> ObjectVersion {
        self.0.lock().write(object, to)
    }

    /// Deletes an object; returns whether it existed.
    ///
    /// ```
    /// use rollout_core::{backend::MemoryStore, traffic::ObjectRef};
    /// let (store, service) = (MemoryStore::new(), ObjectRef::new("", "Service", "shop", "web"));
    /// store.apply(&service, serde_json::json!({"spec": {}}));
    /// assert!(store.delete(&service) && !store.delete(&service));
    /// ```
    pub fn delete(&self, object: &ObjectRef) -> bool {
        self.0.lock().objects.remove(object).is_some()
    }

    /// Returns the current object, bypassing all faults.
    ///
    /// See [`inject`](Self::inject) for an example.
    #[must_use]
    pub fn peek(&self, object: &ObjectRef) -> Option<Object> {
        self.0.lock().objects.get(object).cloned()
    }

    /// Returns all current objects.
    ///
    /// ```
    /// use rollout_core::{backend::MemoryStore, traffic::ObjectRef};
    /// let store = MemoryStore::new();
    /// for name in ["web", "api"] {
    ///     store.apply(&ObjectRef::new("", "Service", "shop", name), serde_json::json!({"spec": {}}));
    /// }
    /// let names: Vec<_> = store.all().into_keys().map(|object| object.name).collect();
    /// assert_eq!(names, ["api".into(), "web".into()], "by name");
    /// ```
    #[must_use]
    pub fn all(&self) -> Objects {
        self.0.lock().objects.clone()
    }

    /// Returns the number of changes so far.
    ///
    /// ```
    /// use rollout_core::{backend::MemoryStore, traffic::ObjectRef};
    /// let (store, service) = (MemoryStore::new(), ObjectRef::new("", "Service", "shop", "web"));
    /// for _ in 0..2 {
    ///     store.apply(&service, serde_json::json!({"spec": {}}));
    /// }
    /// assert_eq!(store.writes(), 1, "the same content again is no change");
    /// ```
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.0.lock().writes
    }

    /// Makes the next matching request to `object`, or to any object, fail with `fault`. Several faults queue up.
    ///
    /// ```
    /// use rollout_core::backend::{MemoryStore, ObjectStore, StoreError, StoreFault, ready};
    /// use rollout_core::traffic::ObjectRef;
    /// let (store, service) = (MemoryStore::new(), ObjectRef::new("", "Service", "shop", "web"));
    /// store.apply(&service, serde_json::json!({"spec": {}}));
    /// store.inject(None, StoreFault::Unreadable);
    /// assert!(store.peek(&service).is_some());
    /// assert!(matches!(ready(store.get(&service))?, Err(StoreError::Unreadable { .. })));
    /// assert!(ready(store.get(&service))?.is_ok(), "each fault occurs once");
    /// # Ok::<(), rollout_core::backend::NotReady>(())
    /// ```
    pub fn inject(&self, object: Option<&ObjectRef>, fault: StoreFault) {
        self.0.lock().faults.push_back((object.cloned(), fault));
    }

    /// Removes all queued faults; returns how many there were.
    ///
    /// ```
    /// use rollout_core::backend::{MemoryStore, StoreFault};
    /// let store = MemoryStore::new();
    /// store.inject(None, StoreFault::Conflict);
    /// assert_eq!((store.calm(), store.calm()), (1, 0));
    /// ```
    pub fn calm(&self) -> usize {
        self.0.lock().faults.drain(..).count()
    }
}

impl Clone for MemoryStore {
    /// Creates an independent copy: writes to one do not affect the other.
    fn clone(&self) -> Self {
        Self(Mutex::new(self.0.lock().clone()))
    }
}

impl Inner {
    fn write(&mut self, object: &ObjectRef, to: Value) -> ObjectVersion {
        let content = match self.objects.get(object) {
            Some(old) if *old.value == to => return old.version.clone(),
            Some(old) if same_content(&old.value, &to) => old.version.content,
            Some(old) => old.version.content.saturating_add(1),
            None => 1,
        };
        self.writes = self.writes.saturating_add(1);
        let version = ObjectVersion { write: format!("{}", self.writes).into(), content };
        self.objects.insert(object.clone(), Object { value: to.into(), version: version.clone() });
        version
    }

    fn fault(&mut self, object: &ObjectRef, reading: bool) -> Option<StoreFault> {
        let meets = |(at, fault): &(Option<ObjectRef>, StoreFault)| {
            at.as_ref().is_none_or(|at| at == object) && reading == (*fault == StoreFault::Unreadable)
        };
        let index = self.faults.iter().position(meets)?;
        self.faults.remove(index).map(|(_, fault)| fault)
    }

    fn read(&mut self, object: &ObjectRef) -> Result<Object, StoreError> {
        if self.fault(object, true).is_some() {
            return Err(unreadable(object));
        }
        self.objects.get(object).cloned().ok_or_else(|| StoreError::NotFound(object.clone()))
    }
}

fn same_content(one: &Value, other: &Value) -> bool {
    let (Some(one), Some(other)) = (one.as_object(), other.as_object()) else { return one == other };
    let counts = |key: &&String| !matches!(key.as_str(), "metadata" | "status");
    one.keys().chain(other.keys()).filter(counts).all(|key| one.get(key) == other.get(key))
}

fn unreadable(object: &ObjectRef) -> StoreError {
    StoreError::Unreadable { object: object.clone(), why: "no answer".into() }
}

fn unclear(object: &ObjectRef) -> StoreError {
    StoreError::Ambiguous { object: object.clone(), why: "no answer".into() }
}

#[async_trait]
impl ObjectStore for MemoryStore {
    async fn get(&self, object: &ObjectRef) -> Result<Object, StoreError> {
        self.0.lock().read(object)
    }

    async fn list(&self, like: &ObjectRef) -> Result<Vec<(ObjectRef, Object)>, StoreError> {
        let mut inner = self.0.lock();
        if inner.fault(like, true).is_some() {
            return Err(unreadable(like));
        }
        let alike = |object: &ObjectRef| ObjectRef { name: like.name.clone(), ..object.clone() } == *like;
        let found = inner.objects.iter().filter(|(object, _)| alike(object));
        Ok(found.map(|(object, found)| (object.clone(), found.clone())).collect())
    }

    async fn replace(
        &self,
        object: &ObjectRef,
        to: Value,
        read: &ObjectVersion,
    ) -> Result<ObjectVersion, StoreError> {
        let mut inner = self.0.lock();
        let fault = inner.fault(object, false);
        match fault {
            Some(StoreFault::Conflict) => return Err(StoreError::Conflict(object.clone())),
            Some(StoreFault::Refused(why)) => {
                return Err(StoreError::Refused { object: object.clone(), why });
            }
            Some(StoreFault::Ambiguous { took_effect: false }) => return Err(unclear(object)),
            Some(StoreFault::Ambiguous { took_effect: true } | StoreFault::Unreadable) | None => {}
        }
        let Some(old) = inner.objects.get(object) else { return Err(StoreError::NotFound(object.clone())) };
        if old.version.write != read.write {
            return Err(StoreError::Conflict(object.clone()));
        }
        let version = inner.write(object, to);
        if fault.is_some() { Err(unclear(object)) } else { Ok(version) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::ready;
    use alloc::string::ToString;
    use serde_json::json;

    fn service() -> ObjectRef {
        ObjectRef::new("", "Service", "shop", "provider")
    }

    fn replace(store: &MemoryStore, to: Value, read: &ObjectVersion) -> Result<ObjectVersion, StoreError> {
        ready(store.replace(&service(), to, read)).unwrap()
    }

    #[test]
    fn only_content_changes_the_content_version() {
        let store = MemoryStore::new();
        let first = store.apply(&service(), json!({"metadata": {}, "spec": {"a": 1}}));
        let same = store.apply(&service(), json!({"metadata": {}, "spec": {"a": 1}}));
        assert_eq!(first, same);
        let metadata = store.apply(&service(), json!({"metadata": {"labels": {}}, "spec": {"a": 1}}));
        assert_ne!(metadata.write, first.write);
        assert_eq!(metadata.content, first.content);
        let status = store.apply(&service(), json!({"spec": {"a": 1}, "status": {"ok": true}}));
        assert_eq!(status.content, first.content);
        let content = store.apply(&service(), json!({"spec": {"a": 1}, "more": 1}));
        assert_eq!(content.content, first.content + 1);
    }

    #[test]
    fn a_version_is_never_used_twice() {
        let store = MemoryStore::new();
        let first = store.apply(&service(), json!({"spec": 1}));
        store.apply(&service(), json!({"spec": 2}));
        let again = store.apply(&service(), json!({"spec": 1}));
        assert_ne!(first.write, again.write);
        assert_eq!(replace(&store, json!({"spec": 3}), &first), Err(StoreError::Conflict(service())));
        assert_eq!(*store.peek(&service()).unwrap().value, json!({"spec": 1}));
    }

    #[test]
    fn each_fault_once_and_in_order() {
        let store = MemoryStore::new();
        let version = store.apply(&service(), json!({"spec": 1}));
        let other = ObjectRef::new("", "Service", "shop", "other");
        store.inject(Some(&other), StoreFault::Conflict);
        store.inject(None, StoreFault::Conflict);
        store.inject(Some(&service()), StoreFault::Refused("quota".into()));
        store.inject(None, StoreFault::Ambiguous { took_effect: false });
        store.inject(None, StoreFault::Ambiguous { took_effect: true });
        assert_eq!(replace(&store, json!({"spec": 2}), &version), Err(StoreError::Conflict(service())));
        let refused = replace(&store, json!({"spec": 2}), &version).unwrap_err();
        assert_eq!(refused.to_string(), "Service shop/provider: quota");
        assert_eq!(replace(&store, json!({"spec": 2}), &version), Err(unclear(&service())));
        assert_eq!(store.writes(), 1);
        assert_eq!(replace(&store, json!({"spec": 2}), &version), Err(unclear(&service())));
        assert_eq!(store.writes(), 2);
        assert_eq!(*store.peek(&service()).unwrap().value, json!({"spec": 2}));
        assert_eq!(store.calm(), 1);
    }

    #[test]
    fn an_unreadable_read_leaves_writes_alone() {
        let store = MemoryStore::new();
        let version = store.apply(&service(), json!({"spec": 1}));
        store.inject(None, StoreFault::Unreadable);
        assert!(replace(&store, json!({"spec": 2}), &version).is_ok());
        assert!(ready(store.list(&service())).unwrap().is_err());
        assert_eq!(ready(store.list(&service())).unwrap().unwrap().len(), 1);
    }

    #[test]
    fn a_list_is_of_one_kind_and_namespace() {
        let store = MemoryStore::new();
        for (kind, namespace) in [("Service", "shop"), ("Service", "other"), ("Secret", "shop")] {
            store.apply(&ObjectRef::new("", kind, namespace, "a"), json!({}));
        }
        let like = ObjectRef::new("", "Service", "shop", "");
        let found = ready(store.list(&like)).unwrap().unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(*found[0].0.namespace, *"shop");
    }
}
