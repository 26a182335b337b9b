use super::{groups::Groups, index::Index};
use crate::entry::Entry;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

/// Namespace and name.
pub(super) type Key = (String, String);

/// The index keys that an object had or has.
pub(crate) type Touched = BTreeSet<Arc<str>>;

/// The known objects of one kind.
///
/// One rule decides what may replace what: **every piece of knowledge has a version, and the newer one wins.**
/// - An object that was shown, read or written has its own resource version.
/// - "Not found", as the answer to a read or a delete, has the newest version of the kind that was known when the
///   request was sent: it removes nothing newer.
/// - A watch is complete up to the newest version that it showed: an object that is no newer, and not in this map, was
///   deleted.
/// - A list is complete up to its version: it removes nothing newer.
#[derive(Debug, Clone, Default)]
pub(super) struct Objects {
    all: BTreeMap<Key, Kept>,
    by_key: Groups<Arc<str>, Key>,
    index: Index,
    /// The newest known version.
    newest: u64,
    /// The version up to which the watch is complete.
    watched_to: u64,
    /// Objects that were not found, and as of which version; kept until the watch has reached that version.
    gone: HashMap<Key, u64>,
    /// The objects that the list in progress has shown so far.
    listed: Option<HashSet<Key>>,
    is_whole: bool,
}

#[derive(Debug, Clone)]
struct Kept {
    entry: Entry,
    keys: Arc<[Arc<str>]>,
}

/// The newest version known when a request was sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AsOf(u64);

impl Objects {
    pub(super) fn new(index: Index) -> Self {
        Self { index, ..Self::default() }
    }

    pub(super) fn as_of(&self) -> AsOf {
        AsOf(self.newest)
    }

    /// Records an object that the watch, or its list, shows. Returns its index keys if that is new.
    pub(super) fn show(&mut self, key: Key, entry: Entry) -> Option<Touched> {
        if let Some(listed) = &mut self.listed {
            listed.insert(key.clone());
        } else {
            self.advance_watch(entry.number().unwrap_or(0));
        }
        self.put_newer(key, entry)
    }

    /// Records an object that was read, or returned by a write. Returns its index keys if that is new.
    pub(super) fn put(&mut self, key: Key, entry: Entry) -> Option<Touched> {
        let was_watched = self.is_whole && entry.number().is_some_and(|version| version <= self.watched_to);
        if was_watched && !self.all.contains_key(&key) {
            return None;
        }
        self.put_newer(key, entry)
    }

    fn put_newer(&mut self, key: Key, entry: Entry) -> Option<Touched> {
        let number = entry.number();
        let is_gone = number.zip(self.gone.get(&key)).is_some_and(|(version, gone)| version <= *gone);
        let is_old = |existing: &Kept| {
            entry.is_older_than(&existing.entry) || entry.version.write == existing.entry.version.write
        };
        if is_gone || self.all.get(&key).is_some_and(is_old) {
            return None;
        }
        self.newest = self.newest.max(number.unwrap_or(0));
        self.gone.remove(&key);
        let mut touched = self.take(&key).unwrap_or_default();
        let keys: Arc<[Arc<str>]> =
            self.index.keys(&key.0, &entry.value).into_iter().map(Arc::from).collect();
        for indexed in &*keys {
            self.by_key.insert(Arc::clone(indexed), key.clone());
            touched.insert(Arc::clone(indexed));
        }
        self.all.insert(key, Kept { entry, keys });
        Some(touched)
    }

    /// Records that the watch shows an object as deleted; `last` is its last version.
    pub(super) fn show_deleted(&mut self, key: &Key, last: &Entry) -> Option<Touched> {
        self.advance_watch(last.number().unwrap_or(0));
        let is_newer = self.all.get(key).is_some_and(|existing| last.is_older_than(&existing.entry));
        if is_newer { None } else { self.take(key) }
    }

    /// Records that the server did not find an object.
    pub(super) fn absent(&mut self, key: &Key, as_of: AsOf) -> Option<Touched> {
        let version = self.all.get(key).map_or(Some(0), |existing| existing.entry.number());
        if version.is_none_or(|version| version > as_of.0) {
            return None;
        }
        if as_of.0 > self.watched_to || !self.is_whole || self.listed.is_some() {
            self.gone.insert(key.clone(), as_of.0);
        }
        self.take(key)
    }

    /// Begins a list.
    pub(super) fn begin_list(&mut self) {
        self.listed = Some(HashSet::new());
    }

    /// Ends a list of this version. Returns the objects that are gone.
    pub(super) fn end_list(&mut self, version: Option<u64>) -> Vec<(Key, Touched)> {
        self.is_whole = true;
        let listed = self.listed.take().unwrap_or_default();
        let is_newer = |existing: &Kept| {
            existing.entry.number().zip(version).is_some_and(|(existing, list)| existing > list)
        };
        let unlisted =
            self.all.iter().filter(|(key, existing)| !listed.contains(*key) && !is_newer(existing));
        let gone: Vec<Key> = unlisted.map(|(key, _)| key.clone()).collect();
        self.advance_watch(version.unwrap_or(0));
        gone.into_iter().filter_map(|key| self.take(&key).map(|touched| (key, touched))).collect()
    }

    /// Records that the watch is complete up to this version.
    pub(super) fn advance_watch(&mut self, version: u64) {
        self.newest = self.newest.max(version);
        self.watched_to = self.watched_to.max(version);
        let watched_to = self.watched_to;
        self.gone.retain(|_, gone| *gone > watched_to);
    }

    fn take(&mut self, key: &Key) -> Option<Touched> {
        let kept = self.all.remove(key)?;
        for indexed in &*kept.keys {
            self.by_key.remove(indexed, key);
        }
        Some(kept.keys.iter().cloned().collect())
    }

    pub(super) fn is_whole(&self) -> bool {
        self.is_whole
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Entry> {
        self.all.get(key).map(|kept| &kept.entry)
    }

    /// Iterates over the objects of one namespace; of all namespaces when it is empty.
    pub(super) fn all(&self, namespace: &str) -> impl Iterator<Item = &Entry> {
        let first = (namespace.to_owned(), String::new());
        let here =
            self.all.range(first..).take_while(move |(key, _)| namespace.is_empty() || key.0 == namespace);
        here.map(|(_, kept)| &kept.entry)
    }

    /// Iterates over the objects with this index key, in one namespace or, when that is empty, in all.
    pub(super) fn having(&self, namespace: &str, indexed: &str) -> impl Iterator<Item = (&Key, &Entry)> {
        let here = self.by_key.of(indexed).filter(move |key| namespace.is_empty() || key.0 == namespace);
        here.filter_map(|key| self.all.get(key).map(|kept| (key, &kept.entry)))
    }
}

#[cfg(test)]
#[path = "objects/tests.rs"]
mod tests;
