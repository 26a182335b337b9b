//! The guards that the laws check. Each can be switched off to prove that a law detects its absence.
//!
//! Only with the private feature `_mutants`; without it, every guard is active and costs nothing.

/// A guard that can be switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[non_exhaustive]
#[cfg_attr(not(feature = "_mutants"), expect(unreachable_pub, reason = "exported with `_mutants`"))]
#[cfg_attr(
    not(feature = "_mutants"),
    expect(dead_code, reason = "some guards are implemented in the order of work")
)]
pub enum Guard {
    /// Before a weight rises or a managed route is added.
    UpGate = 1,
    /// Before a selector leaves pods, or pods are removed.
    DownGate,
    /// A revision goes to 0 only with a scale-down deadline, and gets traffic only without one.
    ScaleDownDeadline,
    /// Never decide on an observation older than the process's own last write (implemented in drivers).
    ReadYourWrites,
    /// Never act before an earlier process's writes are fenced off.
    LateWriteFence,
    /// Never act without proof of being in charge.
    InCharge,
    /// Store the status before acting on it.
    StatusFirst,
    /// A plan writes selectors or routes, never both.
    OneLayer,
    /// A destination in use is pointed only at enough ready pods.
    LiveCapacity,
    /// A destination in use is pointed only at pods whose endpoints every proxy has.
    LiveEndpoints,
    /// Evidence that a proxy is behind blocks the rollout.
    NotYet,
    /// After a commit, weight returns to stable only when stable leads to the new revision in every object.
    StableReturn,
    /// An aborted canary never gains traffic.
    AbortedRises,
    /// A stable that follows the weight gets only the share that its ready pods carry.
    StableGains,
    /// A stable that follows the weight keeps the pods for the share that it still has.
    StableKeeps,
    /// With `pingPong`, the destinations swap their roles instead of their pods.
    RolesSwap,
    /// Steps begin only in their windows.
    StepWindows,
    /// A gradual abort keeps to its pace.
    GradualAbort,
    /// Pods count only once they are available (`minReadySeconds`).
    Available,
    /// When the roles swap, nothing else is planned.
    SwapAlone,
    /// Only a rollback within the `rollbackWindow` skips the steps.
    RollbackWindow,
    /// No more old revisions than `scaleDownDelayRevisionLimit` keep their pods.
    OldPodsLimit,
    /// The progress deadline aborts an update only if the user asked for that.
    DeadlineAbort,
    /// Weights are out of `maxTrafficWeight`.
    TotalWeight,
    /// `setCanaryScale` says how many pods a basic canary has.
    OwnScale,
    /// An analysis that found the revision bad aborts its update.
    BadAborts,
    /// A verdict counts for one revision, list of steps, role and attempt.
    VerdictOfThis,
    /// A step with an analysis ends only by a good verdict.
    NoEvidence,
    /// While the background analysis gets no answer, nothing rises.
    OutageHolds,
    /// Once the canary has requests, nothing rises before the background analysis has a run.
    RunFirst,
    /// While runs cannot be read, nothing rises.
    UnreadableHolds,
    /// While an analysis is inconclusive, nothing rises.
    UnsureHolds,
    /// A run begins only once the canary has what is to be measured.
    StartGate,
    /// The runs of another position are told to end.
    OldRunsEnd,
    /// No run is told to end that is still wanted.
    WantedRunsStay,
    /// The background analysis counts from its starting step on.
    StartingStep,
    /// The background analysis begins only once the canary gets requests.
    RequestsFirst,
    /// A retry is analysed anew.
    RetryAnew,
    /// No cluster routes a step before every cluster has its pods.
    PodsInEveryCluster,
    /// No cluster begins a step before every cluster routes the one before it.
    StepsTogether,
    /// No wave begins before the ones before it are done.
    WavesInOrder,
    /// A wave waits for the soak time.
    Soak,
    /// Old pods stay until every cluster is done.
    OldPodsForOthers,
    /// Pods of an earlier step stay until every cluster routes the current one.
    EarlierPodsForOthers,
    /// The pods of an aborted canary stay while another cluster may send requests to them.
    CanaryForOthers,
    /// An abort in one cluster is one in all.
    AbortEverywhere,
    /// A retry in one cluster is one in all.
    LaterAttempt,
    /// A pause that a person ends in one cluster ends in all.
    FollowPauses,
    /// A cluster that cannot be read counts as not begun.
    UnknownHolds,
    /// The cluster that is furthest behind counts, not the one that is ahead.
    SlowestCounts,
    /// A mark counts only in its attempt.
    AttemptsApart,
    /// A mark counts only for its release.
    ReleasesApart,
}

#[cfg(feature = "_mutants")]
mod switch {
    use super::Guard;
    use core::sync::atomic::{AtomicU8, Ordering};

    static OFF: AtomicU8 = AtomicU8::new(0);

    impl Guard {
        /// All guards.
        pub const ALL: [Self; 52] = [
            Self::UpGate,
            Self::DownGate,
            Self::ScaleDownDeadline,
            Self::ReadYourWrites,
            Self::LateWriteFence,
            Self::InCharge,
            Self::StatusFirst,
            Self::OneLayer,
            Self::LiveCapacity,
            Self::LiveEndpoints,
            Self::NotYet,
            Self::StableReturn,
            Self::AbortedRises,
            Self::StableGains,
            Self::StableKeeps,
            Self::RolesSwap,
            Self::StepWindows,
            Self::GradualAbort,
            Self::Available,
            Self::SwapAlone,
            Self::RollbackWindow,
            Self::OldPodsLimit,
            Self::DeadlineAbort,
            Self::TotalWeight,
            Self::OwnScale,
            Self::BadAborts,
            Self::VerdictOfThis,
            Self::NoEvidence,
            Self::OutageHolds,
            Self::RunFirst,
            Self::UnreadableHolds,
            Self::UnsureHolds,
            Self::StartGate,
            Self::OldRunsEnd,
            Self::WantedRunsStay,
            Self::StartingStep,
            Self::RequestsFirst,
            Self::RetryAnew,
            Self::PodsInEveryCluster,
            Self::StepsTogether,
            Self::WavesInOrder,
            Self::Soak,
            Self::OldPodsForOthers,
            Self::EarlierPodsForOthers,
            Self::CanaryForOthers,
            Self::AbortEverywhere,
            Self::LaterAttempt,
            Self::FollowPauses,
            Self::UnknownHolds,
            Self::SlowestCounts,
            Self::AttemptsApart,
            Self::ReleasesApart,
        ];
    }

    /// Switches one guard off in the whole process; `None` restores all.
    pub fn switch_off(guard: Option<Guard>) {
        OFF.store(guard.map_or(0, |guard| guard as u8), Ordering::SeqCst);
    }

    /// Returns whether a guard is switched off.
    #[must_use]
    pub fn off(guard: Guard) -> bool {
        OFF.load(Ordering::Relaxed) == guard as u8
    }
}

#[cfg(feature = "_mutants")]
pub use switch::{off, switch_off};

/// Returns whether a guard is switched off: never, without the private feature `_mutants`.
#[cfg(not(feature = "_mutants"))]
#[must_use]
pub(crate) const fn off(_: Guard) -> bool {
    false
}
