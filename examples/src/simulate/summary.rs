//! The last lines: how it ended, in figures.

use super::{args::Expect, duration, happening::Rest, traffic::Answers};
use rollout_core::sim::Summary;

/// One Rollout.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) rest: Rest,
    pub(crate) summary: Summary,
    /// How the drawn requests ended, if any were.
    pub(crate) answers: Option<Answers>,
    /// How it is to end, if anybody asks.
    pub(crate) expect: Option<Expect>,
}

impl Line {
    /// Whether it ended as it was to.
    pub(crate) fn as_expected(&self) -> bool {
        match self.expect {
            None => true,
            Some(Expect::Healthy) => matches!(self.rest, Rest::Healthy | Rest::ScaledToZero),
            Some(Expect::Paused) => matches!(self.rest, Rest::Paused | Rest::HeldAtZero),
            Some(Expect::Aborted) => self.rest == Rest::Aborted,
        }
    }
}

/// As a table.
pub(crate) fn text(lines: &[Line]) -> String {
    let width = lines.iter().map(|line| line.name.chars().count()).max().unwrap_or(0).max("SUMMARY".len());
    let mut text = format!(
        "{:<width$}  {:<10}  {:>8}  {:>9}  {:>6}  {:>7}  {:>4}  {:>9}  {:>6}  {:>10}\n",
        "SUMMARY",
        "ends",
        "took",
        "decisions",
        "writes",
        "status",
        "pods",
        "selectors",
        "routes",
        "deliveries"
    );
    for Line { name, rest, summary, .. } in lines {
        text += &format!(
            "{name:<width$}  {:<10}  {:>8}  {:>9}  {:>6}  {:>7}  {:>4}  {:>9}  {:>6}  {:>10}\n",
            rest.word(),
            duration::show(summary.took),
            summary.decisions,
            summary.writes(),
            summary.stores,
            summary.workload_writes,
            summary.selects,
            summary.routes,
            summary.deliveries,
        );
    }
    text.push('\n');
    for line in lines {
        text += &format!(
            "{}: {} of 1000 requests met no ready pod, judged by every proxy's own copy\n",
            line.name,
            line.summary.requests.per_thousand()
        );
    }
    for (line, answers) in lines.iter().filter_map(|line| Some((line, line.answers.as_ref()?))) {
        text += &format!("{}: {answers}\n", line.name);
    }
    for line in lines.iter().filter(|line| !line.as_expected()) {
        let wanted = line.expect.map_or("", Expect::word);
        text += &format!("{}: was to end {wanted}, ended {}\n", line.name, line.rest.word());
    }
    text
}
