//! The laws about several clusters that release together.
//!
//! | law | in words |
//! |---|---|
//! | `half_step` | in step, no two clusters of a wave are more than one mark apart |
//! | `pods_before_any_weight` | no weight and no managed route for a step before every counted cluster has had its pods |
//! | `wave_order` | no cluster begins before the earlier waves are done |
//! | `soak_passes` | no cluster of a later wave begins before the soak time after it could know that the earlier ones were done |
//! | `in_flight_bound` | out of step, no more clusters are under way than may fail, and one |
//! | `nobody_pulls_the_rug` | an old revision keeps its pods until every cluster is done |
//! | `earlier_pods_stay` | a canary loses no pods on account of its step before every cluster routes as this step says |
//! | `canary_stays_for_others` | an aborted canary keeps its pods while another cluster sends requests to it |
//! | `abort_reaches_all` | in the end, an abort in one cluster is one in every cluster that was not done |
//! | `one_click` | a pause without an end is passed by a person, in any cluster, and then in all |
//! | `cut_off_holds` | a cluster that can read no other begins no step and routes none |
//! | `heals` | in the end, every cluster is done, or some cluster waits for a person or its own pods |
//!
//! The laws about the functions alone (`permit_is_monotone`, `stale_only_holds`, `join_laws`, `same_release`,
//! `foreign_peer_is_safe`) need no history: `rollout-core/tests/fleet/`.

mod decisions;
mod ledger;
mod links;
mod marks;
mod pods;

use crate::{
    Time, Waiting,
    fleet::{ClusterName, Policy, Reading},
    sim::Truth,
    testing::laws::Violation,
};
use alloc::{collections::BTreeMap, string::String, vec::Vec};
use ledger::{Ledger, Snapshot};

/// Judges several clusters that release together, from the real state of all of them.
///
/// See [`play_fleet`](super::play_fleet) for an example.
#[derive(Debug)]
pub struct FleetLaws {
    policy: Policy,
    ledger: Ledger,
    broken: Option<Violation>,
    premises: BTreeMap<&'static str, u64>,
}

/// One change of one cluster.
struct Change<'a> {
    /// The number of the cluster that changed.
    member: usize,
    before: &'a Snapshot,
    after: &'a Snapshot,
    truth: &'a Truth,
}

impl FleetLaws {
    /// The names of all laws.
    ///
    /// ```
    /// use rollout_core::testing::fleet::FleetLaws;
    /// assert!(FleetLaws::NAMES.contains(&"half_step"));
    /// ```
    pub const NAMES: [&'static str; 12] = [
        "half_step",
        "pods_before_any_weight",
        "wave_order",
        "soak_passes",
        "in_flight_bound",
        "nobody_pulls_the_rug",
        "earlier_pods_stay",
        "canary_stays_for_others",
        "abort_reaches_all",
        "one_click",
        "cut_off_holds",
        "heals",
    ];

    pub(super) fn new(policy: Policy, names: Vec<ClusterName>) -> Self {
        let ledger = Ledger::new(names, &policy);
        Self { policy, ledger, broken: None, premises: BTreeMap::new() }
    }

    /// Returns the first violation, if there was one.
    ///
    /// See [`play_fleet`](super::play_fleet) for an example.
    #[must_use]
    pub fn violation(&self) -> Option<&Violation> {
        self.broken.as_ref()
    }

    /// Returns how often each law had something to judge.
    ///
    /// ```
    /// use rollout_core::testing::fleet::{fleets, play_fleet};
    /// let played = play_fleet(&fleets().draw(3).unwrap());
    /// assert!(played.together.premises().count() > 0);
    /// ```
    pub fn premises(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.premises.iter().map(|(law, count)| (*law, *count))
    }

    pub(super) fn broken(&mut self, law: &'static str, how: String) {
        if self.broken.is_none() {
            self.broken = Some(Violation { law, how });
        }
    }

    /// Called when a cluster learns something about another one.
    pub(super) fn hears(&mut self, to: usize, from: &ClusterName, reading: &Reading) {
        self.ledger.hears(to, from, reading.unreachable_since.is_some());
    }

    /// Called after the cluster with this number has changed.
    pub(super) fn see(&mut self, truths: &[&Truth], member: usize, now: Time) {
        let Some(truth) = truths.get(member) else { return };
        let after = Snapshot::of(truth);
        let Some(before) = self.ledger.last(member).cloned() else {
            self.ledger.remember(member, after);
            return;
        };
        if before.is_like(&after) {
            return;
        }
        self.ledger.note(member, &after);
        let change = Change { member, before: &before, after: &after, truth };
        let _ = now;
        marks::judge(self, &change);
        pods::judge(self, &change, truths);
        decisions::judge(self, &change);
        links::judge(self, &change);
        self.ledger.remember(member, after);
    }

    /// Called at the end, after all faults have ended and everything came to rest.
    pub(super) fn end(&mut self, truths: &[&Truth], waits: &[Vec<Waiting>]) {
        decisions::judge_end(self, truths, waits);
    }

    fn premise(&mut self, law: &'static str) {
        *self.premises.entry(law).or_default() += 1;
    }
}
