//! Short names beside the hashes: `v1` is the first revision, `v2` the next.

use rollout_core::Revision;

/// The revisions of one Rollout, in the order in which they came up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(Vec<Revision>);

impl Names {
    /// Notes a revision and says its name.
    pub(crate) fn add(&mut self, revision: &Revision) -> String {
        if !self.0.contains(revision) {
            self.0.push(revision.clone());
        }
        self.of(revision)
    }

    /// Its name; the hash when it never came up.
    pub(crate) fn of(&self, revision: &Revision) -> String {
        match self.0.iter().position(|known| known == revision) {
            Some(index) => format!("v{}", index + 1),
            None => revision.to_string(),
        }
    }

    /// The engine's words with names for hashes.
    pub(crate) fn put_into(&self, text: &str) -> String {
        self.0
            .iter()
            .fold(text.to_owned(), |text, revision| text.replace(revision.as_str(), &self.of(revision)))
    }

    /// All, the first one first.
    pub(crate) fn all(&self) -> &[Revision] {
        &self.0
    }
}
