use crate::argo::{Finding, Findings, Severity, path::subject};
use alloc::{format, string::String};
use core::fmt::Display;

/// The findings of the rules.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) findings: Findings,
}

impl Notes {
    pub(super) fn error(
        &mut self,
        path: impl Into<String>,
        what: impl Into<String>,
        instead: impl Into<String>,
    ) {
        let finding = Finding::new(Severity::Error, path, what, instead);
        self.findings.push(Finding { quotes: true, ..finding });
    }

    /// Adds an error in the engine's own words, for which Argo Rollouts has no message.
    pub(super) fn ours(
        &mut self,
        path: impl Into<String>,
        what: impl Into<String>,
        instead: impl Into<String>,
    ) {
        self.findings.push(Finding::new(Severity::Error, path, what, instead));
    }

    /// Adds an error under the path that clients know, which differs from the place of the mistake.
    pub(super) fn error_at(
        &mut self,
        place: impl Into<String>,
        path: impl Into<String>,
        what: impl Into<String>,
        instead: impl Into<String>,
    ) {
        let finding = Finding::new(Severity::Error, path, what, instead);
        self.findings.push(Finding {
            quotes: true,
            stands_at: Some(place.into().into_boxed_str()),
            ..finding
        });
    }

    /// Adds a warning; `what` continues the name of the field at `path`.
    pub(super) fn warning(
        &mut self,
        path: impl Into<String>,
        what: impl Display,
        instead: impl Into<String>,
    ) {
        let path = path.into();
        let what = format!("{} {what}", subject(&path));
        self.findings.push(Finding::new(Severity::Warning, path, what, instead));
    }
}
