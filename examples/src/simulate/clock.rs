//! Virtual time: 0 is the update.

use super::duration;
use rollout_core::Time;
use std::time::Duration;

/// Tells times relative to the update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clock {
    /// When the update was.
    pub(crate) zero: Time,
}

impl Clock {
    /// Milliseconds after the update; negative before it.
    pub(crate) fn millis(self, at: Time) -> i64 {
        at.as_millis().saturating_sub(self.zero.as_millis())
    }

    /// `-17s`, `0s`, `10m17s`.
    pub(crate) fn show(self, at: Time) -> String {
        let millis = self.millis(at);
        let text = duration::show(Duration::from_millis(millis.unsigned_abs()));
        if millis < 0 { format!("-{text}") } else { text }
    }

    /// When something is that is to be so long after the update.
    pub(crate) fn after(self, time: Duration) -> Time {
        self.zero + time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_and_after_the_update() {
        let clock = Clock { zero: Time::from_secs(1_000) };
        for (millis, text) in [(983_000, "-17s"), (1_000_000, "0s"), (1_617_250, "10m17.25s")] {
            assert_eq!(clock.show(Time::from_millis(millis)), text);
        }
        assert_eq!(clock.millis(clock.after(Duration::from_secs(3))), 3_000);
    }
}
