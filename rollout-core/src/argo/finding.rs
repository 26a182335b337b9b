use super::reader::subject;
use alloc::{format, string::String, vec::Vec};
use core::fmt;

/// Something to say about a manifest: where, what, and what to write instead.
///
/// ```
/// use rollout_core::argo::check;
/// let report = check(&serde_json::json!({"spec": {"strategy": {"canary": {"steps": [{"setWeight": 101}]}}}}));
/// let error = report.errors().find(|error| error.path.ends_with("setWeight")).unwrap();
/// assert_eq!(error.path, "spec.strategy.canary.steps[0].setWeight");
/// assert_eq!(error.message, "SetWeight needs to be between 0 and 100");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Whether it is wrong, odd, or only not driven.
    pub severity: Severity,
    /// Where: fields with dots, list items in brackets. A key that is no plain name is in brackets, too.
    pub path: String,
    /// What is wrong. Where Argo Rollouts has a message for it, it is that one.
    pub message: String,
    /// What to write instead; may be empty.
    pub instead: String,
    /// Whether the field's name is meant and not its value.
    pub(crate) names_key: bool,
    /// Whether the message is one of Argo Rollouts' own.
    pub(crate) quotes: bool,
    /// Whether it is a field of the language in a place where it means nothing.
    pub(crate) misplaced: bool,
    /// Where it stands, when clients know the error under a path that is not in the manifest.
    pub(crate) stands_at: Option<String>,
}

/// How bad a [`Finding`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Severity {
    /// The language does not allow it.
    Error,
    /// The language allows it, and it is most likely a mistake.
    Warning,
    /// The language allows it, and this engine does not drive it yet.
    NotDriven,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::NotDriven => "not driven",
        })
    }
}

impl Finding {
    pub(crate) fn new(
        severity: Severity,
        path: impl Into<String>,
        message: impl Into<String>,
        instead: impl Into<String>,
    ) -> Self {
        Self {
            severity,
            path: path.into(),
            message: message.into(),
            instead: instead.into(),
            names_key: false,
            quotes: false,
            misplaced: false,
            stands_at: None,
        }
    }

    /// What to say first to a person: what to write. `None` where the message is our own and says it already.
    ///
    /// ```
    /// use rollout_core::argo::check;
    /// let report = check(&serde_json::json!({"spec": {"strategy": {"canary": {"steps": [{"setWeight": 101}]}}}}));
    /// let error = report.errors().find(|error| error.path.ends_with("setWeight")).unwrap();
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
    pub fn place(&self) -> &str {
        self.stands_at.as_deref().unwrap_or(&self.path)
    }
}

/// `path: message; instead`
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colon = if self.path.is_empty() { "" } else { ": " };
        write!(f, "{}{colon}{}", self.path, self.message)?;
        if !self.instead.is_empty() {
            write!(f, "; {}", self.instead)?;
        }
        Ok(())
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
