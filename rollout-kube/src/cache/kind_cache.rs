use super::{
    index::Index,
    objects::{AsOf, Key, Objects, Touched},
};
use crate::entry::Entry;
use std::sync::{Mutex, PoisonError};

/// A read-your-writes cache of all objects of one kind.
///
/// It holds what the watch shows and, at once, what this process reads or writes. [`Objects`] decides what may replace
/// what: no reader sees anything older than its own last write, and a late answer never hides what the watch has
/// shown meanwhile.
#[derive(Debug)]
pub(super) struct KindCache {
    objects: Mutex<Objects>,
    pub(super) is_indexed: bool,
}

impl KindCache {
    pub(super) fn new(index: Index) -> Self {
        Self { is_indexed: index.is_some(), objects: Mutex::new(Objects::new(index)) }
    }

    /// Returns the version that a "not found" will have. Call it before sending a request.
    pub(super) fn as_of(&self) -> AsOf {
        self.with(|objects| objects.as_of())
    }

    pub(super) fn show(&self, key: Key, entry: Entry) -> Option<Touched> {
        self.with(|objects| objects.show(key, entry))
    }

    /// Records what was read or written. Returns what is known then, which may be newer, or `None` if the object is
    /// gone by now.
    pub(super) fn put(&self, key: &Key, entry: Entry) -> (Option<Touched>, Option<Entry>) {
        self.with(|objects| (objects.put(key.clone(), entry), objects.get(key).cloned()))
    }

    pub(super) fn show_deleted(&self, key: &Key, last: &Entry) -> Option<Touched> {
        self.with(|objects| objects.show_deleted(key, last))
    }

    pub(super) fn absent(&self, key: &Key, as_of: AsOf) -> Option<Touched> {
        self.with(|objects| objects.absent(key, as_of))
    }

    pub(super) fn begin_list(&self) {
        self.with(Objects::begin_list);
    }

    pub(super) fn end_list(&self, version: Option<u64>) -> Vec<(Key, Touched)> {
        self.with(|objects| objects.end_list(version))
    }

    pub(super) fn advance_watch(&self, version: u64) {
        self.with(|objects| objects.advance_watch(version));
    }

    /// Returns whether a complete list has been seen.
    pub(super) fn is_whole(&self) -> bool {
        self.with(|objects| objects.is_whole())
    }

    pub(super) fn get(&self, key: &Key) -> Option<Entry> {
        self.with(|objects| objects.get(key).cloned())
    }

    /// Returns the objects of one namespace; of all namespaces when it is empty.
    pub(super) fn all(&self, namespace: &str) -> Vec<Entry> {
        self.with(|objects| objects.all(namespace).cloned().collect())
    }

    /// Returns the objects of one namespace that have one of these index keys, each once.
    pub(super) fn having(&self, namespace: &str, keys: &[String]) -> Vec<Entry> {
        self.with(|objects| {
            let found = keys.iter().flat_map(|key| objects.having(namespace, key));
            let mut found: Vec<_> = found.collect();
            found.sort_by_key(|(key, _)| *key);
            found.dedup_by_key(|(key, _)| *key);
            found.into_iter().map(|(_, entry)| entry.clone()).collect()
        })
    }

    fn with<R>(&self, act: impl FnOnce(&mut Objects) -> R) -> R {
        act(&mut self.objects.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
