use super::{
    draft::{Closed, Draft},
    gates,
    view::View,
};
use crate::{Action, Ending, Event, Revision, Status, WaitReason};

/// `replicas: 0` is the user's own: everything goes to 0, the canary before stable, and comes back stable
/// first. Routes and selectors are not touched, and nothing counts as dark. Whether that is the case.
pub(super) fn scaled_to_zero(status: &mut Status, draft: &mut Draft, view: &View<'_>) -> bool {
    let stable = status.stable.clone();
    if view.spec.replicas == 0 {
        if !status.asleep {
            status.asleep = true;
            status.progress = None;
            draft.happened(Event::FellAsleep);
        }
        if view.revision(&view.spec.target).is_none() && status.canary.as_ref() == Some(&view.spec.target) {
            let revision = view.spec.target.clone();
            draft.act(Action::Scale { revision, pods: 0, mark: None });
        }
        to_zero(draft, view, stable.as_ref());
        draft.wait(Closed::new(WaitReason::ScaledToZero, Ending::ReplicasAboveZero));
        return true;
    }
    if !status.asleep {
        return false;
    }
    let late = status.progress.as_ref().is_some_and(|progress| progress.exceeded);
    let known = |stable: &Revision| view.revision(stable).is_some() || *stable == view.spec.target;
    let sleeps = |stable: &Revision| known(stable) && view.ready(stable).lo() == 0 && !late;
    let Some(stable) = stable.filter(sleeps) else {
        status.asleep = false;
        status.progress = None;
        draft.happened(Event::WokeUp);
        return false;
    };
    if view.wanted(&stable) < view.spec.replicas || view.is_marked(&stable) {
        draft.act(Action::Scale { revision: stable.clone(), pods: view.spec.replicas, mark: None });
    }
    draft.wait(Closed::new(WaitReason::Asleep, Ending::PodsReady));
    let gate = gates::ready(view, &stable, 1);
    draft.passes(gate);
    true
}

fn to_zero(draft: &mut Draft, view: &View<'_>, stable: Option<&Revision>) {
    let with_pods = || view.revisions().iter().filter(|seen| seen.wanted > 0);
    let others_left = with_pods().any(|seen| Some(&seen.revision) != stable);
    for seen in with_pods() {
        if Some(&seen.revision) != stable || !others_left {
            draft.act(Action::Scale { revision: seen.revision.clone(), pods: 0, mark: seen.mark });
        }
    }
}
