use super::{
    draft::{Closed, Draft},
    gates,
    view::View,
};
use crate::{
    Action, Event, Revision, Status,
    waiting::{Ending, WaitReason},
};

/// Handles `replicas: 0`, the user's own request: everything goes to 0, the canary before stable, and stable comes back
/// first. Routes and selectors are not changed, and nothing counts as unavailable. Returns whether the rollout is
/// scaled to zero.
pub(super) fn scaled_to_zero(status: &mut Status, draft: &mut Draft, view: &View<'_>) -> bool {
    if view.spec.replicas == 0 {
        if !status.scaled_to_zero {
            status.scaled_to_zero = true;
            status.progress = None;
            draft.happened(Event::ScaledToZero);
        }
        if view.revision(&view.spec.target).is_none() && status.canary.as_ref() == Some(&view.spec.target) {
            let revision = view.spec.target.clone();
            draft.act(Action::Scale { revision, pods: 0, scale_down_deadline: None });
        }
        to_zero(draft, view, status.stable.as_ref());
        draft.wait(Closed::new(WaitReason::ScaledToZero, Ending::ReplicasAboveZero));
        return true;
    }
    if !status.scaled_to_zero {
        return false;
    }
    let late = status.progress.as_ref().is_some_and(|progress| progress.exceeded);
    let known = |stable: &Revision| view.revision(stable).is_some() || *stable == view.spec.target;
    let sleeps = |stable: &Revision| known(stable) && view.ready(stable).lo() == 0 && !late;
    let Some(stable) = status.stable.clone().filter(sleeps) else {
        status.scaled_to_zero = false;
        status.progress = None;
        if view.spec.strategy.has_analysis() {
            // What ran without pods has shown nothing.
            status.analyse_anew();
        }
        draft.happened(Event::ScaledFromZero);
        return false;
    };
    if view.wanted(&stable) < view.spec.replicas || view.is_scaling_down(&stable) {
        draft.act(Action::Scale {
            revision: stable.clone(),
            pods: view.spec.replicas,
            scale_down_deadline: None,
        });
    }
    draft.wait(Closed::new(WaitReason::ScalingFromZero, Ending::PodsReady));
    let gate = gates::ready(view, &stable, 1);
    draft.passes(gate);
    true
}

fn to_zero(draft: &mut Draft, view: &View<'_>, stable: Option<&Revision>) {
    let with_pods = || view.revisions().iter().filter(|seen| seen.wanted > 0);
    let others_left = with_pods().any(|seen| Some(&seen.revision) != stable);
    for seen in with_pods() {
        if Some(&seen.revision) != stable || !others_left {
            draft.act(Action::Scale {
                revision: seen.revision.clone(),
                pods: 0,
                scale_down_deadline: seen.scale_down_deadline,
            });
        }
    }
}
