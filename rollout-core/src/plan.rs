//! The result of a decision: what to do next, and what blocks further progress.

use crate::{
    Event, Revision, Status, Time, Waiting,
    traffic::{Routes, Selectors},
};
use alloc::vec::Vec;
use core::fmt;
use serde::{Deserialize, Serialize};

/// The result of [`reconcile`](crate::reconcile()): what to do next, and what blocks further progress.
///
/// Carry it out with [`Turn`](crate::Turn), which knows the order of work: store `status` if it changed, then carry out
/// the actions in order, then publish the events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[must_use = "a plan does nothing until it is carried out"]
#[non_exhaustive]
pub struct Plan {
    /// The status to store before any action is carried out.
    pub status: Status,
    /// The actions, in order. Each is idempotent, and carrying out any prefix of them is safe.
    pub actions: Vec<Action>,
    /// When to decide again if nothing changes earlier. Deciding earlier is harmless.
    pub wake: Option<Wake>,
    /// What is blocking progress; empty only at rest.
    pub waiting: Vec<Waiting>,
    /// Changes to the status. An action is reported separately, once it has changed something.
    pub events: Vec<Event>,
    /// Whether `status` must be stored.
    #[serde(default)]
    pub store: Store,
}

/// Whether a status must be stored before any action is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "a loop that cannot tell a new kind must not compile")]
pub enum Store {
    /// The status is stored already.
    #[default]
    No,
    /// Only the progress of the pods changed. Store it now or together with the next write; if it is lost, the progress
    /// deadline starts over.
    WithNext,
    /// A decision changed the status.
    Now,
}

/// One effect on the cluster. Exhaustive on purpose: a driver that cannot carry out a new action must not compile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "a driver that cannot carry out a new action must not compile")]
pub enum Action {
    /// Sets a revision's pod count with one compare-and-swap on its workload; creates the workload if it is absent.
    Scale {
        /// The revision whose pods are scaled.
        revision: Revision,
        /// The number of pods wanted.
        pods: u32,
        /// The scale-down deadline from which the revision may go to 0 pods; `None` removes it.
        scale_down_deadline: Option<Time>,
    },
    /// Points destinations at pods: Service selectors, subset labels.
    Select(Selectors),
    /// Splits requests: weights and managed routes.
    Route(Routes),
    /// Deletes a revision that has no pods and is beyond the revision history limit.
    Prune {
        /// The revision to delete.
        revision: Revision,
    },
}

impl Action {
    /// Returns whether this action writes traffic (selectors or routes).
    #[must_use]
    pub fn is_traffic(&self) -> bool {
        match self {
            Self::Select(_) | Self::Route(_) => true,
            Self::Scale { .. } | Self::Prune { .. } => false,
        }
    }
}

/// When to decide again, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Wake {
    /// The time of the wake-up.
    pub at: Time,
    /// What happens at that time.
    pub why: WakeReason,
}

impl Wake {
    /// Creates a wake-up at `at`.
    #[must_use]
    pub fn new(at: Time, why: WakeReason) -> Self {
        Self { at, why }
    }
}

/// The reason for a wake-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum WakeReason {
    /// A pause ends.
    PauseEnds,
    /// A revision reaches its scale-down deadline and may go to 0 pods.
    ScaleDown,
    /// The progress deadline passes for the pods being waited for.
    ProgressDeadline,
    /// Stable has been unavailable for long enough.
    StableUnavailable,
    /// A grace period ends (used where the data plane cannot be asked).
    GracePeriodEnds,
    /// Poll again: proxy acknowledgements cause no watch events.
    LookAgain,
}

impl fmt::Display for WakeReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PauseEnds => "the pause ends",
            Self::ScaleDown => "the scale-down delay ends",
            Self::ProgressDeadline => "the progress deadline",
            Self::StableUnavailable => "stable has been unavailable for long enough",
            Self::GracePeriodEnds => "the grace period ends",
            Self::LookAgain => "look again at the proxies",
        })
    }
}
