//! What to do next, and why not more.

use crate::{
    Event, Revision, Status, Time, Waiting,
    traffic::{Routes, Selectors},
};
use alloc::vec::Vec;
use core::fmt;
use serde::{Deserialize, Serialize};

/// What to do next: the answer of [`reconcile`](crate::reconcile()).
///
/// Carry it out with [`Turn`](crate::Turn), which holds the order of work: store `status` if it changed,
/// then the actions in order, then publish the events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[must_use = "a plan does nothing until it is carried out"]
#[non_exhaustive]
pub struct Plan {
    /// What to store before anything is carried out.
    pub status: Status,
    /// What to do, in order. Each is idempotent, and every prefix is safe to have been carried out.
    pub actions: Vec<Action>,
    /// When to decide again if nothing changes before. Earlier is harmless.
    pub wake: Option<Wake>,
    /// Why the rollout is not further; empty only at rest.
    pub waiting: Vec<Waiting>,
    /// What happened to the status; what the actions do is reported when they have changed something.
    pub events: Vec<Event>,
    /// Whether `status` has to be stored.
    #[serde(default)]
    pub store: Store,
}

/// Whether a status has to be stored before anything is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "a loop that cannot tell a new kind must not compile")]
pub enum Store {
    /// It is stored already.
    #[default]
    No,
    /// Only the progress of the pods changed. It may wait for the next write, or be stored now; if it is lost, the
    /// progress deadline starts over.
    WithNext,
    /// A decision changed it.
    Now,
}

/// One effect. Exhaustive on purpose: a driver that cannot carry out a new action must not compile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "a driver that cannot carry out a new action must not compile")]
pub enum Action {
    /// One compare-and-swap on the object that holds a revision's pod count; creates it if absent.
    Scale {
        /// Whose pods.
        revision: Revision,
        /// How many are wanted.
        pods: u32,
        /// The scale-down deadline that allows it to go to 0 at this time; `None` takes it away.
        scale_down_deadline: Option<Time>,
    },
    /// Point destinations at pods: Service selectors, subset labels.
    Select(Selectors),
    /// Split requests: weights and managed routes.
    Route(Routes),
    /// Delete a revision that has no pods and is too old to go back to.
    Prune {
        /// Which one.
        revision: Revision,
    },
}

impl Action {
    /// Whether it writes traffic (selectors or routes).
    #[must_use]
    pub fn is_traffic(&self) -> bool {
        match self {
            Self::Select(_) | Self::Route(_) => true,
            Self::Scale { .. } | Self::Prune { .. } => false,
        }
    }
}

/// When to decide again, and what for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Wake {
    /// The time.
    pub at: Time,
    /// What happens then.
    pub why: WakeReason,
}

impl Wake {
    /// Wakes at `at` for `why`.
    #[must_use]
    pub fn new(at: Time, why: WakeReason) -> Self {
        Self { at, why }
    }
}

/// What happens at a wake-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum WakeReason {
    /// A pause ends.
    PauseEnds,
    /// A scheduled revision may go to 0 pods.
    ScaleDown,
    /// The pods waited for are late.
    ProgressDeadline,
    /// Stable has been unavailable for long enough.
    StableUnavailable,
    /// A grace period ends where the data plane cannot be asked.
    GracePeriodEnds,
    /// Look again: acknowledgements of proxies are no watch events.
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
