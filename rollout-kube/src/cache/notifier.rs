use super::{
    Entry,
    objects::{Key, Touched},
};
use rollout_core::traffic::ObjectRef;
use tokio::sync::{mpsc, watch as signal};

/// An object has changed.
#[derive(Debug, Clone)]
pub(crate) struct Changed {
    pub(crate) object: ObjectRef,
    /// As it is now; `None` when it is gone.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests look at what the watches told"))]
    pub(crate) now: Option<Entry>,
    /// The index keys that it has, or had before.
    pub(crate) keys: Touched,
    /// The rollout that made the change, or read it before the watch showed it: to that one it is no news.
    pub(crate) by: Option<Key>,
}

/// How far the first list of a kind has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Listing {
    Waiting,
    /// Why it did not come; it is tried again.
    Broken(String),
    Whole,
}

/// Where a watch says what it saw.
pub(super) struct Notifier {
    pub(super) changes: mpsc::UnboundedSender<Changed>,
    pub(super) listed: signal::Sender<Listing>,
}

impl Notifier {
    pub(super) fn notify(&self, object: ObjectRef, now: Option<Entry>, keys: Touched) {
        // Nobody listens any more only when the program ends.
        let _ = self.changes.send(Changed { object, now, keys, by: None });
    }

    pub(super) fn list_complete(&self) {
        self.listed.send_replace(Listing::Whole);
    }

    /// The watch broke; whoever waits for the first list need not wait longer.
    pub(super) fn watch_failed(&self, why: String) {
        self.listed.send_if_modified(|listing| {
            let waits = *listing != Listing::Whole;
            if waits {
                *listing = Listing::Broken(why);
            }
            waits
        });
    }
}
