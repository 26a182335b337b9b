use crate::traffic::{ObjectRef, Routes, Selectors};
use alloc::string::String;

/// Something that only a backend can put into the words of its traffic manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Topic<'a> {
    /// Destinations were pointed at other pods.
    Selected {
        /// What was written.
        to: &'a Selectors,
        /// What was behind each destination before, where that was known.
        before: &'a Selectors,
    },
    /// Requests are split in another way.
    Routed(&'a Routes),
    /// An object is not there.
    Missing(&'a ObjectRef),
}

/// The two texts of a Kubernetes event, as Argo Rollouts writes them: dashboards and alerts look for them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct EventText {
    /// A word for the kind of event (`UpdatedDestinationRule`).
    pub reason: &'static str,
    /// What happened, in a sentence.
    pub note: String,
}

impl EventText {
    /// A reason and a note.
    pub fn new(reason: &'static str, note: impl Into<String>) -> Self {
        Self { reason, note: note.into() }
    }
}
