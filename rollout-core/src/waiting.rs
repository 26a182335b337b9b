//! Why a rollout is not further: the guard, what it needs, what it sees, since when, what ends it.

mod text;

use crate::{Range, Revision, Time, traffic::Destination};
use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};

/// One closed guard. Derived at every decision, never stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Waiting {
    /// The guard, with what it needs and what it sees.
    pub reason: WaitReason,
    /// Since when, where that is known.
    pub since: Option<Time>,
    /// What ends the wait.
    pub ends: EndsBy,
}

impl Waiting {
    /// A guard that is closed.
    #[must_use]
    pub fn new(reason: WaitReason, since: Option<Time>, ends: EndsBy) -> Self {
        Self { reason, since, ends }
    }
}

/// A guard, what it needs and what it sees. Its text is one sentence for a release manager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum WaitReason {
    /// A pause step is under way.
    Pause,
    /// The user stopped the rollout (`spec.paused`).
    PausedByUser,
    /// The pods of a revision are not there yet.
    Pods {
        /// Whose pods.
        revision: Revision,
        /// How many must be there.
        need: u32,
        /// How many are.
        seen: Range,
    },
    /// Traffic should go back to stable, but stable could not carry it.
    StableCannotCarry {
        /// How many ready pods stable needs.
        need: u32,
        /// How many it has.
        seen: Range,
    },
    /// Some proxy still has an older state.
    Settling {
        /// What is not settled.
        what: Settling,
        /// Who is behind; may be empty.
        behind: Vec<String>,
        /// Whether it takes so long that a person should look.
        long: bool,
    },
    /// The data plane cannot be asked: a fixed time is waited instead.
    GracePeriod {
        /// What may not be settled.
        what: Settling,
    },
    /// A proxy may come back that lost its connection before this process began, and still send requests where older
    /// routes led: no pods go before it would have.
    ProxiesUnknown,
    /// A revision that has lost its traffic keeps its pods for a while.
    ScaleDownDelay {
        /// Which one.
        revision: Revision,
    },
    /// A revision has a scale-down deadline: no traffic before it is gone.
    ScalingDown {
        /// Which one.
        revision: Revision,
    },
    /// The strategy routes by weight, and no route was read whose weight could be set.
    NoRoutes,
    /// A destination still leads to other pods than it should.
    LeadsElsewhere {
        /// Which destination.
        destination: Destination,
        /// The revision that it leads to; `None` when that is the user's own selector.
        revision: Option<Revision>,
    },
    /// The routes still name another revision than the one under way.
    RoutesOfAnother {
        /// The revision that they lead to, or were written for.
        revision: Revision,
    },
    /// Stable has no ready pod, and not for long enough to move all traffic.
    StableUnavailable,
    /// The stable revision does not exist and cannot be created again.
    StableGone {
        /// Which one it was.
        revision: Revision,
    },
    /// Pods are moved within `maxSurge` and `maxUnavailable`.
    Fenceposts {
        /// The most pods there may be.
        at_most: u32,
        /// The fewest pods that must be available.
        at_least: u32,
    },
    /// What was decided is being carried out.
    CarryingOut,
    /// An aborted update waits for a person.
    Aborted,
    /// The user scaled everything to 0.
    ScaledToZero,
    /// Stable comes back after everything was at 0.
    ScalingFromZero,
    /// The revisions could not be read.
    RevisionsUnknown,
    /// The traffic could not be read.
    TrafficUnknown,
    /// Old pods are still going.
    PodsGoing {
        /// Whose.
        revision: Revision,
    },
}

/// What may not have reached every proxy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Settling {
    /// Weights and managed routes.
    Routes,
    /// What is behind the destinations.
    Selectors,
    /// The endpoints of a revision.
    Endpoints(Revision),
}

/// What ends a wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum EndsBy {
    /// A time.
    Time(Time),
    /// Something that happens in the world, named for a person.
    Event(Ending),
    /// A person's command.
    Command(Vec<crate::CommandKind>),
}

/// Something that happens in the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Ending {
    /// Pods become ready, or the progress deadline passes.
    PodsReady,
    /// Stable has the pods; the command `proceed` overrides.
    StableCarries,
    /// Every proxy has the new state; the command `proceed` overrides.
    Settled,
    /// The write that was decided is observed.
    Observed,
    /// The objects can be read again.
    Readable,
    /// The user asks for replicas again.
    ReplicasAboveZero,
    /// The manifest is changed.
    ManifestChanged,
    /// A route is read.
    RouteThere,
}

impl WaitReason {
    /// The names of all guards.
    pub const GUARDS: [&'static str; 22] = [
        "pause",
        "paused by the user",
        "pods",
        "stable can carry",
        "settled",
        "grace period",
        "proxies known",
        "scale-down delay",
        "scale-down deadline",
        "routes there",
        "destination",
        "routes of another revision",
        "stable unavailable",
        "stable gone",
        "fence posts",
        "carrying out",
        "aborted",
        "scaled to zero",
        "scaling up from zero",
        "revisions readable",
        "traffic readable",
        "old pods",
    ];

    /// Whether it says more than a Rollout's phase, and takes longer than a moment: not a pause, an abort or
    /// `replicas: 0`, and not what nobody waits for.
    #[must_use]
    pub fn is_news(&self) -> bool {
        !matches!(
            self,
            Self::Pause
                | Self::PausedByUser
                | Self::Aborted
                | Self::CarryingOut
                | Self::GracePeriod { .. }
                | Self::ProxiesUnknown
                | Self::ScaleDownDelay { .. }
                | Self::ScaledToZero
        )
    }

    /// The guard's name, one of [`GUARDS`](Self::GUARDS).
    ///
    /// ```
    /// use rollout_core::waiting::WaitReason;
    /// assert_eq!(WaitReason::Pause.guard(), "pause");
    /// assert!(WaitReason::GUARDS.contains(&WaitReason::ScaledToZero.guard()));
    /// ```
    #[must_use]
    pub fn guard(&self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::PausedByUser => "paused by the user",
            Self::Pods { .. } => "pods",
            Self::StableCannotCarry { .. } => "stable can carry",
            Self::Settling { .. } => "settled",
            Self::GracePeriod { .. } => "grace period",
            Self::ProxiesUnknown => "proxies known",
            Self::ScaleDownDelay { .. } => "scale-down delay",
            Self::ScalingDown { .. } => "scale-down deadline",
            Self::NoRoutes => "routes there",
            Self::LeadsElsewhere { .. } => "destination",
            Self::RoutesOfAnother { .. } => "routes of another revision",
            Self::StableUnavailable => "stable unavailable",
            Self::StableGone { .. } => "stable gone",
            Self::Fenceposts { .. } => "fence posts",
            Self::CarryingOut => "carrying out",
            Self::Aborted => "aborted",
            Self::ScaledToZero => "scaled to zero",
            Self::ScalingFromZero => "scaling up from zero",
            Self::RevisionsUnknown => "revisions readable",
            Self::TrafficUnknown => "traffic readable",
            Self::PodsGoing { .. } => "old pods",
        }
    }
}
