//! A named object that does not exist yet: while a folder is being applied, it may be about to come.

use std::time::Duration;
use tokio::time::Instant;

/// How long an object may be missing before that is reported as wrong.
const PERIOD: Duration = Duration::from_secs(5);

/// Since when something is missing. What else turns out to be missing meanwhile gets no extra time.
#[derive(Debug, Default)]
pub(super) struct Grace(Option<Instant>);

impl Grace {
    /// Until when what is missing may be missing; `None` if nothing is, or the time is over.
    pub(super) fn until(&mut self, is_missing: bool, now: Instant) -> Option<Instant> {
        if !is_missing {
            self.0 = None;
            return None;
        }
        let until = self.0.get_or_insert(now).checked_add(PERIOD)?;
        (until > now).then_some(until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_missing_has_a_short_time_to_come_once() {
        let (mut grace, now) = (Grace::default(), Instant::now());
        assert_eq!(grace.until(true, now), Some(now + PERIOD));
        assert_eq!(grace.until(true, now + PERIOD / 2), Some(now + PERIOD));
        assert_eq!(grace.until(true, now + PERIOD), None);
        assert_eq!(grace.until(false, now + PERIOD), None);
        assert!(grace.until(true, now + PERIOD).is_some(), "it was there");
    }
}
