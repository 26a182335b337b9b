use super::{
    entry::{Entry, reference},
    shelf::Shelf,
    watching::watch,
};
use crate::store::{Kind, Requests};
use rollout_core::{backend::StoreError, traffic::ObjectRef};
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::{mpsc, watch as signal};

/// That an object is not as it was.
#[derive(Debug, Clone)]
pub(crate) struct Changed {
    pub(crate) object: ObjectRef,
    /// As it is now; `None` when it is gone.
    pub(crate) now: Option<Entry>,
}

/// All kinds that are watched: each from the first time that it is asked for.
#[derive(Debug)]
pub(crate) struct Shelves {
    requests: Requests,
    /// The only namespace that is watched; all of them when there is none.
    namespace: Option<String>,
    kinds: Mutex<HashMap<GroupAndKind, Watched>>,
    changes: mpsc::UnboundedSender<Changed>,
}

type GroupAndKind = (Arc<str>, Arc<str>);

#[derive(Debug, Clone)]
struct Watched {
    shelf: Arc<Shelf>,
    listed: signal::Receiver<Listing>,
}

/// How far the first list of a kind is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Listing {
    Waiting,
    /// Why it did not come; it is tried again.
    Broken(String),
    Whole,
}

/// Where a watch says what it saw.
pub(super) struct News {
    changes: mpsc::UnboundedSender<Changed>,
    listed: signal::Sender<Listing>,
}

/// For so long the first list of a kind is waited for.
const FIRST_LIST: Duration = Duration::from_secs(10);

impl News {
    pub(super) fn tell(&self, changed: Changed) {
        // Nobody listens any more only when the program ends.
        let _ = self.changes.send(changed);
    }

    pub(super) fn listed(&self) {
        self.listed.send_replace(Listing::Whole);
    }

    /// The watch broke; whoever waits for the first list need not wait longer.
    pub(super) fn broke(&self, why: String) {
        self.listed.send_if_modified(|listing| {
            let waits = *listing != Listing::Whole;
            if waits {
                *listing = Listing::Broken(why);
            }
            waits
        });
    }
}

impl Shelves {
    pub(crate) fn new(
        requests: Requests,
        namespace: Option<String>,
    ) -> (Self, mpsc::UnboundedReceiver<Changed>) {
        let (changes, receiver) = mpsc::unbounded_channel();
        (Self { requests, namespace, kinds: Mutex::default(), changes }, receiver)
    }

    pub(crate) fn requests(&self) -> &Requests {
        &self.requests
    }

    /// One object, as it is known.
    ///
    /// # Errors
    /// There is none, or its kind cannot be watched.
    pub(crate) async fn get(&self, name: &ObjectRef) -> Result<Entry, StoreError> {
        if !self.is_watched(name) {
            return self.get_live(name).await;
        }
        let objects = self.whole(name).await?;
        let key = (name.namespace.to_string(), name.name.to_string());
        objects.get(&key).ok_or_else(|| StoreError::NotFound(name.clone()))
    }

    /// All objects of the kind and namespace of `like`.
    ///
    /// # Errors
    /// The kind cannot be watched.
    pub(crate) async fn all(&self, like: &ObjectRef) -> Result<Vec<Entry>, StoreError> {
        if !self.is_watched(like) {
            let values = self.requests.list(like, "").await?;
            return Ok(values.into_iter().map(Entry::new).collect());
        }
        Ok(self.whole(like).await?.all(&like.namespace))
    }

    /// Reads one object from the server.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub(crate) async fn get_live(&self, object: &ObjectRef) -> Result<Entry, StoreError> {
        match self.requests.get(object).await {
            Ok(value) => Ok(self.put(object, value)),
            Err(error) => {
                if matches!(error, StoreError::NotFound(_)) {
                    self.gone(object);
                }
                Err(error)
            }
        }
    }

    /// Reads all objects of the kind and namespace of `like` from the server; of those with `labels` alone
    /// when that is not empty.
    ///
    /// # Errors
    /// They cannot be read.
    pub(crate) async fn all_live(&self, like: &ObjectRef, labels: &str) -> Result<Vec<Entry>, StoreError> {
        let values = self.requests.list(like, labels).await?;
        Ok(values.into_iter().map(|value| self.put(&reference(like, &value), value)).collect())
    }

    /// Remembers an object that was read or written; what is known of it then, which may be newer.
    pub(crate) fn put(&self, object: &ObjectRef, value: Value) -> Entry {
        let entry = Entry::new(value);
        if !self.is_watched(object) {
            return entry;
        }
        let Ok(Watched { shelf, .. }) = self.watch_of(object) else { return entry };
        let key = (object.namespace.to_string(), object.name.to_string());
        shelf.put(key.clone(), entry.clone());
        shelf.get(&key).unwrap_or(entry)
    }

    /// An object is known not to be there.
    pub(crate) fn gone(&self, object: &ObjectRef) {
        if let Ok(Watched { shelf, .. }) = self.watch_of(object) {
            shelf.remove(&(object.namespace.to_string(), object.name.to_string()), None);
        }
    }

    /// Starts to watch a kind, if that was not done before, and waits for its first list.
    ///
    /// # Errors
    /// The kind is not known, or its first list does not come.
    pub(crate) async fn start(&self, like: &ObjectRef) -> Result<(), StoreError> {
        let Watched { shelf, listed } = self.watch_of(like)?;
        self.until(like, &shelf, listed, |listing| *listing == Listing::Whole).await
    }

    fn is_watched(&self, object: &ObjectRef) -> bool {
        let only = self.namespace.as_deref();
        only.is_none_or(|only| *object.namespace == *only)
    }

    async fn whole(&self, like: &ObjectRef) -> Result<Arc<Shelf>, StoreError> {
        let Watched { shelf, listed } = self.watch_of(like)?;
        self.until(like, &shelf, listed, |listing| *listing != Listing::Waiting).await?;
        Ok(shelf)
    }

    /// Waits for the first list, or until it is known not to come soon.
    async fn until(
        &self,
        like: &ObjectRef,
        objects: &Shelf,
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
        let version = self.requests.kind(like).map(Kind::api_version).unwrap_or_default();
        let why = format!(
            "{} objects ({version}) cannot be listed: {why}; is this kind installed in the cluster, and may it be \
             listed and watched?",
            like.kind
        );
        Err(StoreError::Unreadable { object: like.clone(), why })
    }

    fn watch_of(&self, name: &ObjectRef) -> Result<Watched, StoreError> {
        let kind = self.requests.kind(name)?.clone();
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let watched = kinds.entry((kind.group.clone(), kind.kind.clone())).or_insert_with(|| {
            let objects = Arc::new(Shelf::default());
            let (sender, listed) = signal::channel(Listing::Waiting);
            let news = News { changes: self.changes.clone(), listed: sender };
            let client = self.requests.client().clone();
            tokio::spawn(watch(client, kind, self.namespace.clone(), Arc::clone(&objects), news));
            Watched { shelf: objects, listed }
        });
        Ok(watched.clone())
    }
}
