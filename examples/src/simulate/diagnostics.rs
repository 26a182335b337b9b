//! Everything that is to be said about the input, the worst first.

use super::snippet;
use annotate_snippets::Level;
use rollout_core::{Finding, Severity};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// How many are shown of each severity; the rest are counted. Nobody reads more, and each quotes its place.
const MOST_SHOWN: usize = 100;

/// How many kinds and files are named of what was passed over.
const MOST_NAMED: usize = 12;

/// What was found in the input.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    located: Vec<Finding>,
    /// What those in `located` say and where, so that each is said once.
    said: BTreeSet<(Arc<str>, u32, u32, String, String)>,
    /// Of each severity, by its rank, also those that are not shown.
    counts: [usize; 3],
    /// What is about no place in a text.
    plain: Vec<Finding>,
    /// Warnings about no place in a text.
    odd: Vec<Finding>,
    /// What must be done with something before it can be read.
    next: Vec<Finding>,
    /// What was not read, as it holds nothing of a canary, and how often.
    passed: BTreeMap<String, usize>,
}

impl Findings {
    /// Something about a place in a text.
    pub(crate) fn located(&mut self, finding: Finding) {
        let Some(count) = self.counts.get_mut(rank(finding.severity)) else { return };
        if *count >= MOST_SHOWN {
            *count += 1;
            return;
        }
        let (path, what) = (finding.path.clone(), finding.what.clone());
        let (file, line, column) = place(&finding);
        if self.said.insert((file, line, column, path, what)) {
            *count += 1;
            self.located.push(finding);
        }
    }

    /// Whether an error of this file is about what holds this path already.
    pub(crate) fn covers(&self, file: &str, path: &str) -> bool {
        self.located.iter().any(|known| {
            let below = path.strip_prefix(known.path.as_str()).filter(|_| !known.path.is_empty());
            let is_of_file = known.located.as_ref().is_some_and(|located| &*located.file == file);
            known.severity == Severity::Error && is_of_file && below.is_some()
        })
    }

    /// Whether there is an error at the same place already.
    pub(crate) fn marks(&self, other: &Finding) -> bool {
        self.located.iter().any(|known| known.severity == Severity::Error && place(known) == place(other))
    }

    /// An error about no place in a text.
    pub(crate) fn plain(&mut self, error: impl Into<String>) {
        self.wrong(error, "");
    }

    /// An error about no place in a text, and what to write instead.
    pub(crate) fn wrong(&mut self, error: impl Into<String>, instead: impl Into<String>) {
        push(&mut self.plain, Finding::error("", error, instead));
    }

    /// A warning about no place in a text.
    pub(crate) fn odd(&mut self, warning: impl Into<String>) {
        push(&mut self.odd, Finding::new(Severity::Warning, "", warning, ""));
    }

    /// Something that cannot be read as it stands, and what to do: an error when there is nothing else.
    pub(crate) fn next_step(&mut self, what: impl Into<String>, instead: impl Into<String>) {
        push(&mut self.next, Finding::error("", what, instead));
    }

    /// Whether something could not be read as it stands.
    pub(crate) fn has_next_step(&self) -> bool {
        !self.next.is_empty()
    }

    /// There is nothing to be played but what could not be read.
    pub(crate) fn nothing_else(&mut self) {
        self.plain.append(&mut self.next);
    }

    /// Something that holds nothing of a canary: a kind, or a file.
    pub(crate) fn passed_over(&mut self, what: &str) {
        *self.passed.entry(what.to_owned()).or_default() += 1;
    }

    /// Whether the input cannot be played.
    pub(crate) fn refuse(&self) -> bool {
        !self.plain.is_empty() || self.count(Severity::Error) + self.count(Severity::NotDriven) > 0
    }

    /// All of them, and how many; with colours.
    pub(crate) fn render(&self) -> String {
        let mut text = String::new();
        for Finding { what, instead, .. } in &self.plain {
            text += &snippet::of_no_place(Level::ERROR, what, instead);
        }
        for finding in self.sorted() {
            text += &snippet::of(finding);
        }
        for Finding { what, instead, .. } in &self.odd {
            text += &snippet::of_no_place(Level::WARNING, what, instead);
        }
        for Finding { what, instead, .. } in self.next.iter().take(MOST_NAMED) {
            text += &snippet::of_no_place(Level::NOTE, what, instead);
        }
        if let Some(passed) = self.passed() {
            text += &snippet::of_no_place(Level::NOTE, &passed, "");
        }
        let hidden: usize = self.counts.iter().map(|count| count.saturating_sub(MOST_SHOWN)).sum();
        if hidden > 0 {
            text += &format!("… and {hidden} more, which are not shown\n\n");
        }
        let counts = [
            (self.count(Severity::Error) + self.plain.len(), "error", "errors"),
            (self.count(Severity::NotDriven), "not supported yet", "not supported yet"),
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

    /// All of them for a machine: one value each.
    pub(crate) fn values(&self) -> Vec<serde_json::Value> {
        let plain = |severity: &'static str, list: &[Finding]| -> Vec<serde_json::Value> {
            list.iter()
                .map(|plain| super::json::finding(severity, None, &plain.what, &plain.instead))
                .collect()
        };
        let located = self.sorted().into_iter().map(|found| {
            super::json::finding(word(found.severity), Some(found), &found.what, &found.instead)
        });
        let mut values = plain("error", &self.plain);
        values.extend(located);
        values.extend(plain("warning", &self.odd));
        values.extend(plain("note", &self.next));
        values.extend(self.passed().map(|passed| super::json::finding("note", None, &passed, "")));
        values
    }

    fn sorted(&self) -> Vec<&Finding> {
        let mut sorted: Vec<&Finding> = self.located.iter().collect();
        sorted.sort_by_key(|finding| rank(finding.severity));
        sorted
    }

    fn passed(&self) -> Option<String> {
        if self.passed.is_empty() {
            return None;
        }
        let named = self.passed.iter().take(MOST_NAMED);
        let mut named: Vec<String> = named
            .map(|(what, count)| if *count == 1 { what.clone() } else { format!("{count} {what}") })
            .collect();
        let more = self.passed.len().saturating_sub(MOST_NAMED);
        if more > 0 {
            named.push(format!("and {more} more"));
        }
        Some(format!("passed over: {}", named.join(", ")))
    }

    fn count(&self, severity: Severity) -> usize {
        self.counts.get(rank(severity)).copied().unwrap_or(0)
    }
}

fn push(list: &mut Vec<Finding>, plain: Finding) {
    if list.len() < MOST_SHOWN && !list.contains(&plain) {
        list.push(plain);
    }
}

/// File, line and column.
fn place(finding: &Finding) -> (Arc<str>, u32, u32) {
    let located = finding.located.as_deref();
    located.map_or((Arc::default(), 0, 0), |at| (at.file.clone(), at.place.line, at.place.column))
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::NotDriven => "not-driven",
        _ => "warning",
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

    fn plain(findings: &Findings) -> String {
        anstream::adapter::strip_str(&findings.render()).to_string()
    }

    #[test]
    fn the_worst_first_each_once_and_counted() {
        let document = read("spec:\n  replicas: 5\n", "demo.yaml").documents.remove(0);
        let mut findings = Findings::default();
        assert!(!findings.refuse() && findings.render().is_empty());
        let say = |severity, what: &str| document.finding(severity, "spec.replicas", what, "write 1");
        findings.located(say(Severity::Warning, "odd"));
        findings.passed_over("ConfigMap");
        findings.next_step("a template", "render it");
        assert!(!findings.refuse());
        findings.located(say(Severity::NotDriven, "later"));
        findings.located(say(Severity::Error, "wrong"));
        findings.located(say(Severity::Error, "wrong"));
        findings.plain("no manifest");
        assert!(findings.refuse());
        let text = plain(&findings);
        let at = |what: &str| text.find(what).unwrap();
        assert!(at("no manifest") < at("wrong") && at("wrong") < at("later") && at("later") < at("odd"));
        assert!(
            at("odd") < at("note: a template\n |\n = help: render it")
                && at("render it") < at("note: passed over: ConfigMap\n")
        );
        assert!(text.ends_with("\n2 errors, 1 not supported yet, 1 warning\n"), "{text}");
        assert_eq!(findings.values().len(), 6);
        findings.nothing_else();
        let text = plain(&findings);
        assert!(
            text.starts_with("error: no manifest\n\nerror: a template\n |\n = help: render it\n\n"),
            "{text}"
        );
    }
}
