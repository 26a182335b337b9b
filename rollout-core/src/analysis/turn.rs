//! The order of work of one look at a run.

use super::{
    Phase, RunSpec,
    assess::{Answer, Ask, assess, record},
    due::is_terminating,
    status::RunStatus,
};
use crate::Time;
use alloc::vec::Vec;

/// How often one turn may ask. A run that ends asks again, to end the measurements that still run.
const ROUNDS: u8 = 3;

/// One turn of a run: it gives the order of work, and does none of it.
///
/// ```
/// use rollout_core::{Time, analysis::{Answer, Phase, RunNext, RunSpec, RunStatus, RunTurn, Value}};
/// use serde_json::json;
/// let spec = RunSpec::read(&json!({"metrics": [{
///     "name": "errors", "successCondition": "result[0] < 0.05", "provider": {"prometheus": {}},
/// }]}));
/// let stored = RunStatus::default();
/// let mut turn = RunTurn::begin(&spec, &stored, Time::from_secs(0));
/// loop {
///     match turn.next() {
///         RunNext::Ask(asks) => {
///             let answer = |ask| (ask, Answer::Value(Value::Numbers(vec![0.01])));
///             turn.answered(&asks.into_iter().map(answer).collect::<Vec<_>>());
///         }
///         RunNext::Store(status) => assert_eq!(status.phase, Phase::Successful), // By compare-and-swap.
///         RunNext::Done { wake } => break assert_eq!(wake, None, "the run is over"),
///     }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct RunTurn<'a> {
    spec: &'a RunSpec,
    stored: &'a RunStatus,
    status: RunStatus,
    now: Time,
    rounds: u8,
    wake: Option<Time>,
    at: At,
}

/// What to do next.
///
/// See [`RunTurn`] for an example.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a loop that cannot do something must not compile")]
pub enum RunNext {
    /// Ask all of this at once, and hand the answers to [`RunTurn::answered`].
    Ask(Vec<Ask>),
    /// Store the status by compare-and-swap. If that fails, drop the turn: nothing that was answered counts.
    Store(RunStatus),
    /// The turn is over.
    Done {
        /// When the next one begins, if nothing changes earlier.
        wake: Option<Time>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Look,
    Answers,
    End,
}

impl<'a> RunTurn<'a> {
    /// Begins a turn on the stored status.
    ///
    /// See [`RunTurn`] for an example.
    #[must_use]
    pub fn begin(spec: &'a RunSpec, stored: &'a RunStatus, now: Time) -> Self {
        Self { spec, stored, status: stored.clone(), now, rounds: 0, wake: None, at: At::Look }
    }

    /// Returns what to do next.
    ///
    /// See [`RunTurn`] for an example.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "as `Turn::next`: the answers come in between")]
    pub fn next(&mut self) -> RunNext {
        if self.at == At::Look {
            let plan = assess(self.spec, &self.status, self.now);
            self.status = plan.status;
            let again = self.rounds == 0 || is_terminating(self.spec, &self.status);
            if !plan.ask.is_empty() && again && self.rounds < ROUNDS {
                self.at = At::Answers;
                return RunNext::Ask(plan.ask);
            }
            self.wake = if plan.ask.is_empty() { plan.wake } else { Some(self.now) };
            if self.status.phase == Phase::Running && is_terminating(self.spec, &self.status) {
                self.wake = Some(self.now);
            }
            self.at = At::End;
            if self.status != *self.stored {
                return RunNext::Store(self.status.clone());
            }
        }
        RunNext::Done { wake: self.wake }
    }

    /// Puts the answers in. Questions without an answer are asked again in a later turn.
    ///
    /// See [`RunTurn`] for an example.
    pub fn answered(&mut self, answers: &[(Ask, Answer)]) {
        if self.at == At::Answers {
            self.status = record(self.spec, &self.status, answers, self.now);
            self.rounds = self.rounds.saturating_add(1);
            self.at = At::Look;
        }
    }
}
