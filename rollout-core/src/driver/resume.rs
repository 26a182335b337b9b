use crate::{Time, Wake};
use core::time::Duration;

/// When the next turn of a rollout begins, unless something changes before.
///
/// A change may start a turn earlier. That is harmless, as long as it is not before
/// [`Driver::not_before`](super::Driver::not_before).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a loop that does not know a new way of waiting must not compile"
)]
pub enum Resume {
    /// At once: something was written, what was observed is out of date, or the outcome of a write is not known.
    Now {
        /// Whether everything has to be read live, not from a cache.
        live: bool,
    },
    /// At this time, for this reason.
    At(Wake),
    /// After this delay: something failed, or the rollout has to rest.
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
    /// When the next turn is due, if it is `now`; `None` when only a change starts one.
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
