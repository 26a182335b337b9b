//! Messages in a compiler's style.

use super::Place;
use crate::argo::Severity;
use alloc::{string::String, sync::Arc, vec::Vec};
use core::fmt;

/// Something to say about a text: where, what, and what to write instead.
///
/// Its text form shows the line with a marker under it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The name under which the text was read.
    pub file: Arc<str>,
    /// Where it stands.
    pub place: Place,
    /// The line, or a part of a very long one, and at which column (from 1) that begins.
    pub excerpt: (String, u32),
    /// The path in the document; empty when it is about the text itself.
    pub path: String,
    /// What is wrong.
    pub what: String,
    /// What to write instead; may be empty.
    pub instead: String,
}

/// A text, and where its lines begin.
#[derive(Debug)]
pub(super) struct Lines {
    name: Arc<str>,
    text: String,
    starts: Vec<usize>,
}

/// So much of a line is shown, and so much of it in front of the place.
const SHOWN: usize = 120;
const IN_FRONT: usize = 60;

impl Lines {
    pub(super) fn new(name: &str, text: &str) -> Self {
        let text = if text.len() > super::MAX_BYTES { "" } else { text };
        let starts = core::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { name: name.into(), text: text.into(), starts }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn diagnostic(
        &self,
        severity: Severity,
        place: Place,
        path: &str,
        what: &str,
        instead: &str,
    ) -> Diagnostic {
        Diagnostic {
            severity,
            file: self.name.clone(),
            place,
            excerpt: self.excerpt(place),
            path: path.into(),
            what: what.into(),
            instead: instead.into(),
        }
    }

    fn excerpt(&self, place: Place) -> (String, u32) {
        let index = usize::try_from(place.line).unwrap_or(usize::MAX).saturating_sub(1);
        let start = self.starts.get(index).copied().unwrap_or(self.text.len());
        let line = self.text.get(start..).unwrap_or_default();
        let line = line.split('\n').next().unwrap_or_default().trim_end_matches('\r');
        let column = usize::try_from(place.column).unwrap_or(usize::MAX).saturating_sub(1);
        let skipped = if column > SHOWN - IN_FRONT { column - IN_FRONT } else { 0 };
        let shown = line.chars().skip(skipped).take(SHOWN);
        let shown = shown.map(|c| if c.is_control() { ' ' } else { c }).collect();
        (shown, u32::try_from(skipped + 1).unwrap_or(1))
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { line, column, width } = self.place;
        let (text, from) = &self.excerpt;
        let number = alloc::format!("{line}");
        let blank = number.len();
        writeln!(f, "{}: {}", self.severity, self.what)?;
        writeln!(f, "{:blank$}--> {}:{line}:{column}", "", self.file)?;
        if !text.is_empty() {
            let at = usize::try_from(column.saturating_sub(*from)).unwrap_or(0);
            let left = text.chars().count().saturating_sub(at);
            let width = usize::try_from(width).unwrap_or(1).min(left).max(1);
            writeln!(f, "{:blank$} |\n{number} | {text}\n{:blank$} | {:at$}{:^^width$}", "", "", "", "")?;
        }
        if !self.path.is_empty() {
            writeln!(f, "{:blank$} = at {}", "", self.path)?;
        }
        if !self.instead.is_empty() {
            writeln!(f, "{:blank$} = {}", "", self.instead)?;
        }
        Ok(())
    }
}
