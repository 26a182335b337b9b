use crate::argo::{Finding, Findings, Severity, reader::subject};
use alloc::{format, string::String};
use core::fmt::Display;

/// What the rules found.
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

    /// An error in words of our own: Argo Rollouts has none for it.
    pub(super) fn ours(
        &mut self,
        path: impl Into<String>,
        what: impl Into<String>,
        instead: impl Into<String>,
    ) {
        self.findings.push(Finding::new(Severity::Error, path, what, instead));
    }

    /// An error under a path that clients know, and which is not where the mistake stands.
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

    /// A warning; `what` goes on after the name of what stands at `path`.
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
