//! The laws, with one file each.
//!
//! | law | in words | where it came from |
//! |---|---|---|
//! | `deterministic` | the same inputs give the same plan | level-triggered controllers: a decision must be replayable |
//! | `quiescent` | at rest, repeated decisions change nothing | controllers that write at rest fight each other |
//! | `prefix_safe` | a crash after any action: still safe, still comes to rest | anvil's crash after the n-th write |
//! | `no_unserved_write` | no write by the engine makes a destination that receives requests lead to no ready pod, at any proxy | the canary subset named an empty ReplicaSet while it had weight |
//! | `no_unserved_weight_kept` | no weight stays on a canary that is seen to be gone while stable could carry it | evicted canaries that kept their share |
//! | `one_layer` | a plan writes selectors or routes, never both | proxies get the two in any order |
//! | `live_select_needs_capacity` | a destination in use is pointed only at enough ready pods with settled endpoints | GitOps re-syncs in mid-canary |
//! | `live_pods_stay` | with `pingPong`, a destination that has a weight keeps its revision, and an update ends with a swap of the roles alone | Services that changed their pods under load |
//! | `up_gate` | before the canary gains: enough pods, settled selectors and endpoints; before stable gains: it can carry | routes must not overtake endpoints |
//! | `down_gate` | before a selector leaves pods or pods go, the routes are settled | the old canary was scaled down while still routed to |
//! | `deadline_excludes_traffic` | no traffic for a revision with a scale-down deadline, no deadline for one with traffic, 0 pods only with a deadline | two processes with partial knowledge of each other |
//! | `stale_writer_is_harmless` | a dead process's writes fail once another acts | rolling updates of the controller |
//! | `reads_its_writes` | no decision depends on anything older than the process's own last write | a lagging cache repeats or undoes earlier writes |
//! | `status_first` | a status change is stored before any action of the same decision | a crash in between: the next process would not know that the step had started |
//! | `weights_sum` | weights are out of the declared total | negative weights in routes |
//! | `capacity` | without routing: within `maxSurge` and `maxUnavailable` | an autoscaler's change took stable to 0 |
//! | `stable_follows_weight` | where stable follows the weight, it keeps and gets no greater share than its pods carry | an update that superseded another sent everything to a stable of one pod |
//! | `abort_wins` | once stable can carry, an aborted revision has no traffic after 12 turns | aborts that waited in a circle |
//! | `aborted_never_rises` | an aborted or superseded revision never gains | weights re-applied after an abort |
//! | `pods_go_alone` | pods are removed only in a plan that writes no traffic | a plan is carried out in part |
//! | `deadline_aborts_if_asked` | the progress deadline aborts an update only if the user asked for that, and not early | pods that were only slow |
//! | `few_old_pods` | no more old revisions than `scaleDownDelayRevisionLimit` keep their pods | quick releases in a row |
//! | `failover_only_when_unavailable` | the canary gets more than its step asks for only if stable is unavailable for 10 s and the canary is being rolled out | one eviction must not swing all traffic |
//! | `no_wedge` | every wait has an exit, and nothing is held back silently | rollouts that got stuck without an explanation |
//! | `early_is_harmless` | deciding again before `wake` does nothing | spurious wake-ups |
//! | `wake_means_change` | at its wake-up the plan differs, unless it is a declared poll | polling in disguise |
//! | `promote_once` | the same promote twice moves one step | a double click skipped a pause |
//! | `steps_in_windows` | no release begins outside the windows, and no step other than a pause | a release that went on at night |
//! | `abort_at_its_pace` | a gradual abort takes no more weight than is due | cold pods that got everything at once |
//! | `bad_aborts_at_once` | the turn that sees a bad analysis stores the abort, and nothing rises for that revision | weights that rose while errors piled up |
//! | `verdict_is_of_this` | only a run of this revision, list of steps, role and attempt aborts | a retry that the old run aborted again |
//! | `no_evidence_no_advance` | a step with an analysis ends only by a successful run that nobody ended, or by a person | a metric that was stopped counted as success |
//! | `outage_holds` | while the background analysis gets no answer, cannot be read or is inconclusive, nothing rises | traffic ended, and the canary advanced |
//! | `run_comes_first` | once the canary has requests, nothing rises and no step ends before the background analysis has a run | a weight that rose before anything measured it |
//! | `starts_with_traffic` | a run begins only for the stored position, and beside the steps only once the canary has requests | a run that judged a canary without traffic |
//! | `stopped_runs` | every run of another position is told to end, and no other | analyses that went on after an abort |
//! | `retry_measures_anew` | after a retry, no earlier run counts | a retry that the old run aborted again |
//! | `monotone_steps` | no step is skipped or repeated without a command, an edit, or a rollback within `rollbackWindow` | an index that started over after a restart |
//! | `pause_not_shortened` | a restart or another clock does not shorten a pause | times rounded down to whole seconds |
//! | `unknown_holds` | a failed read never advances a rollout | a failed read taken for an empty one |
//! | `eventually_stable` | once the faults stop, the rollout comes to rest | eventually stable reconciliation (anvil) |
//! | `header_stays_right` | a header route leads to the revision that asks for it, or to stable | header traffic on the revision after |
//! | `wire_round_trip` | a status is unchanged after it is stored and read back | an upgrade must not restart a rollout |
//!
//! `total` (no panic for any status, spec, observation and time) needs no history: `rollout-core/tests/total.rs`.
//!
//! See [`Laws`] for an example of their use, and [`Law`] for one of a new law.
#![expect(clippy::wildcard_enum_match_arm, reason = "a law looks only at the moments that concern it")]

mod abort_at_its_pace;
mod abort_wins;
mod aborted_never_rises;
mod analysis;
mod capacity;
mod deadline_aborts_if_asked;
mod deadline_excludes_traffic;
mod decision;
mod down_gate;
mod eventually_stable;
mod failover_only_when_unavailable;
mod few_old_pods;
mod function;
mod header_stays_right;
mod law;
mod ledger;
mod live_pods_stay;
mod live_select;
mod meet;
mod monotone_steps;
mod no_unserved_weight_kept;
mod no_unserved_write;
mod no_wedge;
mod one_layer;
mod pause_not_shortened;
mod pods_go_alone;
mod prefix_safe;
mod reads_its_writes;
mod stable_follows_weight;
mod stale_writer;
mod status_first;
mod steps_in_windows;
mod unknown_holds;
mod up_gate;
mod weights_sum;

#[cfg(test)]
mod tests;

pub use law::{Findings, Law, Laws, Violation};

use alloc::{boxed::Box, vec, vec::Vec};
use decision::Decision;
use ledger::Ledger;
use meet::Met;

/// Returns fresh instances of all laws about histories.
///
/// ```
/// use rollout_core::testing::laws;
/// let names: Vec<_> = laws::all().iter().map(|law| law.name()).collect();
/// assert!(names.contains(&"no_unserved_write"));
/// ```
#[must_use]
pub fn all() -> Vec<Box<dyn Law>> {
    vec![
        Box::new(no_unserved_write::NoUnservedWrite::default()),
        Box::new(header_stays_right::HeaderStaysRight::default()),
        Box::new(abort_wins::AbortWins::default()),
        Box::new(abort_at_its_pace::AbortAtItsPace),
        Box::new(analysis::BadAbortsAtOnce),
        Box::new(analysis::VerdictIsOfThis),
        Box::new(analysis::NoEvidenceNoAdvance),
        Box::new(analysis::OutageHolds),
        Box::new(analysis::RunComesFirst),
        Box::new(analysis::StartsWithTraffic),
        Box::new(analysis::StoppedRuns),
        Box::new(analysis::RetryMeasuresAnew::default()),
        Box::new(aborted_never_rises::AbortedNeverRises),
        Box::new(no_unserved_weight_kept::NoUnservedWeightKept::default()),
        Box::new(failover_only_when_unavailable::FailoverOnlyWhenUnavailable),
        Box::new(one_layer::OneLayer),
        Box::new(pods_go_alone::PodsGoAlone),
        Box::new(deadline_excludes_traffic::DeadlineExcludesTraffic),
        Box::new(few_old_pods::FewOldPods),
        Box::new(deadline_aborts_if_asked::DeadlineAbortsIfAsked),
        Box::new(up_gate::UpGate),
        Box::new(down_gate::DownGate),
        Box::new(stable_follows_weight::StableFollowsWeight),
        Box::new(live_select::LiveSelectNeedsCapacity),
        Box::new(live_pods_stay::LivePodsStay),
        Box::new(stale_writer::StaleWriterIsHarmless::default()),
        Box::new(reads_its_writes::ReadsItsWrites),
        Box::new(status_first::StatusFirst::default()),
        Box::new(weights_sum::WeightsSum),
        Box::new(capacity::Capacity),
        Box::new(unknown_holds::UnknownHolds),
        Box::new(monotone_steps::MonotoneSteps),
        Box::new(steps_in_windows::StepsInWindows),
        Box::new(pause_not_shortened::PauseNotShortened::default()),
        Box::new(no_wedge::NoWedge),
        Box::new(prefix_safe::PrefixSafe::default()),
        Box::new(eventually_stable::EventuallyStable::default()),
        Box::new(function::Deterministic),
        Box::new(function::EarlyIsHarmless),
        Box::new(function::WakeMeansChange),
        Box::new(function::Quiescent::default()),
        Box::new(function::PromoteOnce),
        Box::new(function::WireRoundTrip),
    ]
}
