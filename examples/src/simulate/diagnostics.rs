//! Everything that is to be said about the input, the worst first.

use rollout_core::argo::{Diagnostic, Severity};

/// What was found in the input.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    located: Vec<Diagnostic>,
    /// What is about no place in a text.
    plain: Vec<String>,
}

impl Findings {
    /// Something about a place in a text.
    pub(crate) fn located(&mut self, diagnostic: Diagnostic) {
        if !self.located.contains(&diagnostic) {
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

    /// Whether the input cannot be played.
    pub(crate) fn refuse(&self) -> bool {
        !self.plain.is_empty()
            || self.located.iter().any(|diagnostic| rank(diagnostic.severity) < rank(Severity::Warning))
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
        let count = |severity| self.located.iter().filter(|one| one.severity == severity).count();
        let counts = [
            (count(Severity::Error) + self.plain.len(), "error", "errors"),
            (count(Severity::NotDriven), "not driven yet", "not driven yet"),
            (count(Severity::Warning), "warning", "warnings"),
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
}

fn rank(severity: Severity) -> u8 {
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
