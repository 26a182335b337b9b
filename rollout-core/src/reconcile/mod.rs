//! The decision, with one file for each stage: the target, the steps, what the position wants, what must hold first,
//! and what is done about it.
//!
//! | file | answers |
//! |---|---|
//! | `target` | which revision is the target: first, new, superseded, rolled back, steps edited |
//! | `advance` | how far the observation lets the steps go |
//! | `position` | the rollout's position: status, observation, and what follows from both |
//! | `desired` | which routes and pods it wants, with the two emergencies (vanished canary, unavailable stable) |
//! | `settled` | whether every proxy has what was written |
//! | `gates` | what must hold before traffic rises or falls |
//! | `routes`, `selectors` | the two layers: what would be written, and what holds it back |
//! | `scale_up`, `scale_down` | pods, with traffic routing |
//! | `gradual_abort` | how much of its weight an aborted canary still keeps |
//! | `stable_scale` | a stable that shrinks as the canary's weight rises (`dynamicStableScale`) |
//! | `basic`, `surplus`, `posts` | pods, without: a basic canary |
//! | `verdict`, `runs` | what analyses say, and which runs to begin and to end |
//! | `windows` | when a release or a step may begin |
//! | `fleet` | how far the other clusters allow this one to go |
//! | `zero` | `replicas: 0` |
//! | `deadline` | pods that make no progress |

mod advance;
mod basic;
mod deadline;
mod desired;
mod draft;
mod fleet;
mod gates;
mod gradual_abort;
#[cfg(not(feature = "_mutants"))]
pub(crate) mod guard;
#[cfg(feature = "_mutants")]
pub mod guard;
mod position;
mod posts;
mod prune;
mod roles;
mod routes;
mod runs;
mod scale_down;
mod scale_up;
mod selectors;
mod settled;
mod stable_scale;
mod surplus;
mod target;
mod verdict;
mod view;
mod windows;
mod zero;

use crate::{
    CommandKind, Observed, Plan, Spec, Status, Time, Waiting,
    analysis::RunSeen,
    waiting::{Ending, EndsBy, WaitReason},
};
use advance::advance_steps;
use alloc::vec;
use basic::plan_basic;
use draft::{Closed, Draft};
use position::Position;
use prune::prune_revisions;
use routes::plan_traffic;
use runs::plan_runs;
use scale_down::{scale_down, schedule_only};
use scale_up::scale_up;
use target::adopt_target;
use view::View;
use zero::scaled_to_zero;

/// Decides what to do next. Never fails, never panics, reads no clock, does no I/O.
///
/// Level-triggered: it looks only at the current state, so it may be called at any time and any number of times. A
/// decision based on an older observation is simply made again.
///
/// ```
/// use rollout_core::{Action, Observed, Spec, Status, Strategy, Time, reconcile, traffic::Seen};
/// let spec = Spec::new(Strategy::builder().build()?, "v1".into()).replicas(3);
/// let nothing_there = Observed::new().revisions([]).traffic(Seen::nothing());
/// let plan = reconcile(&spec, &Status::default(), &nothing_there, Time::from_secs(0));
/// assert_eq!(plan.actions, [Action::Scale { revision: "v1".into(), pods: 3, scale_down_deadline: None }]);
/// assert_eq!(plan.status.canary, Some("v1".into()));
/// # Ok::<(), rollout_core::InvalidStrategy>(())
/// ```
pub fn reconcile(spec: &Spec, stored: &Status, observed: &Observed, now: Time) -> Plan {
    let mut status = stored.clone();
    let mut draft = Draft::default();
    adopt_target(&mut status, &mut draft, spec, observed);
    if !spec.strategy.ping_pong() {
        status.stable_ping_pong = None;
    }
    let mut view = View::new(spec, observed, now);
    if spec.fleet.is_some() || status.fleet.is_some() {
        fleet::ask(&mut status, &mut draft, &mut view);
    }
    plan(&mut status, &mut draft, &view);
    // The deadline depends on what the decision waits for; after an abort, decide once more.
    if deadline::judge(&mut status, &mut draft, &view) {
        draft.start_over();
        plan(&mut status, &mut draft, &view);
        deadline::judge(&mut status, &mut draft, &view);
    }
    draft.finish(stored, status)
}

fn plan(status: &mut Status, draft: &mut Draft, view: &View<'_>) {
    if !view.knows_revisions() {
        draft.hold(WaitReason::RevisionsUnknown);
        return;
    }
    if scaled_to_zero(status, draft, view) {
        plan_runs(draft, status, view, true);
        return;
    }
    verdict::judge(status, draft, view);
    if let Some(before) = windows::before_release(status, draft, view) {
        return plan_before(&before, (status, draft), view);
    }
    if view.permit().is_some()
        && let Some(before) = fleet::before_release(status, draft, view)
    {
        return plan_before(&before, (status, draft), view);
    }
    let roles = status.stable_ping_pong.unwrap_or_default();
    advance_steps(status, draft, view);
    let swapped = roles != status.stable_ping_pong.unwrap_or_default();
    if view.spec.strategy.ping_pong() && swapped && !guard::off(guard::Guard::SwapAlone) {
        // The observation names the destinations by their old roles. The next turn reads them by the new ones.
        return;
    }
    plan_position(draft, status, view);
    tell_abort(draft, status);
    plan_runs(draft, status, view, false);
    prune_revisions(draft, status, view);
}

/// Plans as if the release that waits were not wanted yet.
fn plan_before(before: &Status, (status, draft): (&Status, &mut Draft), view: &View<'_>) {
    advance::is_paused_by_user(status, draft, view);
    plan_position(draft, before, view);
    plan_runs(draft, status, view, true);
    prune_revisions(draft, status, view);
}

fn plan_position(draft: &mut Draft, status: &Status, view: &View<'_>) {
    let at = Position::new(status, view);
    if view.spec.strategy.routing().is_some() {
        plan_routed(draft, &at);
    } else {
        plan_basic(draft, &at);
    }
}

/// Records that an aborted update, which is at rest, waits for an operator.
fn tell_abort(draft: &mut Draft, status: &Status) {
    let Some(at) = status.aborted.as_ref().map(|aborted| aborted.at) else { return };
    let ends = EndsBy::Command(vec![CommandKind::Retry, CommandKind::Undo, CommandKind::PromoteFull]);
    draft.wait(Closed { waiting: Waiting::new(WaitReason::Aborted, Some(at), ends), wake: None });
}

/// Plans pods up, then one layer of traffic, then scale-down deadlines, then pods down: never pods down together with
/// traffic.
fn plan_routed(draft: &mut Draft, at: &Position<'_>) {
    scale_up(draft, at);
    if !at.view.knows_traffic() {
        draft.hold(WaitReason::TrafficUnknown);
        return;
    }
    plan_traffic(draft, at);
    if !draft.writes_traffic() || guard::off(guard::Guard::DownGate) {
        scale_down(draft, at);
    } else {
        schedule_only(draft, at);
    }
}

/// Returns whether the analysis of the current step, and the background one, wait for a person.
pub(crate) fn inconclusive(spec: &Spec, status: &Status, observed: &Observed, now: Time) -> [bool; 2] {
    verdict::inconclusive(status, &View::new(spec, observed, now))
}

/// Returns the runs of the analysis of the current step, and of the background analysis; `None` if runs could not be read.
///
/// ```
/// use rollout_core::{Observed, Spec, Status, Step, Strategy, Time, analysis::Analysis};
/// use rollout_core::analysis::{RunId, RunRole, RunSeen, current_runs};
/// let strategy = Strategy::builder().step(Step::Analysis(Analysis::of("errors").into())).build()?;
/// let id = RunId::new("v2".into(), strategy.step_hash().into(), RunRole::Step(0), 0);
/// let spec = Spec::new(strategy, "v2".into());
/// let mut status = Status::default();
/// (status.stable, status.canary) = (Some("v1".into()), Some("v2".into()));
/// let observed = Observed::new().runs([RunSeen::new("web-v2-2-0", id)]);
/// let [of_step, beside] = current_runs(&spec, &status, &observed, Time::from_secs(0)).unwrap_or_default();
/// assert_eq!((of_step.map(|run| &*run.name), beside), (Some("web-v2-2-0"), None));
/// # Ok::<(), rollout_core::InvalidStrategy>(())
/// ```
#[must_use]
pub fn current_runs<'o>(
    spec: &'o Spec,
    status: &Status,
    observed: &'o Observed,
    now: Time,
) -> Option<[Option<&'o RunSeen>; 2]> {
    observed.runs.as_ref()?;
    Some(verdict::current(status, &View::new(spec, observed, now)))
}

/// Returns whether an operator could override something that the rollout is waiting for.
pub(crate) fn can_be_overridden(spec: &Spec, status: &Status, observed: &Observed, now: Time) -> bool {
    let by_proceed = |ends: &EndsBy| matches!(ends, EndsBy::Event(Ending::Settled | Ending::StableCarries));
    reconcile(spec, status, observed, now).waiting.iter().any(|waiting| by_proceed(&waiting.ends))
}
