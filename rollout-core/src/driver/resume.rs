use crate::{Time, Wake};
use core::time::Duration;

/// When the next turn of a rollout begins, unless something changes before.
///
/// What happens meanwhile begins one earlier, and is harmless, but never before
/// [`Driver::not_before`](super::Driver::not_before).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a driver that cannot wait in a new way must not compile")]
pub enum Resume {
    /// At once: something was written, or what was read is no longer so.
    Now {
        /// Whether everything has to be read live, not from a cache.
        live: bool,
    },
    /// At this time, for this reason.
    At(Wake),
    /// After this time: something failed, and goes on failing.
    After {
        /// How long, from now on.
        delay: Duration,
        /// Whether everything has to be read live, not from a cache.
        live: bool,
    },
    /// When something changes: nothing is due.
    OnChange,
}

impl Resume {
    /// The time at which the next turn begins, where it is `now`; `None` when only a change begins one.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::{Resume, Time, Wake, WakeReason};
    /// let now = Time::from_secs(100);
    /// assert_eq!(Resume::Now { live: false }.due(now), Some(now));
    /// let after = Resume::After { delay: Duration::from_secs(2), live: true };
    /// assert_eq!(after.due(now), Some(Time::from_secs(102)));
    /// let missed = Resume::At(Wake::new(Time::from_secs(90), WakeReason::PauseEnds));
    /// assert_eq!(missed.due(now), Some(now));
    /// assert_eq!(Resume::OnChange.due(now), None);
    /// ```
    #[must_use]
    pub fn due(&self, now: Time) -> Option<Time> {
        match self {
            Self::Now { .. } => Some(now),
            Self::At(wake) => Some(wake.at.max(now)),
            Self::After { delay, .. } => Some(now + *delay),
            Self::OnChange => None,
        }
    }
}
