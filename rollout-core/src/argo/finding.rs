use super::reader::subject;
use crate::{Finding, Severity};
use alloc::{format, string::String, vec::Vec};

impl Finding {
    /// What to say first to a person: what to write. `None` where the message is our own and says it already.
    ///
    /// ```
    /// use rollout_core::argo::check;
    /// let report = check(&serde_json::json!({"spec": {"strategy": {"canary": {"steps": [{"setWeight": 101}]}}}}));
    /// let error = report.errors().find(|error| error.path.ends_with("setWeight")).unwrap();
    /// assert_eq!(error.what, "SetWeight needs to be between 0 and 100");
    /// assert_eq!(error.headline().unwrap(), "`setWeight`: write a number from 0 to 100, the canary's share");
    /// ```
    #[must_use]
    pub fn headline(&self) -> Option<String> {
        if !self.quotes || self.instead.is_empty() {
            return None;
        }
        Some(format!("{}: {}", subject(&self.path), self.instead))
    }

    /// Whether it is about a field that the language does not have there.
    #[must_use]
    pub fn is_unknown_field(&self) -> bool {
        self.names_key
    }

    /// Whether it is about a field of the canary that stands where it means nothing: what it says is lost without
    /// a word, so who reads a manifest should refuse it.
    #[must_use]
    pub fn is_misplaced(&self) -> bool {
        self.misplaced
    }

    /// Where it stands in the manifest. The same as the path, but for a few errors that clients know under
    /// a path of its own.
    #[must_use]
    pub fn stands_at(&self) -> &str {
        self.stands_at.as_deref().unwrap_or(&self.path)
    }

    /// The language allows it at `path`, and the engine does not drive it yet: what it is.
    pub(crate) fn not_driven(path: impl Into<String>, what: &str) -> Self {
        let what = format!("{what} is not driven yet");
        Self { names_key: true, ..Self::new(Severity::NotDriven, path, what, "") }
    }

    /// Something that the engine does not do, and without which a release is as safe as with it.
    pub(crate) fn ignored(path: impl Into<String>, what: &str) -> Self {
        Self { names_key: true, ..Self::new(Severity::Warning, path, what, "") }
    }
}

/// Findings as they come: of each severity so many that nobody reads more, and the others counted.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    list: Vec<Finding>,
    errors: usize,
    others: usize,
}

/// More errors, or more warnings, than this are only counted.
const MAX: usize = 500;

impl Findings {
    /// Whether another one of this severity would be shown.
    pub(crate) fn has_room(&self, severity: Severity) -> bool {
        (if severity == Severity::Error { self.errors } else { self.others }) < MAX
    }

    pub(crate) fn push(&mut self, finding: Finding) {
        let room = self.has_room(finding.severity);
        self.count(finding.severity);
        if room {
            self.list.push(finding);
        }
    }

    /// Counts one that is not even made.
    pub(crate) fn count(&mut self, severity: Severity) {
        *(if severity == Severity::Error { &mut self.errors } else { &mut self.others }) += 1;
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn into_list(mut self) -> Vec<Finding> {
        let counted = [(Severity::Error, self.errors), (Severity::Warning, self.others)];
        for (severity, count) in counted.into_iter().filter(|(_, count)| *count > MAX) {
            let message = format!("and {} more of this kind", count - MAX);
            self.list.push(Finding::new(severity, "", message, ""));
        }
        self.list
    }
}
