use super::{
    index::Index,
    interests::Interests,
    kind_cache::KindCache,
    notifier::{Changed, LastHeard, Listing, Notifier},
    objects::{AsOf, Key, Touched},
    watching::watch,
};
use crate::{
    entry::{Entry, reference},
    store::{Kind, Received, Requests},
};
use rollout_core::{backend::StoreError, traffic::ObjectRef};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch as signal},
    task::AbortHandle,
};
use tracing::Instrument as _;

/// The caches of all watched kinds. The first request for a kind starts its watch.
#[derive(Debug)]
pub(crate) struct Caches {
    requests: Requests,
    /// The only namespace that is watched; `None` for all.
    namespace: Option<String>,
    kinds: Mutex<HashMap<GroupAndKind, Watched>>,
    changes: mpsc::UnboundedSender<Changed>,
    indexes: HashMap<GroupAndKind, Index>,
    interests: Interests,
}

type GroupAndKind = (Arc<str>, Arc<str>);

#[derive(Debug, Clone)]
struct Watched {
    cache: Arc<KindCache>,
    listed: signal::Receiver<Listing>,
    heard: Arc<Mutex<LastHeard>>,
    task: AbortHandle,
}

/// How long to wait for the first list of a kind.
const FIRST_LIST: Duration = Duration::from_secs(10);

impl Caches {
    pub(crate) fn new(
        requests: Requests,
        namespace: Option<String>,
    ) -> (Self, mpsc::UnboundedReceiver<Changed>) {
        let (changes, receiver) = mpsc::unbounded_channel();
        let kinds = Mutex::default();
        let (indexes, interests) = (HashMap::new(), Interests::default());
        let caches = Self { requests, namespace, kinds, changes, indexes, interests };
        let caches = caches.index("apps", "ReplicaSet", Index::of_owner());
        let caches = caches.index("argoproj.io", "AnalysisRun", Index::of_rollout());
        (caches.index("", "Pod", Index::of_revision()), receiver)
    }

    /// Adds an index to a kind. Call it before the kind is watched.
    pub(crate) fn index(mut self, group: &str, kind: &str, index: Index) -> Self {
        let all = self.indexes.entry((group.into(), kind.into())).or_default();
        *all = std::mem::take(all).and(index);
        self
    }

    pub(crate) fn requests(&self) -> &Requests {
        &self.requests
    }

    /// Returns one object, from the cache.
    ///
    /// # Errors
    /// The object does not exist, or its kind cannot be watched.
    pub(crate) async fn get(&self, name: &ObjectRef) -> Result<Entry, StoreError> {
        if !self.is_watched(name) {
            return self.get_live(name, None).await;
        }
        let objects = self.whole(name).await?;
        objects.get(&key_of(name)).ok_or_else(|| StoreError::NotFound(name.clone()))
    }

    /// Returns all objects of the kind and namespace of `like`.
    ///
    /// # Errors
    /// The kind cannot be watched.
    pub(crate) async fn all(&self, like: &ObjectRef) -> Result<Vec<Entry>, StoreError> {
        if !self.is_watched(like) {
            let values = self.requests.list(like, "").await?;
            return Ok(values.into_iter().map(Entry::from).collect());
        }
        Ok(self.whole(like).await?.all(&like.namespace))
    }

    /// Returns the objects of the kind and namespace of `like` that have one of these index keys; all of them if the
    /// kind has no index.
    ///
    /// # Errors
    /// As for [`all`](Self::all).
    pub(crate) async fn having(&self, like: &ObjectRef, keys: &[String]) -> Result<Vec<Entry>, StoreError> {
        if !self.is_watched(like) {
            return self.all(like).await;
        }
        let objects = self.whole(like).await?;
        Ok(if objects.is_indexed {
            objects.having(&like.namespace, keys)
        } else {
            objects.all(&like.namespace)
        })
    }

    /// Returns the objects that have one of these index keys, without waiting for the first list: `None` before that.
    ///
    /// # Errors
    /// The kind cannot be watched.
    pub(crate) fn listed(&self, like: &ObjectRef, keys: &[String]) -> Result<Option<Vec<Entry>>, StoreError> {
        let Watched { cache, listed, .. } = self.watch_of(like)?;
        if cache.is_whole() {
            return Ok(Some(cache.having(&like.namespace, keys)));
        }
        let listing = listed.borrow().clone();
        match listing {
            Listing::Broken(why) => Err(self.unlisted(like, &why)),
            Listing::Waiting | Listing::Whole => Ok(None),
        }
    }

    /// Returns the known objects that have one of these index keys; of all namespaces when `like` names none.
    pub(crate) fn known_having(&self, like: &ObjectRef, keys: &[String]) -> Vec<Entry> {
        let watched = self.watch_of(like).ok();
        watched.map(|watched| watched.cache.having(&like.namespace, keys)).unwrap_or_default()
    }

    /// Returns one object as it is known, without waiting for the first list.
    pub(crate) fn known(&self, name: &ObjectRef) -> Option<Entry> {
        self.watch_of(name).ok()?.cache.get(&key_of(name))
    }

    /// Returns when the server last said something about this kind.
    pub(crate) fn last_heard(&self, like: &ObjectRef) -> LastHeard {
        let heard = self.watch_of(like).map(|watched| watched.heard);
        heard.map(|heard| *heard.lock().unwrap_or_else(PoisonError::into_inner)).unwrap_or_default()
    }

    /// Reads one object from the server on behalf of a rollout; if that shows a change, it wakes the other rollouts.
    ///
    /// # Errors
    /// The object does not exist or cannot be read.
    pub(crate) async fn get_live(&self, object: &ObjectRef, by: Option<&Key>) -> Result<Entry, StoreError> {
        let as_of = self.as_of(object);
        match self.requests.get(object).await {
            Ok(value) => {
                self.put(object, value.into(), by).ok_or_else(|| StoreError::NotFound(object.clone()))
            }
            Err(error) => {
                if matches!(error, StoreError::NotFound(_)) {
                    self.absent(object, as_of, by);
                }
                Err(error)
            }
        }
    }

    /// Reads all objects of the kind and namespace of `like` from the server; only those with `labels`, unless that is
    /// empty.
    ///
    /// # Errors
    /// The objects cannot be read.
    pub(crate) async fn all_live(
        &self,
        like: &ObjectRef,
        labels: &str,
        by: Option<&Key>,
    ) -> Result<Vec<Entry>, StoreError> {
        let values = self.requests.list(like, labels).await?;
        let known = |item: Received| self.put(&reference(like, &item.value), item.into(), by);
        Ok(values.into_iter().filter_map(known).collect())
    }

    /// Records an object that a rollout read or wrote. Returns what is known then, which may be newer, or `None` if the
    /// object is gone by now.
    pub(crate) fn put(&self, object: &ObjectRef, entry: Entry, by: Option<&Key>) -> Option<Entry> {
        let Some(kept) = self.cache(object) else { return Some(entry) };
        let (touched, known) = kept.put(&key_of(object), entry);
        self.notify(object, known.clone(), touched, by);
        known
    }

    /// Records an object of its own that a rollout wrote: the Rollout or a ReplicaSet. Returns the object as written,
    /// even if another client has written it since: the decisions of this turn rest on the earlier reading, and the
    /// next write must fail.
    pub(crate) fn wrote(&self, object: &ObjectRef, written: Received) -> Entry {
        let entry = Entry::from(written);
        let owner = entry.owner().map(|(name, _)| (object.namespace.to_string(), name.to_owned()));
        let by = owner.unwrap_or_else(|| key_of(object));
        self.put(object, entry.clone(), Some(&by));
        entry
    }

    /// Returns the version that a "not found" will have. Call it before reading or deleting an object.
    pub(crate) fn as_of(&self, object: &ObjectRef) -> Option<AsOf> {
        self.cache(object).map(|cache| cache.as_of())
    }

    /// Records that the server did not find an object.
    pub(crate) fn absent(&self, object: &ObjectRef, as_of: Option<AsOf>, by: Option<&Key>) {
        if let (Some(cache), Some(as_of)) = (self.cache(object), as_of) {
            let touched = cache.absent(&key_of(object), as_of);
            self.notify(object, None, touched, by);
        }
    }

    fn notify(&self, object: &ObjectRef, now: Option<Entry>, touched: Option<Touched>, by: Option<&Key>) {
        if let Some(keys) = touched {
            // The receiver is gone only when the program ends.
            let _ = self.changes.send(Changed { object: object.clone(), now, keys, by: by.cloned() });
        }
    }

    /// Returns the record of which rollout read what.
    pub(crate) fn interests(&self) -> &Interests {
        &self.interests
    }

    /// Starts to watch a kind, unless it is watched already, and waits for its first list.
    ///
    /// # Errors
    /// The kind is unknown, or its first list fails.
    pub(crate) async fn start(&self, like: &ObjectRef) -> Result<(), StoreError> {
        let Watched { cache, listed, .. } = self.watch_of(like)?;
        self.until(like, &cache, listed, |listing| *listing == Listing::Whole).await
    }

    fn cache(&self, object: &ObjectRef) -> Option<Arc<KindCache>> {
        let watched = self.is_watched(object).then(|| self.watch_of(object).ok()).flatten();
        watched.map(|watched| watched.cache)
    }

    pub(crate) fn is_watched(&self, object: &ObjectRef) -> bool {
        let only = self.namespace.as_deref();
        let is_of_cluster = || self.requests.kind(object).is_ok_and(|kind| kind.is_of_cluster);
        only.is_none_or(|only| *object.namespace == *only || is_of_cluster())
    }

    async fn whole(&self, like: &ObjectRef) -> Result<Arc<KindCache>, StoreError> {
        let Watched { cache, listed, .. } = self.watch_of(like)?;
        self.until(like, &cache, listed, |listing| *listing != Listing::Waiting).await?;
        Ok(cache)
    }

    /// Waits for the first list, until `enough` holds or the time is up.
    async fn until(
        &self,
        like: &ObjectRef,
        objects: &KindCache,
        mut listed: signal::Receiver<Listing>,
        enough: impl Fn(&Listing) -> bool,
    ) -> Result<(), StoreError> {
        if objects.is_whole() {
            return Ok(());
        }
        let waited = tokio::time::timeout(FIRST_LIST, listed.wait_for(|listing| enough(listing))).await;
        drop(waited);
        let listing = listed.borrow().clone();
        let why = match listing {
            Listing::Whole => return Ok(()),
            Listing::Broken(why) => why,
            Listing::Waiting => format!("no answer within {} s", FIRST_LIST.as_secs()),
        };
        Err(self.unlisted(like, &why))
    }

    fn unlisted(&self, like: &ObjectRef, why: &str) -> StoreError {
        let version = self.requests.kind(like).map(Kind::api_version).unwrap_or_default();
        let why = format!(
            "{} objects ({version}) cannot be listed: {why}; is this kind installed in the cluster, and does RBAC \
             allow listing and watching it?",
            like.kind
        );
        StoreError::Unreadable { object: like.clone(), why }
    }

    fn watch_of(&self, name: &ObjectRef) -> Result<Watched, StoreError> {
        let kind = self.requests.kind(name)?.clone();
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let watched = kinds.entry((kind.group.clone(), kind.kind.clone())).or_insert_with(|| {
            let index = self.indexes.get(&(kind.group.clone(), kind.kind.clone())).cloned();
            let objects = Arc::new(KindCache::new(index.unwrap_or_default()));
            let (sender, listed) = signal::channel(Listing::Waiting);
            let heard = Arc::<Mutex<LastHeard>>::default();
            let notifier =
                Notifier { changes: self.changes.clone(), listed: sender, heard: Arc::clone(&heard) };
            let client = self.requests.client().clone();
            let watch = watch(client, kind, self.namespace.clone(), Arc::clone(&objects), notifier);
            // The log says of which cluster.
            let task = tokio::spawn(watch.in_current_span()).abort_handle();
            Watched { cache: objects, listed, heard, task }
        });
        Ok(watched.clone())
    }
}

impl Drop for Caches {
    fn drop(&mut self) {
        for watched in self.kinds.get_mut().unwrap_or_else(PoisonError::into_inner).values() {
            watched.task.abort();
        }
    }
}

fn key_of(object: &ObjectRef) -> Key {
    (object.namespace.to_string(), object.name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::mock::{Answer, server};
    use serde_json::json;

    fn rollout(version: u64, image: &str) -> Received {
        let template = json!({"spec": {"containers": [{"image": image}]}});
        let metadata =
            json!({"namespace": "shop", "name": "web", "uid": "u", "resourceVersion": version.to_string()});
        let value = json!({"kind": "Rollout", "metadata": metadata, "spec": {"template": template}});
        serde_json::from_value(value).unwrap()
    }

    /// Otherwise a ReplicaSet would be created with the hash of one template and the pods of the next.
    #[tokio::test]
    async fn a_turn_keeps_its_own_write_when_another_client_writes_the_object_again() {
        let (client, _) = server(|_| Answer::Never);
        let (caches, _changes) = Caches::new(Requests::new(client, "us"), None);
        let object = ObjectRef::new("argoproj.io", "Rollout", "shop", "web");
        caches.put(&object, rollout(6, "web:v2").into(), None);
        let written = caches.wrote(&object, rollout(5, "web:v1"));
        assert_eq!(written.text("/spec/template/spec/containers/0/image"), Some("web:v1"));
        assert_eq!(&*written.version.write, "5", "the next write that depends on it fails");
        let known = caches.put(&object, rollout(4, "web:v0").into(), None);
        assert_eq!(known.unwrap().version.write.as_ref(), "6", "the cache keeps the newest");
    }
}
