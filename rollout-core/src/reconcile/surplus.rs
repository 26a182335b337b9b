use super::{draft::Draft, position::Position, posts, settled::STEP_GRACE, view::View};
use crate::{Action, Range, Revision, RevisionSeen, Status};
use alloc::vec::Vec;

/// Removes pods without a traffic manager, as far as `maxUnavailable` allows: first unwanted ones, then, if there are
/// more than `maxSurge` allows (`replicas` was lowered), those that are not available.
pub(super) fn remove_surplus(draft: &mut Draft, at: &Position<'_>, goal: impl Fn(&Revision) -> u32) {
    let view = at.view;
    let mut cuts = Cuts::of(view, at.status);
    let held = cuts.surplus(view, goal);
    cuts.overhang(view);
    if cuts.list.iter().all(|(_, cut)| *cut == 0) && !held {
        return;
    }
    if !draft.passes(at.selectors_settled(STEP_GRACE)) {
        return;
    }
    if held {
        draft.wait(posts::moving(view));
    }
    for (seen, cut) in cuts.list.iter().filter(|(_, cut)| *cut > 0) {
        let pods = seen.wanted.saturating_sub(*cut);
        draft.act(Action::Scale { revision: seen.revision.clone(), pods, scale_down_deadline: None });
    }
}

/// The number of pods to remove from each revision.
struct Cuts<'v> {
    list: Vec<(&'v RevisionSeen, u32)>,
    spare: Spare,
}

/// The number of pods that may be removed although they count. A pod that has become ready serves requests long before
/// it counts as available.
#[derive(Default)]
struct Spare {
    ready: u32,
    available: u32,
}

impl<'v> Cuts<'v> {
    /// Removes pods of revisions without a role first, then of the canary, then of stable.
    fn of(view: &View<'v>, status: &Status) -> Self {
        let role = |seen: &RevisionSeen| match Some(&seen.revision) {
            stable if stable == status.stable.as_ref() => 2,
            canary if canary == status.canary.as_ref() => 1,
            _ => 0,
        };
        let mut list: Vec<_> = view.revisions().iter().map(|seen| (seen, 0)).collect();
        list.sort_by_key(|(seen, _)| role(seen));
        let sum = |of: fn(&RevisionSeen) -> Range| {
            let there = view.revisions().iter().map(|seen| of(seen).lo().min(seen.wanted));
            there.fold(0, u32::saturating_add)
        };
        let posts = posts::posts(view);
        // If a pod may be added first, the last one is never removed, whatever may be unavailable.
        let at_least = view.spec.replicas.saturating_sub(posts.unavailable).max(posts.surge.min(1));
        let spare = |there: u32| there.saturating_sub(at_least);
        let spare =
            Spare { ready: spare(sum(|seen| seen.ready)), available: spare(sum(|seen| seen.available)) };
        Self { list, spare }
    }

    /// Cuts pods above the goal, as far as allowed; returns whether some must stay for now.
    fn surplus(&mut self, view: &View<'_>, goal: impl Fn(&Revision) -> u32) -> bool {
        let mut held = false;
        for (seen, cut) in &mut self.list {
            let surplus =
                seen.wanted.saturating_sub(goal(&seen.revision).max(posts::door(view, &seen.revision)));
            take(seen, cut, surplus, &mut self.spare);
            held |= *cut < surplus;
        }
        held
    }

    /// Cuts pods above the maximum total, even below the goal.
    fn overhang(&mut self, view: &View<'_>) {
        let going = self.list.iter().map(|(_, cut)| *cut).fold(0, u32::saturating_add);
        let mut over = posts::all_wanted(view).saturating_sub(posts::at_most(view)).saturating_sub(going);
        for available_too in [false, true] {
            for (seen, cut) in &mut self.list {
                let left = seen.wanted.saturating_sub(*cut).saturating_sub(posts::door(view, &seen.revision));
                let before = *cut;
                let (mut none, spare) = (Spare::default(), &mut self.spare);
                take(
                    seen,
                    cut,
                    before.saturating_add(over.min(left)),
                    if available_too { spare } else { &mut none },
                );
                over = over.saturating_sub(cut.saturating_sub(before));
            }
        }
    }
}

/// Cuts up to `to` pods in total: any number that are not ready, and of the others as many as are spare.
fn take(seen: &RevisionSeen, cut: &mut u32, to: u32, spare: &mut Spare) {
    let free = |range: Range| seen.wanted.saturating_sub(range.hi()).saturating_sub(*cut);
    let (not_ready, unavailable) = (free(seen.ready), free(seen.available));
    let more = to
        .saturating_sub(*cut)
        .min(not_ready.saturating_add(spare.ready))
        .min(unavailable.saturating_add(spare.available));
    spare.ready = spare.ready.saturating_sub(more.saturating_sub(not_ready));
    spare.available = spare.available.saturating_sub(more.saturating_sub(unavailable));
    *cut = cut.saturating_add(more);
}
