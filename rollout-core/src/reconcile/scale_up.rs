use super::{
    draft::{Closed, Draft},
    position::Position,
    view::View,
};
use crate::{Action, Ending, EndsBy, Revision, RevisionSeen, WaitReason, Waiting, Wake, WakeReason};
use core::time::Duration;

/// How often a dark stable is looked at: a row of readings may have gaps of 5 s at most.
const LOOK_AT_DARK: Duration = Duration::from_secs(4);

/// Pods up, and marks off what carries traffic or is about to.
pub(super) fn scale_up(draft: &mut Draft, at: &Position<'_>) {
    let (view, roles) = (at.view, &at.roles);
    if let Some(stable) = roles.stable {
        raise(draft, view, stable, at.desired.stable);
    }
    if let Some(canary) = roles.canary.filter(|canary| roles.stable != Some(canary) && !roles.aborted) {
        if let Some(stable) = roles.stable.filter(|_| view.seen.weight().hi() > 0) {
            // Weight is under way: when stable goes dark, the canary may have to take everything.
            look_at_dark(draft, view, stable);
        }
        raise(draft, view, canary, at.desired.canary);
    }
    for seen in view.revisions() {
        let handled =
            |action: &Action| matches!(action, Action::Scale { revision, .. } if *revision == seen.revision);
        if seen.mark.is_some()
            && seen.wanted > 0
            && in_use(view, &seen.revision)
            && !draft.actions.iter().any(handled)
        {
            draft.act(Action::Scale { revision: seen.revision.clone(), pods: seen.wanted, mark: None });
        }
    }
}

/// A row of readings that shows no ready pod of stable is broken when they are further apart than a few seconds, so
/// it is looked at in between.
pub(super) fn look_at_dark(draft: &mut Draft, view: &View<'_>, stable: &Revision) {
    if let Some(at) = view.dark_at(stable) {
        let look = view.now + LOOK_AT_DARK;
        let wake = if at <= look {
            Wake::new(at, WakeReason::StableDark)
        } else {
            Wake::new(look, WakeReason::LookAgain)
        };
        let waiting = Waiting::new(WaitReason::StableDark, None, EndsBy::Time(at));
        draft.wait(Closed { waiting, wake: Some(wake) });
    } else if view.ready(stable).hi() == 0 && !view.is_dark(stable) {
        draft.wake_at(Wake::new(view.now + Duration::from_secs(1), WakeReason::LookAgain));
        draft.wait(Closed::new(WaitReason::StableDark, Ending::PodsReady));
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
    let (wanted, marked) = seen.map_or((0, false), |seen| (seen.wanted, seen.mark.is_some()));
    if wanted < pods || marked {
        draft.act(Action::Scale { revision: revision.clone(), pods: pods.max(wanted), mark: None });
    }
}

/// Whether some destination leads to this revision: by its own selector, or by the user's.
pub(super) fn in_use(view: &View<'_>, revision: &Revision) -> bool {
    view.seen.behind.iter().flat_map(|(_, behind)| behind).any(|selection| selection.is(revision))
}
