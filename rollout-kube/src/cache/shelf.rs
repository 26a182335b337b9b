use super::entry::Entry;
use std::{
    collections::{HashMap, HashSet},
    sync::Mutex,
};

/// Namespace and name.
pub(super) type Key = (String, String);

/// All objects of one kind.
///
/// What this process reads or writes itself is put here at once, and what a watch shows later and is older
/// is left out: so nobody ever reads from here what is older than his own last write.
#[derive(Debug, Default)]
pub(super) struct Shelf(Mutex<Objects>);

#[derive(Debug, Default)]
struct Objects {
    all: HashMap<Key, Entry>,
    /// While a list is under way: what it has shown, and what was put here by other ways meanwhile.
    listed: Option<HashSet<Key>>,
    is_whole: bool,
}

impl Shelf {
    /// Puts an object here unless a newer one is; whether anything is new.
    pub(super) fn put(&self, key: Key, entry: Entry) -> bool {
        self.with(|objects| objects.put(key, entry))
    }

    /// An object was deleted when it had this version, or is known to be gone; whether that is news.
    pub(super) fn remove(&self, key: &Key, last: Option<&Entry>) -> bool {
        self.with(|objects| {
            let newer = |there: &Entry| last.is_some_and(|last| last.is_older_than(there));
            if objects.all.get(key).is_none_or(newer) {
                return false;
            }
            objects.all.remove(key).is_some()
        })
    }

    /// A list begins.
    pub(super) fn begin_list(&self) {
        self.with(|objects| objects.listed = Some(HashSet::new()));
    }

    /// A list ends: what it did not show is gone, and its names are returned.
    pub(super) fn end_list(&self) -> Vec<Key> {
        self.with(|objects| {
            objects.is_whole = true;
            let Some(listed) = objects.listed.take() else { return Vec::new() };
            let gone: Vec<Key> = objects.all.keys().filter(|key| !listed.contains(*key)).cloned().collect();
            for key in &gone {
                objects.all.remove(key);
            }
            gone
        })
    }

    /// Whether a whole list has been seen.
    pub(super) fn is_whole(&self) -> bool {
        self.with(|objects| objects.is_whole)
    }

    pub(super) fn get(&self, key: &Key) -> Option<Entry> {
        self.with(|objects| objects.all.get(key).cloned())
    }

    /// All of one namespace; of every namespace when it is empty.
    pub(super) fn all(&self, namespace: &str) -> Vec<Entry> {
        let is_there = |key: &Key| namespace.is_empty() || key.0 == namespace;
        self.with(|objects| {
            let mut all: Vec<_> = objects.all.iter().filter(|(key, _)| is_there(key)).collect();
            all.sort_by_key(|(key, _)| *key);
            all.into_iter().map(|(_, entry)| entry.clone()).collect()
        })
    }

    fn with<R>(&self, act: impl FnOnce(&mut Objects) -> R) -> R {
        let mut objects = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        act(&mut objects)
    }
}

impl Objects {
    fn put(&mut self, key: Key, entry: Entry) -> bool {
        if let Some(listed) = &mut self.listed {
            listed.insert(key.clone());
        }
        if let Some(there) = self.all.get(&key)
            && (entry.is_older_than(there) || entry.version.write == there.version.write)
        {
            return false;
        }
        self.all.insert(key, entry);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn entry(version: &str) -> Entry {
        Entry::new(json!({"metadata": {"resourceVersion": version}}))
    }

    fn key(name: &str) -> Key {
        ("shop".to_owned(), name.to_owned())
    }

    #[test]
    fn what_was_written_is_not_hidden_by_what_a_watch_shows_later_and_is_older() {
        let shelf = Shelf::default();
        assert!(shelf.put(key("a"), entry("9")));
        assert!(shelf.put(key("a"), entry("10")), "versions are numbers, not texts");
        assert!(!shelf.put(key("a"), entry("9")));
        assert!(!shelf.put(key("a"), entry("10")), "its own write again is no news");
        assert_eq!(&*shelf.get(&key("a")).unwrap().version.write, "10");
        assert!(!shelf.remove(&key("a"), Some(&entry("8"))), "that was the one before, of the same name");
        assert!(shelf.remove(&key("a"), Some(&entry("11"))));
    }

    #[test]
    fn a_list_takes_away_what_it_does_not_show_but_nothing_that_came_meanwhile() {
        let shelf = Shelf::default();
        shelf.put(key("gone"), entry("1"));
        shelf.begin_list();
        shelf.put(key("listed"), entry("2"));
        shelf.put(key("written"), entry("3"));
        assert!(!shelf.is_whole());
        assert_eq!(shelf.end_list(), [key("gone")]);
        assert!(shelf.is_whole() && shelf.get(&key("written")).is_some());
    }
}
