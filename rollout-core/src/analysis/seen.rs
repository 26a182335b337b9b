//! Runs as a rollout sees them.

use super::Phase;
use crate::{Revision, Time};
use alloc::{format, string::String, sync::Arc};
use core::fmt;
use serde::{Deserialize, Serialize};

/// What a run is for.
///
/// ```
/// use rollout_core::analysis::RunRole;
/// assert_eq!(RunRole::Step(2).to_string(), "step 3", "people count from 1");
/// assert_eq!(RunRole::Background.to_string(), "background");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "a run has exactly these roles")]
pub enum RunRole {
    /// The step with this index, from 0, waits for it.
    Step(u32),
    /// It runs beside the steps.
    Background,
}

impl RunRole {
    /// Returns where its analysis is in the manifest of a Rollout.
    ///
    /// ```
    /// use rollout_core::analysis::RunRole;
    /// assert_eq!(RunRole::Step(2).path(), "spec.strategy.canary.steps[2].analysis");
    /// ```
    #[must_use]
    pub fn path(self) -> String {
        match self {
            Self::Step(index) => format!("spec.strategy.canary.steps[{index}].analysis"),
            Self::Background => "spec.strategy.canary.analysis".into(),
        }
    }
}

impl fmt::Display for RunRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(index) => write!(f, "step {}", index.saturating_add(1)),
            Self::Background => f.write_str("background"),
        }
    }
}

/// What a run is for, exactly: a verdict counts for one revision, one list of steps, one role and one attempt.
///
/// ```
/// use rollout_core::analysis::{RunId, RunRole};
/// let id = RunId::new("v2".into(), "6c5f".into(), RunRole::Background, 1);
/// assert_ne!(id, RunId { attempt: 2, ..id.clone() }, "a retry is judged by its own run");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "these four are what a verdict counts for")]
pub struct RunId {
    /// The revision that is analysed.
    pub revision: Revision,
    /// The hash of the list of steps.
    pub step_hash: Arc<str>,
    /// The role.
    pub role: RunRole,
    /// The attempt, from 0.
    pub attempt: u32,
}

impl RunId {
    /// Creates it.
    ///
    /// See [`RunId`] for an example.
    #[must_use]
    pub fn new(revision: Revision, step_hash: Arc<str>, role: RunRole, attempt: u32) -> Self {
        Self { revision, step_hash, role, attempt }
    }
}

/// A run, as it was observed.
///
/// ```
/// use rollout_core::analysis::{Phase, RunId, RunRole, RunSeen};
/// let id = RunId::new("v2".into(), "6c5f".into(), RunRole::Step(1), 0);
/// let run = RunSeen::new("web-v2-2-1", id).phase(Phase::Running);
/// assert!(run.is_live());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunSeen {
    /// The name of the object.
    pub name: Arc<str>,
    /// What it is for.
    pub id: RunId,
    /// How far it is.
    pub phase: Phase,
    /// Its message; may be empty.
    pub message: Arc<str>,
    /// How the newest measurement ended, not counting dry-run metrics; `None` before the first.
    pub newest: Option<Phase>,
    /// Whether it was told to end.
    pub stopping: bool,
    /// The metric to name to people: the one that ended the run, or else the one that is measured next.
    pub metric: Option<MetricSeen>,
}

/// One metric of a run, for people.
///
/// ```
/// use rollout_core::analysis::MetricSeen;
/// let metric = MetricSeen::new("success-rate", "[0.9]", "result[0] >= 0.95", "2 failures left");
/// assert_eq!(metric.to_string(), "success-rate: measured [0.9], required: result[0] >= 0.95, 2 failures left");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MetricSeen {
    /// The name.
    pub name: Arc<str>,
    /// The newest value, or why there is none; may be empty.
    pub value: Arc<str>,
    /// Whether the newest measurement ended in an error, which `value` then is.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub is_error: bool,
    /// What the value must be.
    pub condition: Arc<str>,
    /// What is left of its limits.
    pub left: Arc<str>,
    /// When it is measured next, if that is known.
    pub next: Option<Time>,
    /// Whether it is measured as soon as somebody looks at the run, which has not begun yet.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub is_due: bool,
}

impl MetricSeen {
    /// Creates one that is not measured again.
    ///
    /// See [`MetricSeen`] for an example.
    #[must_use]
    pub fn new(name: &str, value: &str, condition: &str, left: &str) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
            is_error: false,
            condition: condition.into(),
            left: left.into(),
            next: None,
            is_due: false,
        }
    }
}

impl fmt::Display for MetricSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.value {
            "" if self.is_error => write!(f, "{}: could not be measured", self.name)?,
            "" => write!(f, "{}: not measured yet", self.name)?,
            why if self.is_error => write!(f, "{}: could not be measured: {why}", self.name)?,
            value => write!(f, "{}: measured {value}", self.name)?,
        }
        write!(f, ", required: {}, {}", self.condition, self.left)?;
        match self.next {
            Some(next) => write!(f, ", next measurement at {next}"),
            None if self.is_due => f.write_str(", to be measured at once"),
            None => Ok(()),
        }
    }
}

impl RunSeen {
    /// Creates a run that nothing is known about yet.
    ///
    /// See [`RunSeen`] for an example.
    #[must_use]
    pub fn new(name: &str, id: RunId) -> Self {
        let message = String::new().into();
        Self {
            name: name.into(),
            id,
            phase: Phase::Pending,
            message,
            newest: None,
            stopping: false,
            metric: None,
        }
    }

    /// Sets how far it is.
    ///
    /// See [`RunSeen`] for an example.
    #[must_use]
    pub fn phase(mut self, phase: Phase) -> Self {
        self.phase = phase;
        self
    }

    /// Sets its message.
    ///
    /// ```
    /// use rollout_core::analysis::{RunId, RunRole, RunSeen};
    /// let id = RunId::new("v2".into(), "6c5f".into(), RunRole::Step(1), 0);
    /// assert_eq!(&*RunSeen::new("run", id).message("Run Terminated").message, "Run Terminated");
    /// ```
    #[must_use]
    pub fn message(mut self, message: &str) -> Self {
        self.message = message.into();
        self
    }

    /// Sets how the newest measurement ended.
    ///
    /// ```
    /// use rollout_core::analysis::{Phase, RunId, RunRole, RunSeen};
    /// let id = RunId::new("v2".into(), "6c5f".into(), RunRole::Background, 0);
    /// assert_eq!(RunSeen::new("run", id).newest(Some(Phase::Error)).newest, Some(Phase::Error));
    /// ```
    #[must_use]
    pub fn newest(mut self, phase: Option<Phase>) -> Self {
        self.newest = phase;
        self
    }

    /// Returns whether it leaves the decision to a person: it is inconclusive, or it was terminated before it had shown
    /// that the revision is good.
    ///
    /// ```
    /// use rollout_core::analysis::{Phase, RunId, RunRole, RunSeen};
    /// let id = RunId::new("v2".into(), "6c5f".into(), RunRole::Background, 0);
    /// let mut run = RunSeen::new("web-v2-2", id).phase(Phase::Successful);
    /// assert!(!run.is_unsure());
    /// run.stopping = true;
    /// assert!(run.is_unsure());
    /// ```
    #[must_use]
    pub fn is_unsure(&self) -> bool {
        self.phase == Phase::Inconclusive || self.phase == Phase::Successful && self.stopping
    }

    /// Returns whether it still measures.
    ///
    /// See [`RunSeen`] for an example.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !self.phase.is_done()
    }
}
