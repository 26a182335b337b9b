use crate::{Time, Wake};
use core::time::Duration;

/// When the next turn of a rollout starts, unless something changes earlier.
///
/// A change may start a turn earlier. That is harmless if it is not before
/// [`Driver::not_before`](super::Driver::not_before).
///
/// See [`due`](Self::due) for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a loop that does not know a new way of waiting must not compile"
)]
pub enum Resume {
    /// At once: something was written, the observation is out of date, or the outcome of a write is unknown.
    Now {
        /// Whether everything must be read live, not from a cache.
        live: bool,
    },
    /// At this time, for this reason.
    At(Wake),
    /// After this delay: something failed, or the rollout must rest.
    After {
        /// The delay from now on.
        delay: Duration,
        /// Whether everything must be read live, not from a cache.
        live: bool,
    },
    /// On the next change: nothing is due.
    OnChange,
}

impl Resume {
    /// Returns when the next turn is due if it is `now`; `None` if only a change starts one.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::{Resume, Time, Wake, waiting::WakeReason};
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
