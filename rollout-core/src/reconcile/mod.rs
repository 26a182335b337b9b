//! The decision: target → advance → goal → gates → diff, one file each.
//!
//! | file | answers |
//! |---|---|
//! | `target` | which revision is asked for: first, new, superseded, rolled back, steps edited |
//! | `advance` | how far the observation lets the steps go |
//! | `desire` | which routes the position wants, with the two emergencies (vanished canary, dark stable) |
//! | `gates` | what must hold before traffic rises or falls |
//! | `routes`, `selectors` | the two layers: what would be written, and what holds it back |
//! | `raise`, `lower` | pods, with traffic routing |
//! | `ratio`, `cut` | pods, without |
//! | `sleep` | `replicas: 0` |
//! | `deadline` | pods that make no progress |

mod advance;
mod cut;
mod deadline;
mod desire;
mod draft;
mod gates;
#[cfg(not(feature = "_mutants"))]
pub(crate) mod guard;
#[cfg(feature = "_mutants")]
pub mod guard;
mod lower;
mod prune;
mod raise;
mod ratio;
mod roles;
mod routes;
mod selectors;
mod sleep;
mod target;
mod view;

use crate::{CommandKind, Ending, EndsBy, Observed, Plan, Spec, Status, Time, WaitReason, Waiting};
use alloc::vec;
use draft::{Closed, Draft};
use view::View;

/// Decides what to do next. Never fails, never panics, reads no clock, does no I/O.
///
/// Level-triggered: it looks only at what is, so it may be called at any time and as often as one likes.
/// What was decided on an older observation is simply decided again.
///
/// ```
/// use rollout_core::{Action, Observed, Spec, Status, Strategy, Time, reconcile, traffic::Seen};
/// let spec = Spec::new(Strategy::builder().build()?, "v1".into()).replicas(3);
/// let nothing_there = Observed::new().revisions([]).traffic(Seen::nothing());
/// let plan = reconcile(&spec, &Status::default(), &nothing_there, Time::from_secs(0));
/// assert_eq!(plan.actions, [Action::Workload { revision: "v1".into(), pods: 3, mark: None }]);
/// assert_eq!(plan.status.canary, Some("v1".into()));
/// # Ok::<(), rollout_core::InvalidStrategy>(())
/// ```
pub fn reconcile(spec: &Spec, status: &Status, observed: &Observed, now: Time) -> Plan {
    let mut draft = Draft::new(status);
    target::decide(&mut draft, spec);
    let view = View::new(spec, observed, now);
    decide(&mut draft, &view);
    // The deadline is judged on what the decision waits for; an abort is decided on once more.
    if deadline::judge(&mut draft, &view) {
        draft.start_over();
        decide(&mut draft, &view);
        deadline::judge(&mut draft, &view);
    }
    draft.finish()
}

fn decide(draft: &mut Draft, view: &View<'_>) {
    if !view.knows_revisions() {
        draft.hold(WaitReason::RevisionsUnknown);
        return;
    }
    if sleep::decide(draft, view) {
        return;
    }
    advance::decide(draft, view);
    if view.spec.strategy.routing().is_some() {
        routed(draft, view);
    } else {
        ratio::decide(draft, view);
    }
    aborted(draft);
    prune::decide(draft, view);
}

/// An aborted update is at rest, and says that it waits for a person.
fn aborted(draft: &mut Draft) {
    let Some(at) = draft.status.aborted.as_ref().map(|aborted| aborted.at) else { return };
    let ends = EndsBy::Command(vec![CommandKind::Retry, CommandKind::Undo, CommandKind::PromoteFull]);
    draft.wait(Closed { waiting: Waiting::new(WaitReason::Aborted, Some(at), ends), wake: None });
}

/// Pods up, then one layer of traffic, then marks, then pods down: never pods down together with traffic.
fn routed(draft: &mut Draft, view: &View<'_>) {
    let status = draft.status.clone();
    let roles = roles::Roles::of(&status);
    let desire = desire::Desire::at(&status, &roles, view);
    raise::decide(draft, &roles, &desire, view);
    if !view.knows_traffic() {
        draft.hold(WaitReason::TrafficUnknown);
        return;
    }
    routes::decide(draft, &roles, &desire, view);
    if !draft.writes_traffic() || guard::off(guard::Guard::DownGate) {
        lower::decide(draft, &roles, &desire, view);
    } else {
        lower::mark_only(draft, &roles, view);
    }
}

/// Whether a person could override something that the rollout waits for.
pub(crate) fn can_be_overridden(spec: &Spec, status: &Status, observed: &Observed, now: Time) -> bool {
    let by_proceed = |ends: &EndsBy| matches!(ends, EndsBy::Event(Ending::Settled | Ending::StableCarries));
    reconcile(spec, status, observed, now).waiting.iter().any(|waiting| by_proceed(&waiting.ends))
}
