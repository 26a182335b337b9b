use super::{Entry, Shelves};
use crate::store::{conditional, version_of};
use async_trait::async_trait;
use rollout_core::{
    backend::{Object, ObjectStore, StoreError},
    traffic::{ObjectRef, ObjectVersion},
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    mem,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// The objects as one rollout sees them: read from what the watches showed, or live; written to the server.
/// It remembers what was asked for: a change of that is news for the rollout.
#[derive(Debug)]
pub(crate) struct View {
    shelves: Arc<Shelves>,
    live: AtomicBool,
    asked: Mutex<BTreeSet<ObjectRef>>,
}

impl View {
    pub(crate) fn new(shelves: Arc<Shelves>) -> Self {
        Self { shelves, live: AtomicBool::new(false), asked: Mutex::default() }
    }

    /// From now on reads go to the server, or not.
    pub(crate) fn read_live(&self, live: bool) {
        self.live.store(live, Ordering::Relaxed);
    }

    /// What was asked for since this was last called. A whole kind in a namespace has no name.
    pub(crate) fn asked(&self) -> BTreeSet<ObjectRef> {
        mem::take(&mut *self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, object: &ObjectRef, name: &str) {
        let asked = ObjectRef::new(&object.group, &object.kind, &object.namespace, name);
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(asked);
    }

    fn is_live(&self) -> bool {
        self.live.load(Ordering::Relaxed)
    }
}

fn object(entry: Entry) -> Object {
    Object { value: entry.value, version: entry.version }
}

#[async_trait]
impl ObjectStore for View {
    async fn get(&self, name: &ObjectRef) -> Result<Object, StoreError> {
        self.note(name, &name.name);
        let entry =
            if self.is_live() { self.shelves.get_live(name).await } else { self.shelves.get(name).await };
        entry.map(object)
    }

    async fn list(&self, like: &ObjectRef) -> Result<Vec<(ObjectRef, Object)>, StoreError> {
        self.note(like, "");
        let entries = if self.is_live() {
            self.shelves.all_live(like, "").await?
        } else {
            self.shelves.all(like).await?
        };
        let named = |entry: Entry| (super::reference(like, &entry.value), object(entry));
        Ok(entries.into_iter().map(named).collect())
    }

    async fn replace(
        &self,
        name: &ObjectRef,
        mut to: Value,
        read: &ObjectVersion,
    ) -> Result<ObjectVersion, StoreError> {
        conditional(name, &mut to, read)?;
        let written = self.shelves.requests().replace(name, &to).await?;
        let version = version_of(&written);
        self.shelves.put(name, written);
        Ok(version)
    }
}
