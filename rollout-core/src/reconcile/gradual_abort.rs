//! A gradual abort: the aborted canary loses its weight in several falls.

use super::{
    draft::Closed,
    guard::{Guard, off},
    view::View,
};
use crate::{Status, goal, plan::WakeReason, traffic::Weight, waiting::WaitReason};

/// Returns the weight to write, which is at least `lowest`; or what the next fall waits for.
///
/// The weight that the canary had before follows from its step: nothing about the abort is stored but its time.
pub(super) fn at_least(lowest: Weight, status: &Status, view: &View<'_>) -> Result<Weight, Closed> {
    let gradual = view.spec.gradual_abort.filter(|_| !off(Guard::GradualAbort));
    let (Some(gradual), Some(aborted)) = (gradual, &status.aborted) else { return Ok(lowest) };
    let before = goal::weight_of_step(&view.spec.strategy, status);
    let keeps = gradual.keeps(before, aborted.at, view.now);
    let seen = view.seen.weight();
    if keeps.parts() <= lowest.parts() {
        return Ok(lowest);
    }
    if seen.hi() <= keeps.parts() {
        let reason = WaitReason::AbortingGradually { keeps: view.weight_at_most() };
        let next = gradual.keeps_less_than(seen.hi(), before, aborted.at);
        return Err(Closed::until(reason, Some(aborted.at), next, WakeReason::AbortContinues));
    }
    // The objects may differ, and one weight is written to all of them: no object gains.
    Ok(Weight::new(keeps.parts().min(seen.lo()).max(lowest.parts()), lowest.of()))
}
