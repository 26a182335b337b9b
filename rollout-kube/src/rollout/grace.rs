//! A missing object may appear soon, while the user is still applying manifests.

use std::time::Duration;
use tokio::time::Instant;

/// How long an object may be missing before that is reported as wrong.
const PERIOD: Duration = Duration::from_secs(5);

/// Since when objects are missing. Another object that turns out to be missing meanwhile gets no extra time.
#[derive(Debug, Default)]
pub(super) struct Grace(Option<Instant>);

impl Grace {
    /// Returns when the grace period ends; `None` if nothing is missing or it is over.
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
    async fn a_missing_object_has_one_short_grace_period() {
        let (mut grace, now) = (Grace::default(), Instant::now());
        assert_eq!(grace.until(true, now), Some(now + PERIOD));
        assert_eq!(grace.until(true, now + PERIOD / 2), Some(now + PERIOD));
        assert_eq!(grace.until(true, now + PERIOD), None);
        assert_eq!(grace.until(false, now + PERIOD), None);
        assert!(grace.until(true, now + PERIOD).is_some(), "it existed in between");
    }
}
