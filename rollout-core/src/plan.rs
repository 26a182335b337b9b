//! The result of a decision: what to do next, and what blocks further progress.

use crate::{Action, Event, Status, Time, Waiting};
use alloc::vec::Vec;
use core::fmt;
use serde::{Deserialize, Serialize};

/// The result of [`reconcile`](crate::reconcile()): what to do next, and what blocks further progress.
///
/// Carry it out with [`Turn`](crate::Turn), which knows the order of work: store `status` if it changed, then carry out
/// the actions in order, then publish the events.
///
/// ```
/// use core::time::Duration;
/// use rollout_core::{Action, Observed, Spec, Status, Store, Strategy, Time, reconcile, traffic::Seen};
/// let spec = Spec::new(Strategy::builder().build()?, "v1".into());
/// let observed = Observed::new().revisions([]).traffic(Seen::nothing());
/// let plan = reconcile(&spec, &Status::default(), &observed, Time::from_secs(0));
/// assert_eq!(plan.status.canary, Some("v1".into()), "the next status, not the stored one");
/// assert_eq!(plan.store, Store::Now);
/// assert!(matches!(plan.actions[..], [Action::Scale { .. }]));
/// assert!(!plan.waiting.is_empty(), "the pods are not ready yet");
/// # Ok::<(), rollout_core::InvalidStrategy>(())
/// ```
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
///
/// ```
/// use rollout_core::{Observed, Spec, Status, Store, Strategy, Time, reconcile};
/// let spec = Spec::new(Strategy::builder().build()?, "v1".into());
/// let decide = |stored: &Status| reconcile(&spec, stored, &Observed::new(), Time::from_secs(0));
/// let first = decide(&Status::default());
/// assert_eq!(first.store, Store::Now, "an update started");
/// assert_eq!(decide(&first.status).store, Store::No, "stored, so there is nothing to store again");
/// # Ok::<(), rollout_core::InvalidStrategy>(())
/// ```
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

/// When to decide again, and why.
///
/// ```
/// use core::time::Duration;
/// use rollout_core::{Observed, Spec, Status, Step, Strategy, Time, Wake, reconcile, traffic::Seen, waiting::WakeReason};
/// # use rollout_core::{Range, RevisionSeen};
/// # let mut status = Status::default();
/// # (status.stable, status.canary) = (Some("v1".into()), Some("v2".into()));
/// let pause = Step::Pause(Some(Duration::from_secs(600)));
/// let spec = Spec::new(Strategy::builder().step(pause).build()?, "v2".into());
/// # let v1 = RevisionSeen::new("v1".into()).wanted(1).ready(Range::exact(1)).available(Range::exact(1));
/// # let observed = Observed::new().revisions([v1]).traffic(Seen::nothing());
/// let plan = reconcile(&spec, &status, &observed, Time::from_secs(60));
/// assert_eq!(plan.wake, Some(Wake::new(Time::from_secs(660), WakeReason::PauseEnds)));
/// # Ok::<(), rollout_core::InvalidStrategy>(())
/// ```
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
///
/// ```
/// use rollout_core::{Time, Wake, waiting::WakeReason};
/// let wake = Wake::new(Time::from_secs(600), WakeReason::PauseEnds);
/// assert_eq!(format!("{}: {}", wake.at, wake.why), "1970-01-01T00:10:00Z: the pause ends");
/// ```
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
    /// A window opens in which steps may begin.
    WindowOpens,
    /// A gradual abort takes the next share of traffic from the canary.
    AbortContinues,
    /// The time between two waves of clusters is over.
    SoakEnds,
    /// A cluster that cannot be read counts as failed.
    ClusterFails,
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
            Self::WindowOpens => "steps may begin again",
            Self::AbortContinues => "the abort continues",
            Self::SoakEnds => "the soak time ends",
            Self::ClusterFails => "an unreachable cluster counts as failed",
            Self::LookAgain => "look again at the proxies",
        })
    }
}
