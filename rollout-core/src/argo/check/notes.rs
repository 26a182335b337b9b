use crate::argo::{Finding, Findings, Severity};
use alloc::string::String;

/// What the rules found.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) findings: Findings,
}

impl Notes {
    pub(super) fn error(
        &mut self,
        path: impl Into<String>,
        message: impl Into<String>,
        instead: impl Into<String>,
    ) {
        self.findings.push(Finding::new(Severity::Error, path, message, instead));
    }

    /// An error under a path that clients know, and which is not where the mistake stands.
    pub(super) fn error_at(
        &mut self,
        place: impl Into<String>,
        path: impl Into<String>,
        message: impl Into<String>,
        instead: impl Into<String>,
    ) {
        let finding = Finding::new(Severity::Error, path, message, instead);
        self.findings.push(Finding { stands_at: Some(place.into()), ..finding });
    }

    pub(super) fn warning(
        &mut self,
        path: impl Into<String>,
        message: impl Into<String>,
        instead: impl Into<String>,
    ) {
        self.findings.push(Finding::new(Severity::Warning, path, message, instead));
    }
}
