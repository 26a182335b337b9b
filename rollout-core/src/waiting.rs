//! What is blocking progress: the guard, what it needs, what it sees, since when, and what ends the wait.
//!
//! ```
//! use rollout_core::{Observed, Spec, Status, Strategy, Time, reconcile};
//! let spec = Spec::new(Strategy::builder().build()?, "v1".into());
//! let plan = reconcile(&spec, &Status::default(), &Observed::new(), Time::from_secs(0));
//! let waiting = &plan.waiting[0];
//! assert_eq!(waiting.reason.guard(), "revisions readable", "for programs");
//! assert!(waiting.to_string().starts_with("the revisions could not be read; ends when "), "for people");
//! # Ok::<(), rollout_core::InvalidStrategy>(())
//! ```

mod text;

pub use crate::plan::WakeReason;
use crate::{
    Range, Revision, Time,
    analysis::{MetricSeen, RunRole},
    fleet::ClusterWait,
    traffic::{Destination, Weight},
};
use alloc::{boxed::Box, string::String, sync::Arc, vec::Vec};
use serde::{Deserialize, Serialize};

/// One closed guard. Derived at every decision, never stored.
///
/// ```
/// use rollout_core::{CommandKind, Time, Waiting, waiting::{EndsBy, WaitReason}};
/// let ends = EndsBy::Command(vec![CommandKind::Promote, CommandKind::Abort]);
/// let waiting = Waiting::new(WaitReason::Pause, Some(Time::from_secs(60)), ends);
/// assert_eq!(
///     waiting.to_string(),
///     "paused by a step (since 1970-01-01T00:01:00Z); ends by command: promote, abort"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Waiting {
    /// The guard, with what it needs and what it sees.
    pub reason: WaitReason,
    /// When the wait began, if that is known.
    pub since: Option<Time>,
    /// What ends the wait.
    pub ends: EndsBy,
}

impl Waiting {
    /// Creates a wait at a closed guard.
    #[must_use]
    pub fn new(reason: WaitReason, since: Option<Time>, ends: EndsBy) -> Self {
        Self { reason, since, ends }
    }
}

/// A guard, with what it needs and what it sees. Its text is one sentence for a release manager.
///
/// ```
/// use rollout_core::{Range, waiting::WaitReason};
/// let pods = WaitReason::Pods { revision: "v2".into(), need: 5, seen: Range::new(2, 3) };
/// assert_eq!(pods.to_string(), "waiting for pods of v2: 5 needed, 2..3 there");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum WaitReason {
    /// A pause step is in progress.
    Pause,
    /// The user paused the rollout (`spec.paused`).
    PausedByUser,
    /// A revision does not have enough pods yet.
    Pods {
        /// The revision whose pods are missing.
        revision: Revision,
        /// The number of pods needed.
        need: u32,
        /// The number of pods seen.
        seen: Range,
    },
    /// Traffic should return to stable, but stable does not have the capacity.
    StableCannotCarry {
        /// The number of ready pods that stable needs.
        need: u32,
        /// The number of ready pods that it has.
        seen: Range,
    },
    /// Some proxy still has an older state.
    Settling {
        /// What is not settled.
        what: Settling,
        /// The proxies that are behind; may be empty.
        behind: Vec<String>,
        /// Whether the wait is so long that an operator should look into it.
        long: bool,
    },
    /// The data plane cannot be asked, so a fixed time is waited instead.
    GracePeriod {
        /// What may not be settled.
        what: Settling,
    },
    /// A proxy that lost its connection before this process started may return and still send requests along older
    /// routes: pods stay until it would have returned.
    ProxiesUnknown,
    /// A revision that has lost its traffic keeps its pods for a while.
    ScaleDownDelay {
        /// The revision.
        revision: Revision,
    },
    /// A revision has a scale-down deadline and gets no traffic until the deadline is removed.
    ScalingDown {
        /// The revision.
        revision: Revision,
    },
    /// The strategy routes by weight, but no route was found whose weight can be set.
    NoRoutes,
    /// A destination still leads to other pods than it should.
    LeadsElsewhere {
        /// The destination.
        destination: Destination,
        /// The revision that it leads to; `None` for the user's own selector.
        revision: Option<Revision>,
    },
    /// The routes still belong to another revision than the one being rolled out.
    RoutesOfAnother {
        /// The revision that the routes lead to, or were written for.
        revision: Revision,
    },
    /// Stable has no ready pod, but has not been without one for long enough to move all traffic.
    StableUnavailable,
    /// The stable revision does not exist and cannot be created again.
    StableGone {
        /// The missing stable revision.
        revision: Revision,
    },
    /// Pods are replaced within `maxSurge` and `maxUnavailable`.
    Fenceposts {
        /// The maximum number of pods.
        at_most: u32,
        /// The minimum number of available pods.
        at_least: u32,
    },
    /// The last decision is being carried out.
    CarryingOut,
    /// An aborted update waits for an operator.
    Aborted,
    /// The user scaled everything to 0.
    ScaledToZero,
    /// Stable is scaling up from 0.
    ScalingFromZero,
    /// The revisions could not be read.
    RevisionsUnknown,
    /// The traffic could not be read.
    TrafficUnknown,
    /// Pods of an old revision are still being removed.
    PodsGoing {
        /// The old revision.
        revision: Revision,
    },
    /// The next step, or the release, may begin only in one of the [windows](crate::pace::Windows).
    OutsideWindows,
    /// A step waits for its analysis.
    Analysis {
        /// What the run is for.
        role: RunRole,
        /// The run; `None` until there is one.
        run: Option<Arc<str>>,
        /// The metric that is measured next.
        metric: Option<Box<MetricSeen>>,
    },
    /// An analysis is inconclusive: a person decides.
    AnalysisInconclusive {
        /// The run.
        run: Arc<str>,
        /// The metric that ended it.
        metric: Option<Box<MetricSeen>>,
    },
    /// The background analysis gets no answer: no weight increases and no step ends meanwhile.
    AnalysisUnanswered {
        /// The run.
        run: Arc<str>,
        /// The metric that could not be measured.
        metric: Option<Box<MetricSeen>>,
    },
    /// An analysis found the revision bad, but there is no stable revision to go back to.
    AnalysisBad {
        /// The run.
        run: Arc<str>,
        /// Its message.
        message: Arc<str>,
    },
    /// The runs of analyses could not be read.
    RunsUnknown,
    /// An abort takes the traffic from the canary [in several falls](crate::pace::GradualAbort).
    AbortingGradually {
        /// The weight that the canary keeps until the next one.
        keeps: Weight,
    },
    /// Another cluster of the fleet must go on first.
    OtherCluster(Box<ClusterWait>),
    /// Pods stay that requests of another cluster of the fleet may reach.
    KeptForCluster(Box<ClusterWait>),
    /// It is not known how far the other clusters of the fleet are.
    ClustersUnknown,
    /// The earlier waves are done, and this one begins after a while.
    Soak,
    /// The workload that served before the Rollout did (`workloadRef`) keeps its pods until no proxy needs them. No
    /// decision waits for it: the loop that scales the workload reports it.
    HandOver {
        /// The workload.
        workload: String,
        /// What some proxy does not have yet.
        what: Settling,
        /// The proxies that are behind; may be empty.
        behind: Vec<String>,
    },
}

/// A change that may not have reached every proxy.
///
/// ```
/// use rollout_core::waiting::{Settling, WaitReason};
/// let what = Settling::Endpoints("v2".into());
/// let reason = WaitReason::Settling { what, behind: vec!["web-0.shop".into()], long: false };
/// assert_eq!(
///     reason.to_string(),
///     "waiting until every proxy has the endpoints of v2; behind: web-0.shop"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Settling {
    /// Weights and managed routes.
    Routes,
    /// The pods behind the destinations.
    Selectors,
    /// The endpoints of a revision.
    Endpoints(Revision),
}

/// What ends a wait.
///
/// ```
/// use rollout_core::{CommandKind, Time, waiting::{Ending, EndsBy}};
/// assert_eq!(EndsBy::Time(Time::from_secs(600)).to_string(), "at 1970-01-01T00:10:00Z");
/// assert_eq!(EndsBy::Event(Ending::ManifestChanged).to_string(), "when the manifest changes");
/// assert_eq!(EndsBy::Command(vec![CommandKind::Promote]).to_string(), "by command: promote");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum EndsBy {
    /// The passing of a time.
    Time(Time),
    /// An event in the cluster, described for people.
    Event(Ending),
    /// An operator's command.
    Command(Vec<crate::CommandKind>),
}

/// An event in the cluster that ends a wait.
///
/// ```
/// use rollout_core::waiting::{Ending, EndsBy};
/// assert_eq!(EndsBy::Event(Ending::RouteThere).to_string(), "when a route exists");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Ending {
    /// Pods become ready, or the progress deadline passes.
    PodsReady,
    /// Stable has enough pods. The command `proceed` overrides the wait.
    StableCarries,
    /// Every proxy has the new state. The command `proceed` overrides the wait.
    Settled,
    /// The write is observed.
    Observed,
    /// The objects can be read again.
    Readable,
    /// The user asks for replicas again.
    ReplicasAboveZero,
    /// The manifest is changed.
    ManifestChanged,
    /// A route is found.
    RouteThere,
    /// The run has finished.
    AnalysisOver,
    /// The provider answers again, or the run finishes.
    AnalysisAnswered,
    /// No other cluster needs the pods any more.
    NotNeededElsewhere,
    /// The other cluster gets there. The command `promote-full` goes on without it.
    ClusterFollows,
    /// Every proxy has the new state. No command overrides the wait.
    EveryProxyFollows,
}

impl WaitReason {
    /// The names of all guards.
    ///
    /// ```
    /// use rollout_core::waiting::WaitReason;
    /// assert!(WaitReason::GUARDS.contains(&"stable can carry"), "a label of a metric, for example");
    /// ```
    pub const GUARDS: [&'static str; 34] = [
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
        "step windows",
        "gradual abort",
        "analysis",
        "analysis inconclusive",
        "analysis unanswered",
        "analysis bad",
        "runs readable",
        "other clusters",
        "pods for other clusters",
        "clusters readable",
        "soak",
        "hand-over",
    ];

    /// Returns whether the wait adds something to a Rollout's phase and lasts longer than a moment. Pauses, aborts,
    /// `replicas: 0` and waits that hold nobody up do not count.
    ///
    /// ```
    /// use rollout_core::{Range, waiting::WaitReason};
    /// assert!(!WaitReason::Pause.is_news(), "the phase says `Paused` already");
    /// assert!(WaitReason::StableCannotCarry { need: 10, seen: Range::exact(4) }.is_news());
    /// ```
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
                | Self::KeptForCluster(_)
        )
    }

    /// Returns the guard's name, one of [`GUARDS`](Self::GUARDS).
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
            Self::OutsideWindows => "step windows",
            Self::AbortingGradually { .. } => "gradual abort",
            Self::Analysis { .. } => "analysis",
            Self::AnalysisInconclusive { .. } => "analysis inconclusive",
            Self::AnalysisUnanswered { .. } => "analysis unanswered",
            Self::AnalysisBad { .. } => "analysis bad",
            Self::RunsUnknown => "runs readable",
            Self::OtherCluster(_) => "other clusters",
            Self::KeptForCluster(_) => "pods for other clusters",
            Self::ClustersUnknown => "clusters readable",
            Self::Soak => "soak",
            Self::HandOver { .. } => "hand-over",
        }
    }
}
