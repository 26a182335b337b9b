//! Everything that is to be said about the input, the worst first.

use rollout_core::argo::{Diagnostic, Severity};
use std::{collections::BTreeSet, sync::Arc};

/// How many are shown of each severity; the rest are counted. Nobody reads more, and each quotes its place.
const MOST_SHOWN: usize = 100;

/// What was found in the input.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    located: Vec<Diagnostic>,
    /// What those in `located` say and where, so that each is said once.
    said: BTreeSet<(Arc<str>, u32, u32, String, String)>,
    /// Of each severity, by its rank, also those that are not shown.
    counts: [usize; 3],
    /// What is about no place in a text.
    plain: Vec<String>,
    /// Warnings about no place in a text.
    odd: Vec<String>,
}

impl Findings {
    /// Something about a place in a text.
    pub(crate) fn located(&mut self, diagnostic: Diagnostic) {
        let Some(count) = self.counts.get_mut(rank(diagnostic.severity)) else { return };
        if *count >= MOST_SHOWN {
            *count += 1;
            return;
        }
        let place = &diagnostic.place;
        let (path, what) = (diagnostic.path.clone(), diagnostic.what.clone());
        let said = (diagnostic.file.clone(), place.line, place.column, path, what);
        if self.said.insert(said) {
            *count += 1;
            self.located.push(diagnostic);
        }
    }

    /// An error about no place in a text.
    pub(crate) fn plain(&mut self, error: impl Into<String>) {
        let error = error.into();
        if !self.plain.contains(&error) {
            self.plain.push(error);
        }
    }

    /// A warning about no place in a text.
    pub(crate) fn odd(&mut self, warning: impl Into<String>) {
        let warning = warning.into();
        if !self.odd.contains(&warning) {
            self.odd.push(warning);
        }
    }

    /// Whether the input cannot be played.
    pub(crate) fn refuse(&self) -> bool {
        !self.plain.is_empty() || self.count(Severity::Error) + self.count(Severity::NotDriven) > 0
    }

    /// All of them, and how many.
    pub(crate) fn render(&self) -> String {
        let mut sorted: Vec<&Diagnostic> = self.located.iter().collect();
        sorted.sort_by_key(|diagnostic| rank(diagnostic.severity));
        let mut text = String::new();
        for error in &self.plain {
            text += &format!("error: {error}\n\n");
        }
        for diagnostic in sorted {
            text += &format!("{diagnostic}\n");
        }
        for warning in &self.odd {
            text += &format!("warning: {warning}\n\n");
        }
        let hidden: usize = self.counts.iter().map(|count| count.saturating_sub(MOST_SHOWN)).sum();
        if hidden > 0 {
            text += &format!("… and {hidden} more, which are not shown\n\n");
        }
        let counts = [
            (self.count(Severity::Error) + self.plain.len(), "error", "errors"),
            (self.count(Severity::NotDriven), "not driven yet", "not driven yet"),
            (self.count(Severity::Warning) + self.odd.len(), "warning", "warnings"),
        ];
        let said: Vec<String> = counts
            .iter()
            .filter(|(count, ..)| *count > 0)
            .map(|(count, one, many)| format!("{count} {}", if *count == 1 { one } else { many }))
            .collect();
        if !said.is_empty() {
            text += &said.join(", ");
            text.push('\n');
        }
        text
    }

    fn count(&self, severity: Severity) -> usize {
        self.counts.get(rank(severity)).copied().unwrap_or(0)
    }
}

fn rank(severity: Severity) -> usize {
    match severity {
        Severity::Error => 0,
        Severity::NotDriven => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollout_core::argo::read;

    #[test]
    fn the_worst_first_each_once_and_counted() {
        let document = read("spec:\n  replicas: 5\n", "demo.yaml").documents.remove(0);
        let mut findings = Findings::default();
        assert!(!findings.refuse() && findings.render().is_empty());
        let say = |severity, what: &str| document.diagnostic(severity, "spec.replicas", what, "write 1");
        findings.located(say(Severity::Warning, "odd"));
        assert!(!findings.refuse());
        findings.located(say(Severity::NotDriven, "later"));
        findings.located(say(Severity::Error, "wrong"));
        findings.located(say(Severity::Error, "wrong"));
        findings.plain("no manifest");
        assert!(findings.refuse());
        let text = findings.render();
        let at = |what: &str| text.find(what).unwrap();
        assert!(at("no manifest") < at("wrong") && at("wrong") < at("later") && at("later") < at("odd"));
        assert!(text.ends_with("\n2 errors, 1 not driven yet, 1 warning\n"), "{text}");
    }
}
