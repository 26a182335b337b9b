use super::{
    Entry,
    objects::{Key, Touched},
};
use rollout_core::traffic::ObjectRef;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::{
    sync::{mpsc, watch as signal},
    time::Instant,
};

/// A change of an object.
#[derive(Debug, Clone)]
pub(crate) struct Changed {
    pub(crate) object: ObjectRef,
    /// The object now; `None` when it is gone.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests look at what the watches showed"))]
    pub(crate) now: Option<Entry>,
    /// The index keys that it has or had.
    pub(crate) keys: Touched,
    /// The rollout that made the change, or read it before the watch showed it: it is not woken.
    pub(crate) by: Option<Key>,
}

/// The progress of a kind's first list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Listing {
    Waiting,
    /// The list failed with this error and will be retried.
    Broken(String),
    Whole,
}

/// When the server last said something on a kind's list or watch.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LastHeard {
    /// `None` before the first complete list.
    pub(crate) at: Option<Instant>,
    /// Whether requests have failed since.
    pub(crate) fails: bool,
}

/// Passes on what a watch sees.
pub(super) struct Notifier {
    pub(super) changes: mpsc::UnboundedSender<Changed>,
    pub(super) listed: signal::Sender<Listing>,
    pub(super) heard: Arc<Mutex<LastHeard>>,
}

impl Notifier {
    pub(super) fn notify(&self, object: ObjectRef, now: Option<Entry>, keys: Touched) {
        // The receiver is gone only when the program ends.
        let _ = self.changes.send(Changed { object, now, keys, by: None });
    }

    /// Records that the server has just said something.
    pub(super) fn heard(&self) {
        *self.last_heard() = LastHeard { at: Some(Instant::now()), fails: false };
    }

    fn last_heard(&self) -> std::sync::MutexGuard<'_, LastHeard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn list_complete(&self) {
        self.heard();
        self.listed.send_replace(Listing::Whole);
    }

    /// Reports a failed watch: callers need not wait longer for the first list.
    pub(super) fn watch_failed(&self, why: String) {
        self.last_heard().fails = true;
        self.listed.send_if_modified(|listing| {
            let waits = *listing != Listing::Whole;
            if waits {
                *listing = Listing::Broken(why);
            }
            waits
        });
    }
}
