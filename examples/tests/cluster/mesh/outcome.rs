use crate::bed::Answers;
use std::{fmt::Write as _, fs};

/// So many lines about failures are shown.
const SHOWN: usize = 24;

/// What came of a run.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Requests that were to be sent.
    pub(super) requests: u64,
    /// Those without a pod's answer.
    pub(super) failed: u64,
    /// Of these, those that had no answer in time, or were not sent: the machine may be too busy.
    pub(super) late: u64,
    /// Requests that an Envoy tried again.
    pub(super) retries: u64,
    /// Answers of 503 that an Envoy met or gave.
    pub(super) answers_503: u64,
    /// How long it took, in seconds.
    pub(super) seconds: u64,
    /// What was counted, for a reader.
    pub(super) counted: String,
    /// What was not as it should be, failed requests aside.
    pub(super) problems: Vec<String>,
    /// Failures by second and cause.
    pub(super) details: String,
}

impl Outcome {
    /// Above the lines.
    pub(super) const HEAD: &str = "\
| run | requests | failed | of these late | Envoys' retries | 503 | seconds | load average | counted |
|---|---|---|---|---|---|---|---|---|";

    /// As a line of the table; with the machine's load as it is now.
    pub(super) fn line(&self, name: &str) -> String {
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().unwrap_or_default();
        let Self { requests, failed, late, retries, answers_503, seconds, counted, problems, .. } = self;
        let problems = problems.join("; ");
        let counted = if problems.is_empty() { counted } else { &problems };
        format!(
            "| {name} | {requests} | {failed} | {late} | {retries} | {answers_503} | {seconds} | {load} | {counted} |"
        )
    }

    /// Takes in what came back.
    pub(super) fn add(&mut self, answers: &Answers) {
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
    pub(super) fn expect(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.problems.push(otherwise());
        }
    }

    /// No request failed, and everything was as it should be.
    pub(super) fn is_good(&self) -> bool {
        self.failed == 0 && self.problems.is_empty()
    }

    /// The same, for a test.
    pub(super) fn assert_good(&self, name: &str) {
        println!("{}\n{}", Self::HEAD, self.line(name));
        assert!(self.is_good(), "{}\n{}", self.problems.join("\n"), self.details);
    }
}
