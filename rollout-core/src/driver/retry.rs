use super::Failure;
use crate::{Action, Time};
use alloc::{string::String, vec::Vec};
use core::time::Duration;

const LONGEST: Duration = Duration::from_secs(64);
/// The maximum number of consecutive turns with the same actions: another client may undo them once or twice.
const AGAIN: u32 = 3;

/// The back-off after failures: repeated failures make retries less frequent, even if something changes.
#[derive(Debug, Clone, Default)]
pub(super) struct Retry {
    failures: u32,
    /// The actions of the last turn, and the number of consecutive turns with the same ones.
    did: (Vec<Action>, u32),
    /// In time of the process's own clock.
    not_before: Duration,
}

impl Retry {
    pub(super) fn went_well(&mut self) {
        (self.failures, self.not_before) = (0, Duration::ZERO);
    }

    /// Records the actions of a turn; fails if earlier turns did the same and the observation does not show it.
    pub(super) fn did(&mut self, mut actions: Vec<Action>) -> Option<Failure> {
        for action in &mut actions {
            // The time of a scale-down deadline differs at every attempt.
            if let Action::Scale { scale_down_deadline: Some(at), .. } = action {
                *at = Time::from_secs(0);
            }
        }
        let (before, times) = &mut self.did;
        if actions.is_empty() || *before != actions {
            self.did = (actions, 1);
            return None;
        }
        *times = times.saturating_add(1);
        let why = "the same actions were carried out again and again, but no observation shows their effect";
        (*times > AGAIN).then(|| Failure::Refused(String::from(why)))
    }

    /// Returns how long to wait before the next attempt: none after a conflict or the first unclear answer.
    pub(super) fn failed(&mut self, failure: &Failure, elapsed: Duration) -> Duration {
        self.failures = self.failures.saturating_add(1).min(16);
        let free = match failure {
            Failure::Refused(_) => 0,
            Failure::Ambiguous(_) => 1,
            Failure::Conflict => 3,
        };
        let delay = match self.failures.checked_sub(free + 1) {
            None => Duration::ZERO,
            Some(exponent) => Duration::from_secs(2 << exponent.min(5)).min(LONGEST),
        };
        self.not_before = elapsed.saturating_add(delay);
        delay
    }

    pub(super) fn is_failing(&self) -> bool {
        self.failures > 0
    }

    pub(super) fn not_before(&self) -> Duration {
        self.not_before
    }

    pub(super) fn rest_until(&mut self, elapsed: Duration) {
        self.not_before = self.not_before.max(elapsed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn what_goes_on_failing_is_tried_less_and_less_often() {
        let waits = |failure: &Failure, times| {
            let mut retry = Retry::default();
            (0..times).map(|_| retry.failed(failure, Duration::ZERO).as_secs()).collect::<Vec<_>>()
        };
        assert_eq!(waits(&Failure::Refused("quota".into()), 8), [2, 4, 8, 16, 32, 64, 64, 64]);
        assert_eq!(waits(&Failure::Ambiguous("no answer".into()), 4), [0, 2, 4, 8]);
        assert_eq!(waits(&Failure::Conflict, 5), [0, 0, 0, 2, 4]);
    }

    #[test]
    fn the_same_may_be_done_three_times_in_a_row() {
        let scale = |pods, scale_down_deadline: Option<i64>| {
            let scale_down_deadline = scale_down_deadline.map(Time::from_secs);
            [Action::Scale { revision: "v1".into(), pods, scale_down_deadline }].to_vec()
        };
        let mut retry = Retry::default();
        for at in 1..=3 {
            assert_eq!(retry.did(scale(0, Some(at))), None, "{at}");
        }
        assert!(matches!(retry.did(scale(0, Some(4))), Some(Failure::Refused(_))));
        assert_eq!(retry.did(scale(0, None)), None, "without the mark it is something else");
        assert_eq!(retry.did(Vec::new()), None);
        assert_eq!(retry.did(Vec::new()), None, "and nothing may be done for ever");
    }

    #[test]
    fn what_went_well_ends_it() {
        let (mut retry, second) = (Retry::default(), Duration::from_secs(1));
        retry.failed(&Failure::Refused("quota".into()), second);
        assert!(retry.is_failing() && retry.not_before() == 3 * second);
        retry.rest_until(9 * second);
        assert_eq!(retry.not_before(), 9 * second);
        retry.went_well();
        assert!(!retry.is_failing() && retry.not_before() == Duration::ZERO);
    }
}
