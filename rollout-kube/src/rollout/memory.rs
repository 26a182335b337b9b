use super::{grace::Grace, rate::Rate, rivals::Rivals, waits::Waits};
use crate::replica_set::Counts;
use rollout_core::{
    Driver, Failure, Revision,
    traffic::{ObjectRef, ObjectVersion},
};
use serde_json::Value;
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::time::Instant;

/// Namespace and name of a Rollout.
pub(crate) type Key = (String, String);

/// What a process knows of one rollout beside what is stored. All of it may be lost.
#[derive(Debug)]
pub(crate) struct RolloutMemory {
    /// What the engine remembers.
    pub(super) driver: Driver,
    /// The driver's time runs from here.
    began: Instant,
    pub(super) counts: Counts,
    pub(super) was_seen: bool,
    /// What was last said about it, so that it is said once.
    pub(super) last_logged: String,
    /// Since when counts are to be stored that nothing but a reader waits for.
    pub(super) counts_since: Option<Instant>,
    /// How often its status was stored without a decision.
    pub(super) display_rate: Rate,
    /// Since when the Rollout is to bear another number.
    pub(super) number_since: Option<Instant>,
    /// The weight in the last event about it.
    pub(super) weight: Option<u32>,
    /// The trouble that was told in events and still is.
    pub(super) troubles: BTreeSet<String>,
    /// What it waits for.
    pub(super) waits: Waits,
    /// The revision whose ReplicaSet was refused, and why.
    pub(super) refused: Option<(Revision, String)>,
    /// What the Rollout asks for and the engine does not do, as it was last told.
    pub(super) ignored: Vec<String>,
    /// Other processes that work on it.
    pub(super) rivals: Rivals,
    /// What is missing, and may be about to come.
    pub(super) grace: Grace,
    /// The version of the Rollout whose size was looked at, and what was wrong with it.
    pub(super) size: Option<(Arc<str>, Option<String>)>,
    /// On what the last turn ended in a conflict.
    pub(super) conflict_on: Option<u64>,
    /// What it no longer names and was released, and when.
    pub(super) released: Vec<(ObjectRef, ObjectVersion)>,
    pub(super) released_at: Option<Instant>,
    /// The Rollout, as it was last seen.
    pub(super) rollout: Option<Arc<Value>>,
}

impl RolloutMemory {
    pub(crate) fn new(process: &str) -> Self {
        Self {
            driver: Driver::new(process),
            began: Instant::now(),
            counts: Counts::default(),
            was_seen: false,
            last_logged: String::new(),
            counts_since: None,
            display_rate: Rate::default(),
            number_since: None,
            weight: None,
            troubles: BTreeSet::new(),
            waits: Waits::default(),
            refused: None,
            ignored: Vec::new(),
            rivals: Rivals::default(),
            grace: Grace::default(),
            size: None,
            conflict_on: None,
            released: Vec::new(),
            released_at: None,
            rollout: None,
        }
    }

    /// What is left after a turn that broke off, so many in a row; and when the next may be.
    pub(crate) fn after_panic(process: &str, times: u32) -> (Self, Instant) {
        // That it was seen is not told again.
        let mut memory = Self { was_seen: true, ..Self::new(process) };
        let broke_off = Failure::Ambiguous("the turn broke off".to_owned());
        for _ in 0..=times.min(16) {
            memory.driver.failed(&broke_off, Duration::ZERO);
        }
        let next = memory.earliest();
        (memory, next)
    }

    /// The driver's time.
    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Something failed outside a turn: when to try again.
    pub(super) fn failed(&mut self, failure: &Failure) -> Instant {
        let elapsed = self.elapsed();
        self.driver.failed(failure, elapsed);
        self.earliest()
    }

    /// Nothing had to be done, or it was done without a turn.
    pub(super) fn succeeded(&mut self) {
        self.driver.went_well();
        self.conflict_on = None;
    }

    /// A turn ended in a conflict on what has this fingerprint: whether it is none. When everything is as it was
    /// at the last conflict, nobody has changed it, and to look again helps nobody.
    pub(super) fn is_repeated_conflict(&mut self, fingerprint: u64) -> bool {
        self.conflict_on.replace(fingerprint) == Some(fingerprint)
    }

    /// From now on, the Rollout rests for so long, whatever the news.
    pub(crate) fn rest_for(&mut self, time: Duration) {
        let until = self.elapsed() + time;
        self.driver.rest_until(until);
    }

    /// The earliest time of the next turn, when there is news.
    pub(crate) fn earliest(&self) -> Instant {
        (self.began + self.driver.not_before()).max(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_breaks_off_again_and_again_is_tried_less_and_less_often() {
        let waits = [1, 2, 3, 4, 100].map(|times| {
            let (memory, next) = RolloutMemory::after_panic("p", times);
            assert_eq!(memory.earliest(), next, "whatever the news");
            (next - Instant::now()).as_secs()
        });
        assert_eq!(waits, [2, 4, 8, 16, 64]);
    }
}
