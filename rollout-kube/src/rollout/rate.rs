//! Limits how often a status is stored without a decision.

use std::{collections::VecDeque, time::Duration};
use tokio::time::Instant;

/// How many stores may follow one another at once.
const MOST: usize = 6;
/// The period in which they count.
const PERIOD: Duration = Duration::from_secs(90);

/// When a status was stored that only shows new information.
///
/// The shown status also depends on a process's memory, such as how long stable has been without a pod. Without this
/// limit, two processes that work on one Rollout for a while would overwrite each other's status as fast as they see
/// it, and would lose their memories in conflicts.
#[derive(Debug, Default)]
pub(super) struct Rate {
    times: VecDeque<Instant>,
    /// Whether a status waits to be stored.
    is_pending: bool,
}

impl Rate {
    /// Returns whether a status may be stored now, and counts it if so.
    pub(super) fn allows(&mut self, now: Instant) -> bool {
        self.is_pending = self.next().is_some_and(|next| next > now);
        if self.is_pending {
            return false;
        }
        if self.times.len() >= MOST {
            self.times.pop_front();
        }
        self.times.push_back(now);
        true
    }

    /// Records that no status waits to be stored.
    pub(super) fn clear_pending(&mut self) {
        self.is_pending = false;
    }

    /// Returns when the waiting status may be stored.
    pub(super) fn due(&self) -> Option<Instant> {
        self.next().filter(|_| self.is_pending)
    }

    fn next(&self) -> Option<Instant> {
        let oldest = self.times.front().filter(|_| self.times.len() >= MOST)?;
        oldest.checked_add(PERIOD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_allowed_and_then_one_waits() {
        let (mut rate, began) = (Rate::default(), Instant::now());
        let second = |seconds| began + Duration::from_secs(seconds);
        assert!((0..6).all(|at| rate.allows(second(at))));
        assert_eq!(rate.due(), None, "nothing waits");
        assert!(!rate.allows(second(6)));
        assert_eq!(rate.due(), Some(second(90)));
        assert!(rate.allows(second(90)) && !rate.allows(second(90)), "six in any 90 seconds");
        assert_eq!(rate.due(), Some(second(91)));
        rate.clear_pending();
        assert_eq!(rate.due(), None);
        assert!((500..506).all(|at| rate.allows(second(at))));
    }
}
