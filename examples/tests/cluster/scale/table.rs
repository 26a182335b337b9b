//! What was measured, as a table with a column for each run.

use std::{fmt::Write as _, time::Duration};

/// What was measured in one run, in order: what it is, and how much.
#[derive(Debug, Default, Clone)]
pub(super) struct Measured(Vec<(String, String)>);

impl Measured {
    pub(super) fn add(&mut self, what: &str, much: String) {
        self.0.push((what.to_owned(), much));
    }

    /// How long steps took to settle, sorted.
    pub(super) fn settled(&mut self, sorted: &[Duration]) {
        for (what, percent) in [("median", 50), ("95 %", 95)] {
            let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
            let much = sorted.get(at).map_or("–".to_owned(), |much| format!("{:.2}", much.as_secs_f64()));
            self.add(&format!("s from a weight's write to the end of its step, {what}"), much);
        }
    }

    fn much(&self, what: &str) -> &str {
        self.0.iter().find(|(is, _)| is == what).map_or("–", |(_, much)| much)
    }
}

/// A line for everything that was measured in any of the runs.
pub(super) fn of(runs: &[(String, Measured)]) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for (what, _) in runs.iter().flat_map(|(_, measured)| &measured.0) {
        if !lines.contains(&what.as_str()) {
            lines.push(what);
        }
    }
    let names: Vec<&str> = runs.iter().map(|(name, _)| name.as_str()).collect();
    let mut table = format!("| | {} |\n|---|{}\n", names.join(" | "), "---|".repeat(runs.len()));
    for what in lines {
        let cells: Vec<&str> = runs.iter().map(|(_, measured)| measured.much(what)).collect();
        let _ = writeln!(table, "| {what} | {} |", cells.join(" | "));
    }
    table
}
