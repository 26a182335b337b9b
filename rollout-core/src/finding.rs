//! Findings: one type of diagnostic for manifests, texts and objects.

use crate::Escaped;
use alloc::{boxed::Box, string::String, sync::Arc};
use core::fmt;

/// A diagnostic about a manifest, a text or an object: where, what is wrong, and what to write instead.
///
/// ```
/// use rollout_core::Finding;
/// let finding = Finding::error("spec.http", "is not a list of routes", "write a list");
/// assert_eq!(finding.to_string(), "spec.http: is not a list of routes; write a list");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The severity.
    pub severity: Severity,
    /// The path: fields separated by dots, list items and unusual keys in brackets. Empty if the finding is about the
    /// whole.
    pub path: String,
    /// What is wrong: the message of Argo Rollouts if it has one, unless [`Located::reference`] holds that message.
    pub what: String,
    /// What to write instead; may be empty.
    pub instead: String,
    /// The place in a text, if the finding was made in one.
    pub located: Option<Box<Located>>,
    /// Whether the finding is about the field's name and not its value.
    pub(crate) names_key: bool,
    /// Whether the message is quoted from Argo Rollouts.
    pub(crate) quotes: bool,
    /// Whether the field is a known one in a place where it has no effect.
    pub(crate) misplaced: bool,
    /// The path in the manifest, if clients know the error under a path that does not exist there.
    pub(crate) stands_at: Option<Box<str>>,
}

/// The severity of a [`Finding`].
///
/// ```
/// use rollout_core::Severity;
/// assert!(Severity::Error < Severity::Warning, "the worst comes first");
/// assert_eq!(Severity::NotDriven.to_string(), "unsupported");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Severity {
    /// Not allowed.
    Error,
    /// Allowed, but most likely a mistake.
    Warning,
    /// Valid in a canary manifest, but not yet supported by this engine.
    NotDriven,
}

/// The place of a [`Finding`] in a text, with what is needed to show the line with a marker under it.
///
/// ```
/// # #[cfg(feature = "yaml")] {
/// use rollout_core::{Finding, argo::read};
/// let document = read("spec:\n  replicas: 5\n", "web.yaml").documents.remove(0);
/// let found = document.locate(&Finding::error("spec.replicas", "is more than the quota", "write 4"));
/// let located = found.located.unwrap();
/// assert_eq!((&*located.file, located.place.line, located.place.column), ("web.yaml", 2, 13));
/// assert_eq!(located.excerpt, ("  replicas: 5".into(), 1), "the whole line: it begins at column 1");
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Located {
    /// The name of the text that was read.
    pub file: Arc<str>,
    /// The place in the text.
    pub place: Place,
    /// The line, or an excerpt of a very long one, and the column (from 1) at which that begins.
    pub excerpt: (String, u32),
    /// Argo Rollouts' own message, if the finding is worded differently; may be empty.
    pub reference: String,
}

/// A place in a text: line and column from 1, counted in characters.
///
/// See [`Located`] for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Place {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
    /// The number of characters on that line, at least 1.
    pub width: u32,
    /// The byte offset at which it begins.
    pub(crate) offset: u32,
}

impl Finding {
    /// Creates a finding at `path`. `what` and `instead` may be any texts: nothing is truncated or escaped.
    ///
    /// ```
    /// use rollout_core::{Finding, Severity};
    /// let finding = Finding::new(Severity::Warning, "", "nothing is there", "");
    /// assert_eq!(finding.to_string(), "nothing is there");
    /// ```
    pub fn new(
        severity: Severity,
        path: impl Into<String>,
        what: impl Into<String>,
        instead: impl Into<String>,
    ) -> Self {
        Self {
            severity,
            path: path.into(),
            what: what.into(),
            instead: instead.into(),
            located: None,
            names_key: false,
            quotes: false,
            misplaced: false,
            stands_at: None,
        }
    }

    /// Creates an error at `path`.
    ///
    /// ```
    /// use rollout_core::{Finding, Severity};
    /// let finding = Finding::error("spec.host", "the host is missing", "write the host that the routes name");
    /// assert_eq!(finding.severity, Severity::Error);
    /// ```
    pub fn error(path: impl Into<String>, what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self::new(Severity::Error, path, what, instead)
    }
}

/// Writes `path: what; instead`. A finding in a text is written as `severity: file:line:column: what; instead`, with
/// characters that would change how the line is displayed escaped.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Located { file, place: Place { line, column, .. }, .. }) = self.located.as_deref() {
            let (file, what) = (Escaped(file), Escaped(&self.what));
            write!(f, "{}: {file}:{line}:{column}: {what}", self.severity)?;
            return if self.instead.is_empty() { Ok(()) } else { write!(f, "; {}", Escaped(&self.instead)) };
        }
        let colon = if self.path.is_empty() { "" } else { ": " };
        write!(f, "{}{colon}{}", self.path, self.what)?;
        if self.instead.is_empty() { Ok(()) } else { write!(f, "; {}", self.instead) }
    }
}

impl core::error::Error for Finding {}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::NotDriven => "unsupported",
        })
    }
}
