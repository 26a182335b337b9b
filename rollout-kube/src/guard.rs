//! The guards of the adapter that the random histories check. Each can be switched off to prove that a law detects its
//! absence.
//!
//! Only with the private feature `_mutants`; without it, every guard is active and costs nothing.

/// A guard that can be switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(not(feature = "_mutants"), expect(unreachable_pub, reason = "exported with `_mutants`"))]
pub enum Guard {
    /// Labels and annotations of pods are done only when the pods are seen to have them.
    MetadataIsSeen,
    /// When a role ends, the template's own labels and annotations come back.
    OwnMetadataReturns,
    /// Only pods that a ReplicaSet of the Rollout owns are written and evicted.
    OwnPods,
    /// A restart evicts no more than `maxUnavailable` pods at a time.
    EvictionLimit,
    /// A restart is over only when every pod is newer.
    RestartEnds,
    /// The pods of an update keep off the nodes of stable.
    AntiAffinityBegins,
    /// Stable's pods avoid nobody.
    AntiAffinityEnds,
    /// A Deployment gives up pods only for those that are available in their place.
    HandOver,
    /// With `pingPong`, the Services are found by their present roles.
    PresentRoles,
    /// What a run has measured is stored on the version that was read.
    #[cfg(any(feature = "analysis", feature = "_mutants"))]
    RunIsUnchanged,
    /// A question is given up when its run has changed.
    #[cfg(any(feature = "analysis", feature = "_mutants"))]
    ChangedRunIsAnew,
    /// A question whose outcome nobody knows is asked again.
    #[cfg(any(feature = "analysis", feature = "_mutants"))]
    UnclearIsAskedAgain,
    /// A run is looked at when it is due.
    #[cfg(any(feature = "analysis", feature = "_mutants"))]
    DueRunIsSeen,
    /// What a run is for, its annotation says.
    RunIsKnown,
    /// A run whose name is taken by another has another name.
    RunNameIsFree,
    /// A run that is not needed any more is told to end.
    OldRunStops,
    /// A run beyond the history limits is deleted.
    OldRunIsDeleted,
    /// That somebody ended a run is known to the Rollout.
    EndedRunIsSeen,
}

#[cfg(feature = "_mutants")]
mod switch {
    use super::Guard;
    use std::cell::Cell;

    thread_local! {
        /// By thread: histories are tried on several at a time, each in a runtime of one thread.
        static OFF: Cell<Option<Guard>> = const { Cell::new(None) };
    }

    impl Guard {
        /// All guards.
        pub const ALL: [Self; 18] = [
            Self::MetadataIsSeen,
            Self::OwnMetadataReturns,
            Self::OwnPods,
            Self::EvictionLimit,
            Self::RestartEnds,
            Self::AntiAffinityBegins,
            Self::AntiAffinityEnds,
            Self::HandOver,
            Self::PresentRoles,
            Self::RunIsUnchanged,
            Self::ChangedRunIsAnew,
            Self::UnclearIsAskedAgain,
            Self::DueRunIsSeen,
            Self::RunIsKnown,
            Self::RunNameIsFree,
            Self::OldRunStops,
            Self::OldRunIsDeleted,
            Self::EndedRunIsSeen,
        ];
    }

    /// Switches one guard off in this thread; `None` restores all.
    pub fn switch_off(guard: Option<Guard>) {
        OFF.set(guard);
    }

    /// Returns whether a guard is switched off.
    pub(crate) fn off(guard: Guard) -> bool {
        OFF.get() == Some(guard)
    }
}

#[cfg(feature = "_mutants")]
pub(crate) use switch::off;
#[cfg(feature = "_mutants")]
pub use switch::switch_off;

/// Returns whether a guard is switched off: never, without the private feature `_mutants`.
#[cfg(not(feature = "_mutants"))]
#[must_use]
pub(crate) const fn off(_: Guard) -> bool {
    false
}
