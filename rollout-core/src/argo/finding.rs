use super::path::subject;
use crate::{Finding, Severity};
use alloc::{format, string::String, vec::Vec};

impl Finding {
    /// Returns what to write, as the first thing to show to people. `None` if the message is the engine's own and
    /// includes it.
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

    /// Returns whether the finding is about a field that does not exist at this place.
    ///
    /// ```
    /// use rollout_core::argo::check;
    /// use serde_json::json;
    /// let report = check(&json!({"spec": {"strategy": {"canary": {"setps": []}}}}));
    /// let typo = report.findings.iter().find(|finding| finding.path.ends_with("setps")).unwrap();
    /// assert!(typo.is_unknown_field() && !typo.is_misplaced());
    /// ```
    #[must_use]
    pub fn is_unknown_field(&self) -> bool {
        self.names_key
    }

    /// Returns whether the finding is about a canary field in a place where it has no effect. Its value would be lost
    /// silently, so readers of manifests should refuse it.
    ///
    /// ```
    /// use rollout_core::argo::check;
    /// use serde_json::json;
    /// let report = check(&json!({"spec": {"canaryService": "web-canary", "strategy": {"canary": {}}}}));
    /// let lost = report.findings.iter().find(|finding| finding.path == "spec.canaryService").unwrap();
    /// assert!(lost.is_misplaced(), "it belongs into `strategy.canary`");
    /// ```
    #[must_use]
    pub fn is_misplaced(&self) -> bool {
        self.misplaced
    }

    /// Returns the place in the manifest. It is the path, except for a few errors that clients know under another path.
    ///
    /// See [`Document::locate`](crate::argo::Document::locate), which looks for this place in a text.
    #[must_use]
    pub fn stands_at(&self) -> &str {
        self.stands_at.as_deref().unwrap_or(&self.path)
    }

    /// Creates a finding about a valid setting at `path` that the engine does not support yet; `what` describes it.
    pub(crate) fn not_driven(path: impl Into<String>, what: &str) -> Self {
        let what = format!("{what} is not supported yet");
        Self { names_key: true, ..Self::new(Severity::NotDriven, path, what, "") }
    }

    /// Creates a finding about an unsupported setting without which a release is just as safe.
    pub(crate) fn ignored(path: impl Into<String>, what: &str) -> Self {
        Self { names_key: true, ..Self::new(Severity::Warning, path, what, "") }
    }
}

/// A bounded list of findings: for each severity, those beyond the limit are only counted.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    list: Vec<Finding>,
    errors: usize,
    others: usize,
}

/// The maximum number of errors, and of warnings; more are only counted.
const MAX: usize = 500;

impl Findings {
    /// Returns whether another finding of this severity would be listed.
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

    /// Counts a finding without creating it.
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
