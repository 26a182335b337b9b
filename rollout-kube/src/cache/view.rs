use super::{
    Caches, Entry, Interest,
    index::{OWNERLESS, abandoned_by},
    objects::Key,
};
use crate::{
    guard::{Guard, off},
    store::{conditional, version_of},
};
use async_trait::async_trait;
use rollout_core::{
    backend::{Mentions, Object, ObjectStore, StoreError},
    traffic::{ObjectRef, ObjectVersion},
};
use serde_json::Value;
use std::{
    collections::HashSet,
    mem,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// One rollout's view of the objects: it reads from the cache or live, and writes to the server.
/// It records what the rollout read: a change to that wakes the rollout.
#[derive(Debug)]
pub(crate) struct View {
    caches: Arc<Caches>,
    /// The rollout whose view this is.
    rollout: Key,
    live: AtomicBool,
    asked: Mutex<HashSet<Interest>>,
}

impl View {
    pub(crate) fn new(caches: Arc<Caches>, rollout: Key) -> Self {
        Self { caches, rollout, live: AtomicBool::new(false), asked: Mutex::default() }
    }

    /// Returns the rollout whose view this is.
    pub(crate) fn rollout(&self) -> &Key {
        &self.rollout
    }

    /// Sets whether reads go to the server from now on.
    pub(crate) fn read_live(&self, live: bool) {
        self.live.store(live, Ordering::Relaxed);
    }

    /// Returns what was read since the last call.
    pub(crate) fn asked(&self) -> HashSet<Interest> {
        mem::take(&mut *self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns the ReplicaSets that the Rollout with this uid owns: from the cache or, with `live`, from the server,
    /// those with these labels.
    ///
    /// # Errors
    /// The ReplicaSets cannot be read.
    pub(crate) async fn replica_sets(&self, uid: &str, live: Option<&str>) -> Result<Vec<Entry>, StoreError> {
        let sets_of = ObjectRef::new("apps", "ReplicaSet", &self.rollout.0, "");
        self.note(Interest::Having(sets_of.clone(), uid.into()));
        let Some(labels) = live else { return self.caches.having(&sets_of, &[uid.to_owned()]).await };
        let mut sets = self.caches.all_live(&sets_of, labels, Some(&self.rollout)).await?;
        sets.retain(|set| set.owner().is_some_and(|(_, owner)| owner == uid));
        Ok(sets)
    }

    /// Returns the ReplicaSets without an owner that are named as the Rollout would name them; with `all`, all without
    /// an owner. Reads from the cache.
    ///
    /// # Errors
    /// The ReplicaSets cannot be read.
    pub(crate) async fn orphans(&self, all: bool) -> Result<Vec<Entry>, StoreError> {
        let sets_of = ObjectRef::new("apps", "ReplicaSet", &self.rollout.0, "");
        let named_after = abandoned_by(&self.rollout.1);
        self.note(Interest::Having(sets_of.clone(), named_after.as_str().into()));
        let key = if all { OWNERLESS.to_owned() } else { named_after };
        self.caches.having(&sets_of, &[key]).await
    }

    /// Returns the AnalysisRuns that the Rollout with this uid owns: from the cache or, with `live`, from the server,
    /// those with these labels.
    ///
    /// # Errors
    /// The runs cannot be read.
    pub(crate) async fn runs(&self, uid: &str, live: Option<&str>) -> Result<Vec<Entry>, StoreError> {
        let runs_of = self.runs_of(uid);
        let Some(labels) = live else { return self.caches.having(&runs_of, &[uid.to_owned()]).await };
        let mut runs = self.caches.all_live(&runs_of, labels, Some(&self.rollout)).await?;
        runs.retain(|run| run.owner().is_some_and(|(_, owner)| owner == uid));
        Ok(runs)
    }

    /// Returns the AnalysisRuns that the Rollout with this uid owns, as far as they are known: without waiting for them.
    pub(crate) fn known_runs(&self, uid: &str) -> Vec<Entry> {
        let runs_of = self.runs_of(uid);
        self.caches.known_having(&runs_of, &[uid.to_owned()])
    }

    fn runs_of(&self, uid: &str) -> ObjectRef {
        let runs_of = crate::runs::run_ref(&self.rollout.0, "");
        self.note(Interest::Having(runs_of.clone(), uid.into()));
        runs_of
    }

    /// Returns an object that a Rollout refers to, from the cache: what holds its pod template, or a template of an
    /// analysis.
    ///
    /// # Errors
    /// The object does not exist, or its kind cannot be watched.
    pub(crate) async fn referenced(&self, object: &ObjectRef) -> Result<Entry, StoreError> {
        self.note(Interest::Object(object.clone()));
        self.caches.get(object).await
    }

    /// Returns such an object from the server.
    ///
    /// # Errors
    /// The object does not exist, or it cannot be read.
    pub(crate) async fn workload_live(&self, object: &ObjectRef) -> Result<Entry, StoreError> {
        self.caches.get_live(object, Some(&self.rollout)).await
    }

    /// Returns the pods of a revision that have this owner, from the cache; `None` if they are not listed yet. It does not
    /// wait: nothing that a release needs depends on them.
    ///
    /// # Errors
    /// The pods cannot be listed.
    pub(crate) fn pods(&self, revision: &str, owner: &str) -> Result<Option<Vec<Entry>>, StoreError> {
        let like = ObjectRef::new("", "Pod", &self.rollout.0, "");
        self.note(Interest::Having(like.clone(), revision.into()));
        let mut pods = self.caches.listed(&like, &[revision.to_owned()])?;
        if let Some(pods) = &mut pods {
            let is_its = |pod: &Entry| crate::entry::controller_uid(&pod.value) == Some(owner);
            pods.retain(|pod| is_its(pod) || off(Guard::OwnPods));
        }
        Ok(pods)
    }

    /// Returns the Rollouts, in any namespace, that have one of these index keys.
    pub(crate) fn claimants(&self, keys: &[String]) -> Vec<Entry> {
        let like = ObjectRef::new("argoproj.io", "Rollout", "", "");
        for key in keys {
            self.note(Interest::Having(like.clone(), key.as_str().into()));
        }
        self.caches.known_having(&like, keys)
    }

    fn note(&self, interest: Interest) {
        self.caches.interests().note(&self.rollout, interest.clone());
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(interest);
    }

    fn is_live(&self) -> bool {
        self.live.load(Ordering::Relaxed)
    }
}

fn object(entry: Entry) -> Object {
    Object { value: entry.value, version: entry.version }
}

fn named(like: &ObjectRef, entry: Entry) -> (ObjectRef, Object) {
    (super::reference(like, &entry.value), object(entry))
}

fn nameless(like: &ObjectRef) -> ObjectRef {
    ObjectRef::new(&like.group, &like.kind, &like.namespace, "")
}

#[async_trait]
impl ObjectStore for View {
    async fn get(&self, name: &ObjectRef) -> Result<Object, StoreError> {
        self.note(Interest::Object(name.clone()));
        let entry = if self.is_live() {
            self.caches.get_live(name, Some(&self.rollout)).await
        } else {
            self.caches.get(name).await
        };
        entry.map(object)
    }

    async fn list(&self, like: &ObjectRef) -> Result<Vec<(ObjectRef, Object)>, StoreError> {
        self.note(Interest::All(nameless(like)));
        let entries = if self.is_live() {
            self.caches.all_live(like, "", Some(&self.rollout)).await?
        } else {
            self.caches.all(like).await?
        };
        Ok(entries.into_iter().map(|entry| named(like, entry)).collect())
    }

    /// Reads from the cache even when reads are live: no write depends on it.
    async fn mentioning(&self, mentions: &Mentions) -> Result<Vec<(ObjectRef, Object)>, StoreError> {
        for key in &mentions.keys {
            self.note(Interest::Having(nameless(&mentions.like), key.as_str().into()));
        }
        let entries = self.caches.having(&mentions.like, &mentions.keys).await?;
        Ok(entries.into_iter().map(|entry| named(&mentions.like, entry)).collect())
    }

    async fn replace(
        &self,
        name: &ObjectRef,
        mut to: Value,
        read: &ObjectVersion,
    ) -> Result<ObjectVersion, StoreError> {
        conditional(name, &mut to, read)?;
        let written = self.caches.requests().replace(name, &to).await?;
        let version = version_of(&written.value);
        self.caches.put(name, written.into(), Some(&self.rollout));
        Ok(version)
    }
}
