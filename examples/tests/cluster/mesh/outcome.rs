use crate::bed::Answers;
use std::{fmt::Write as _, fs};

/// So many lines about failures are shown.
const SHOWN: usize = 24;

/// What came of a run.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Requests that were to be sent.
    pub(crate) requests: u64,
    /// Those without a pod's answer.
    pub(crate) failed: u64,
    /// Of these, those that had no answer in time, or were not sent: the machine may be too busy.
    pub(crate) late: u64,
    /// Requests that an Envoy tried again.
    pub(crate) retries: u64,
    /// Answers of 503 that an Envoy met or gave.
    pub(crate) answers_503: u64,
    /// How long it took, in seconds.
    pub(crate) seconds: u64,
    /// What was counted, for a reader.
    pub(crate) counted: String,
    /// What was not as it should be, failed requests aside.
    pub(crate) problems: Vec<String>,
    /// Failures by second and cause.
    pub(crate) details: String,
}

impl Outcome {
    /// Above the lines.
    pub(crate) const HEAD: &str = "\
| run | requests | failed | of these late | Envoys' retries | 503 | seconds | load average | counted |
|---|---|---|---|---|---|---|---|---|";

    /// As a line of the table; with the machine's load as it is now.
    pub(crate) fn line(&self, name: &str) -> String {
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().unwrap_or_default();
        let Self { requests, failed, late, retries, answers_503, seconds, counted, problems, .. } = self;
        let problems = problems.join("; ");
        let counted = if problems.is_empty() { counted } else { &problems };
        format!(
            "| {name} | {requests} | {failed} | {late} | {retries} | {answers_503} | {seconds} | {load} | {counted} |"
        )
    }

    /// The last line of the table: the sum of all.
    pub(crate) fn total<'o>(all: impl Iterator<Item = &'o Self>) -> String {
        let (mut requests, mut failed, mut late, mut runs) = (0, 0, 0, 0);
        for outcome in all {
            runs += 1;
            requests += outcome.requests;
            failed += outcome.failed;
            late += outcome.late;
        }
        format!("| all {runs} runs | {requests} | {failed} | {late} | | | | | |")
    }

    /// Takes in what came back.
    pub(crate) fn add(&mut self, answers: &Answers) {
        self.requests += answers.requests();
        self.failed += answers.failed();
        self.late += answers.late();
        self.retries += answers.envoys("retries");
        self.answers_503 += answers.envoys("answers_503");
        if answers.failed() > 0 {
            for line in answers.to_string().lines().take(SHOWN) {
                let _ = writeln!(self.details, "{line}");
            }
        }
    }

    /// Notes it when something is not as it should be.
    pub(crate) fn expect(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.problems.push(otherwise());
        }
    }

    /// No request failed, and everything was as it should be.
    pub(crate) fn is_good(&self) -> bool {
        self.failed == 0 && self.problems.is_empty()
    }

    /// The same, for a test.
    pub(crate) fn assert_good(&self, name: &str) {
        println!("{}\n{}", Self::HEAD, self.line(name));
        assert!(self.is_good(), "{}\n{}", self.problems.join("\n"), self.details);
    }
}
