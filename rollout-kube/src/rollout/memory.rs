use super::{
    grace::Grace,
    rate::Rate,
    rivals::Rivals,
    runner::{MetadataFailures, RestartMemory, WorkloadScaling},
    waits::Waits,
};
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

/// A process's memory of one rollout, beyond what is stored. All of it may be lost.
#[derive(Debug)]
pub(crate) struct RolloutMemory {
    /// The engine's memory.
    pub(super) driver: Driver,
    /// The driver's clock starts here.
    began: Instant,
    pub(super) counts: Counts,
    pub(super) was_seen: bool,
    /// The last log line about it, so that it is logged once.
    pub(super) last_logged: String,
    /// Since when changed counts wait to be stored; only readers of the status need them.
    pub(super) counts_since: Option<Instant>,
    /// Limits how often the status is stored without a decision.
    pub(super) display_rate: Rate,
    /// Since when a new number waits to be written to the Rollout.
    pub(super) number_since: Option<Instant>,
    /// The weight in the last weight event.
    pub(super) weight: Option<u32>,
    /// The current problems that were published as events.
    pub(super) troubles: BTreeSet<String>,
    /// What was said of objects that are copies.
    pub(super) copies: BTreeSet<String>,
    /// What the rollout is waiting for.
    pub(super) waits: Waits,
    /// The revision whose ReplicaSet was refused, and why.
    pub(super) refused: Option<(Revision, String)>,
    /// The fields that the engine ignores, as last reported; `None` until this process has looked.
    pub(super) ignored: Option<Vec<String>>,
    /// What is odd about the analyses, as last reported.
    pub(super) odd_analyses: Vec<String>,
    /// Other processes that work on the same Rollout.
    pub(super) rivals: Rivals,
    /// The grace period of missing objects.
    pub(super) grace: Grace,
    /// The version of the Rollout that was measured, and why it is too large, if it is.
    pub(super) size: Option<(Arc<str>, Option<String>)>,
    /// The fingerprint of the reading on which the last turn ended in a conflict.
    pub(super) conflict_on: Option<u64>,
    /// The objects that were released because the Rollout no longer names them, and when.
    pub(super) released: Vec<(ObjectRef, ObjectVersion)>,
    pub(super) released_at: Option<Instant>,
    /// The labels and annotations that could not be written.
    pub(super) metadata: MetadataFailures,
    pub(super) restart: RestartMemory,
    pub(super) scaling: WorkloadScaling,
    /// The Rollout, as last seen.
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
            copies: BTreeSet::new(),
            waits: Waits::default(),
            refused: None,
            ignored: None,
            odd_analyses: Vec::new(),
            rivals: Rivals::default(),
            grace: Grace::default(),
            size: None,
            conflict_on: None,
            released: Vec::new(),
            released_at: None,
            metadata: MetadataFailures::default(),
            restart: RestartMemory::default(),
            scaling: WorkloadScaling::default(),
            rollout: None,
        }
    }

    /// Creates the memory after this many panicking turns in a row; returns the earliest time of the next turn, too.
    pub(crate) fn after_panic(process: &str, times: u32) -> (Self, Instant) {
        // Do not report again that the Rollout was seen.
        let mut memory = Self { was_seen: true, ..Self::new(process) };
        let panicked = Failure::Ambiguous("the turn panicked".to_owned());
        for _ in 0..=times.min(16) {
            memory.driver.failed(&panicked, Duration::ZERO);
        }
        let next = memory.earliest();
        (memory, next)
    }

    /// Returns the driver's time.
    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Records a failure outside a turn; returns when to retry.
    pub(super) fn failed(&mut self, failure: &Failure) -> Instant {
        let elapsed = self.elapsed();
        self.driver.failed(failure, elapsed);
        self.earliest()
    }

    /// Records success without a turn.
    pub(super) fn succeeded(&mut self) {
        self.driver.went_well();
        self.conflict_on = None;
    }

    /// Records a conflict on a reading with this fingerprint; returns whether the last conflict had the same one. Then
    /// no object has changed in between, and observing again does not help.
    pub(super) fn is_repeated_conflict(&mut self, fingerprint: u64) -> bool {
        self.conflict_on.replace(fingerprint) == Some(fingerprint)
    }

    /// Lets the rollout rest for this long, whatever changes.
    pub(crate) fn rest_for(&mut self, time: Duration) {
        let until = self.elapsed() + time;
        self.driver.rest_until(until);
    }

    /// Returns the earliest time of the next turn, even if something changes.
    pub(crate) fn earliest(&self) -> Instant {
        (self.began + self.driver.not_before()).max(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_keeps_panicking_is_retried_less_and_less_often() {
        let waits = [1, 2, 3, 4, 100].map(|times| {
            let (memory, next) = RolloutMemory::after_panic("p", times);
            assert_eq!(memory.earliest(), next, "whatever changes");
            (next - Instant::now()).as_secs()
        });
        assert_eq!(waits, [2, 4, 8, 16, 64]);
    }
}
