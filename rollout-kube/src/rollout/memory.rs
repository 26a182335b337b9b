use super::{ages::Ages, dark::DarkRows, grace::Grace, rate::Rate, rival::Rival, waits::Waits};
use crate::replica_set::Counts;
use rollout_core::{
    Fence, Revision,
    traffic::{ObjectRef, ObjectVersion},
};
use serde_json::Value;
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::time::Instant;

/// Namespace and name of a Rollout.
pub(crate) type Key = (String, String);

/// What a process knows of one rollout beside what is stored. All of it may be lost.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(super) fence: Fence,
    pub(super) nonce: Option<String>,
    pub(super) nonces: u64,
    /// The next observation is read live.
    pub(super) live_next: bool,
    failures: u32,
    not_before: Option<Instant>,
    pub(super) counts: Counts,
    pub(super) ages: Ages,
    pub(super) dark: DarkRows,
    pub(super) was_seen: bool,
    /// What was last said about it, so that it is said once.
    pub(super) said: String,
    /// Since when counts are to be stored that nothing but a reader waits for.
    pub(super) counts_since: Option<Instant>,
    /// How often its status was stored without a decision.
    pub(super) shows: Rate,
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
    pub(super) noted: Vec<String>,
    /// Another process that works on it.
    pub(super) rival: Rival,
    /// The nonce of a fence that was begun and did not come about.
    pub(super) tried: Option<String>,
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

/// How the last turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Well,
    Conflict,
    Refused,
    Unclear,
}

const LONGEST_BACK_OFF: Duration = Duration::from_secs(64);

impl Memory {
    /// When the next turn may be, after one that ended like this.
    ///
    /// A conflict, and the first unclear answer, is followed at once by a live reading; what goes on failing
    /// is tried less and less often, and news do not end that.
    pub(super) fn ended(&mut self, how: Ended, now: Instant) -> Option<Instant> {
        if how == Ended::Well {
            (self.failures, self.not_before, self.conflict_on) = (0, None, None);
            return None;
        }
        self.live_next = true;
        self.failures = self.failures.saturating_add(1).min(16);
        if how == Ended::Unclear {
            self.fence.lost();
        }
        let free = match how {
            Ended::Well | Ended::Refused => 0,
            Ended::Unclear => 1,
            Ended::Conflict => 3,
        };
        let wait = match self.failures.checked_sub(free + 1) {
            None => Duration::ZERO,
            Some(exponent) => Duration::from_secs(2 << exponent.min(5)).min(LONGEST_BACK_OFF),
        };
        self.not_before = Some(now + wait);
        self.not_before
    }

    /// What is left after a turn that broke off, so many in a row; and when the next may be.
    pub(crate) fn after_breaking(times: u32, now: Instant) -> (Self, Instant) {
        // That it was seen is not told again.
        let mut memory = Self { failures: times.min(16), was_seen: true, ..Self::default() };
        let next = memory.ended(Ended::Unclear, now).unwrap_or(now);
        (memory, next)
    }

    /// A turn ended in a conflict on what has this fingerprint: whether it is none. When everything is as it was
    /// at the last conflict, nobody has changed it, and to look again helps nobody.
    pub(super) fn is_no_conflict(&mut self, fingerprint: u64) -> bool {
        self.conflict_on.replace(fingerprint) == Some(fingerprint)
    }

    /// Whether the last turn did not end well.
    pub(super) fn is_failing(&self) -> bool {
        self.failures > 0
    }

    /// The next turn is not before this, whatever the news.
    pub(crate) fn rest_until(&mut self, at: Instant) {
        self.not_before = Some(self.not_before.map_or(at, |before| before.max(at)));
    }

    /// The earliest time of the next turn, when there is news.
    pub(crate) fn earliest(&self, now: Instant) -> Instant {
        self.not_before.map_or(now, |at| at.max(now))
    }

    /// A nonce that was never used.
    pub(super) fn new_nonce(&mut self, process: &str) -> String {
        self.nonces += 1;
        format!("{process}-{}", self.nonces)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(how: Ended, times: usize) -> Vec<u64> {
        let (mut memory, now) = (Memory::default(), Instant::now());
        let mut wait = || memory.ended(how, now).unwrap().duration_since(now).as_secs();
        (0..times).map(|_| wait()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn what_goes_on_failing_is_tried_less_and_less_often() {
        assert_eq!(waits(Ended::Refused, 8), [2, 4, 8, 16, 32, 64, 64, 64]);
        assert_eq!(waits(Ended::Unclear, 4), [0, 2, 4, 8], "it may have taken effect: look at once");
        assert_eq!(waits(Ended::Conflict, 5), [0, 0, 0, 2, 4]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_unclear_answer_costs_the_fence_and_a_good_turn_ends_the_back_off() {
        let (mut memory, now) = (Memory::default(), Instant::now());
        memory.fence.written("n".to_owned());
        memory.ended(Ended::Refused, now);
        assert!(memory.fence.holds() && memory.live_next && memory.earliest(now) > now);
        memory.ended(Ended::Unclear, now);
        assert!(!memory.fence.holds());
        assert_eq!(memory.ended(Ended::Well, now), None);
        assert_eq!(memory.earliest(now), now);
    }
}
