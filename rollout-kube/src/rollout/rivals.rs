//! Other processes that work on the same Rollout.

use std::time::Duration;
use tokio::time::Instant;

/// What the nonces of other processes have revealed.
#[derive(Debug, Default)]
pub(super) struct Rivals {
    /// How often in a row another process replaced our nonce, and when last.
    met: Option<(u32, Instant)>,
    yields_until: Option<Instant>,
    /// The warning that is still to be published; it is published once.
    warning: Option<String>,
    has_warned: bool,
}

/// A nonce that is replaced only once may be a late write of an earlier process.
const OFTEN: u32 = 2;
/// A rival that has not been met for this long is forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(300);
/// How long the process that started first leaves the Rollout to the other.
const YIELDS_FOR: Duration = Duration::from_secs(60);

impl Rivals {
    /// Records that another nonce replaced ours.
    pub(super) fn met(&mut self, ours: &str, other: &str, now: Instant) {
        let again = self.met.filter(|(_, last)| now.saturating_duration_since(*last) < FORGOTTEN_AFTER);
        if again.is_none() {
            self.has_warned = false;
        }
        let times = again.map_or(1, |(times, _)| times.saturating_add(1));
        self.met = Some((times, now));
        if times < OFTEN {
            return;
        }
        // A nonce begins with the start time of its process: the newer process, meant to take over, continues.
        let is_older = ours < other;
        if is_older {
            self.yields_until = now.checked_add(YIELDS_FOR);
        }
        if !std::mem::replace(&mut self.has_warned, true) {
            let what = if is_older { "this one leaves it alone for a while" } else { "this one continues" };
            self.warning = Some(format!(
                "another controller ({other}) works on this Rollout at the same time: {what}; stop one of the two, \
                 or give each its own --instance-id"
            ));
        }
    }

    /// Returns until when the Rollout is left to the other process.
    pub(super) fn yields(&self, now: Instant) -> Option<Instant> {
        self.yields_until.filter(|until| *until > now)
    }

    /// Takes the warning, which is published once.
    pub(super) fn take_warning(&mut self) -> Option<String> {
        self.warning.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_older_of_two_yields_and_each_warns_once() {
        let (mut old, mut new) = (Rivals::default(), Rivals::default());
        let now = Instant::now();
        for _ in 0..3 {
            old.met("17a-1", "17b-1", now);
            new.met("17b-1", "17a-1", now);
        }
        assert!(old.yields(now).is_some() && new.yields(now).is_none());
        assert_eq!(old.yields(now + YIELDS_FOR), None, "the other may be gone by then");
        assert!(
            old.take_warning().is_some_and(|why| why.contains("17b-1") && why.contains("leaves it alone"))
        );
        assert!(new.take_warning().is_some_and(|why| why.contains("this one continues")));
        assert_eq!((old.take_warning(), new.take_warning()), (None, None));
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_write_of_an_earlier_process_is_no_rival() {
        let mut rivals = Rivals::default();
        rivals.met("17b-1", "17a-9", Instant::now());
        rivals.met("17b-2", "17a-9", Instant::now() + FORGOTTEN_AFTER);
        assert_eq!((rivals.yields(Instant::now()), rivals.take_warning()), (None, None));
    }
}
