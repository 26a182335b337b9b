use super::{
    draft::{Closed, Draft},
    position::Position,
    view::View,
};
use crate::{
    Action, Revision, RevisionSeen, Waiting, Wake,
    plan::WakeReason,
    waiting::{Ending, EndsBy, WaitReason},
};
use core::time::Duration;

/// How often an unavailable stable is observed: a series of readings may have gaps of at most 5 s.
const LOOK_AT_UNAVAILABLE: Duration = Duration::from_secs(4);

/// Plans pods up, and removes scale-down deadlines from revisions that carry traffic or are about to.
pub(super) fn scale_up(draft: &mut Draft, at: &Position<'_>) {
    let (view, roles) = (at.view, &at.roles);
    if let Some(stable) = roles.stable {
        raise(draft, view, stable, at.desired.stable);
    }
    if let Some(canary) = roles.canary.filter(|canary| roles.stable != Some(canary) && !roles.aborted) {
        if let Some(stable) = roles.stable.filter(|_| view.seen.weight().hi() > 0) {
            // Weight is shifting: if stable becomes unavailable, the canary may have to take all traffic.
            look_at_unavailable(draft, view, stable);
        }
        raise(draft, view, canary, at.desired.canary);
    }
    for seen in view.revisions() {
        let handled =
            |action: &Action| matches!(action, Action::Scale { revision, .. } if *revision == seen.revision);
        if seen.scale_down_deadline.is_some()
            && seen.wanted > 0
            && in_use(view, &seen.revision)
            && !draft.actions.iter().any(handled)
        {
            draft.act(Action::Scale {
                revision: seen.revision.clone(),
                pods: seen.wanted,
                scale_down_deadline: None,
            });
        }
    }
}

/// Schedules another look at an unavailable stable: a gap of more than a few seconds breaks the series of readings that
/// shows no ready pod.
pub(super) fn look_at_unavailable(draft: &mut Draft, view: &View<'_>, stable: &Revision) {
    if let Some(at) = view.unavailable_at(stable) {
        let look = view.now + LOOK_AT_UNAVAILABLE;
        let wake = if at <= look {
            Wake::new(at, WakeReason::StableUnavailable)
        } else {
            Wake::new(look, WakeReason::LookAgain)
        };
        let waiting = Waiting::new(WaitReason::StableUnavailable, None, EndsBy::Time(at));
        draft.wait(Closed { waiting, wake: Some(wake) });
    } else if view.ready(stable).hi() == 0 && !view.is_unavailable(stable) {
        draft.wake_at(Wake::new(view.now + Duration::from_secs(1), WakeReason::LookAgain));
        draft.wait(Closed::new(WaitReason::StableUnavailable, Ending::PodsReady));
    }
}

fn raise(draft: &mut Draft, view: &View<'_>, revision: &Revision, pods: u32) {
    if pods == 0 {
        return;
    }
    let seen: Option<&RevisionSeen> = view.revision(revision);
    if seen.is_none() && *revision != view.spec.target {
        let gone = WaitReason::StableGone { revision: revision.clone() };
        return draft.wait(Closed::new(gone, Ending::ManifestChanged));
    }
    let (wanted, scaling_down) =
        seen.map_or((0, false), |seen| (seen.wanted, seen.scale_down_deadline.is_some()));
    if wanted < pods || scaling_down {
        draft.act(Action::Scale {
            revision: revision.clone(),
            pods: pods.max(wanted),
            scale_down_deadline: None,
        });
    }
}

/// Returns whether some destination leads to this revision, by its own selector or by the user's.
pub(super) fn in_use(view: &View<'_>, revision: &Revision) -> bool {
    view.seen.behind.iter().flat_map(|(_, behind)| behind).any(|selection| selection.is(revision))
}
