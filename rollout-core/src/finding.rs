//! What is wrong somewhere: one shape for manifests, texts and objects.

use crate::Escaped;
use alloc::{boxed::Box, string::String, sync::Arc};
use core::fmt;

/// Something to say about a manifest, a text or an object: where, what, and what to write instead.
///
/// ```
/// use rollout_core::Finding;
/// let finding = Finding::error("spec.http", "is no list of routes", "write a list");
/// assert_eq!(finding.to_string(), "spec.http: is no list of routes; write a list");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Whether it is wrong, odd, or only not driven.
    pub severity: Severity,
    /// Where: fields with dots, list items in brackets. A key that is no plain name is in brackets, too. Empty when it
    /// is about the whole.
    pub path: String,
    /// What is wrong. Where Argo Rollouts has a message for it, it is that one, unless the `reference` has it.
    pub what: String,
    /// What to write instead; may be empty.
    pub instead: String,
    /// Where it stands in a text, if it was found in one.
    pub located: Option<Box<Located>>,
    /// Whether the field's name is meant and not its value.
    pub(crate) names_key: bool,
    /// Whether the message is one of Argo Rollouts' own.
    pub(crate) quotes: bool,
    /// Whether it is a field of the language in a place where it means nothing.
    pub(crate) misplaced: bool,
    /// Where it stands, when clients know the error under a path that is not in the manifest.
    pub(crate) stands_at: Option<Box<str>>,
}

/// How bad a [`Finding`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Severity {
    /// It is not allowed.
    Error,
    /// It is allowed, and most likely a mistake.
    Warning,
    /// The language of canary manifests allows it, and this engine does not drive it yet.
    NotDriven,
}

/// Where a [`Finding`] stands in a text: what it takes to show the line with a marker under it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Located {
    /// The name under which the text was read.
    pub file: Arc<str>,
    /// Where in the text.
    pub place: Place,
    /// The line, or a part of a very long one, and at which column (from 1) that begins.
    pub excerpt: (String, u32),
    /// What Argo Rollouts says about it, where the finding says it in other words; may be empty.
    pub reference: String,
}

/// Where something stands in a text: line and column from 1, counted in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Place {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
    /// How many characters it is long on that line, at least 1.
    pub width: u32,
    /// The byte at which it begins.
    pub(crate) offset: u32,
}

impl Finding {
    /// Says something about what stands at `path`. `what` and `instead` may be any texts: nothing is cut or escaped.
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

    /// Says what is wrong at `path`.
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

/// `path: what; instead`, and of one that stands in a text, `severity: file:line:column: what; instead`, where what
/// would change how the line is shown is escaped.
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
            Self::NotDriven => "not driven",
        })
    }
}
