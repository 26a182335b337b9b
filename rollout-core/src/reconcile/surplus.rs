use super::{basic, draft::Draft, position::Position, settled::STEP_GRACE, view::View};
use crate::{Action, Revision, RevisionSeen, Status};
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
        draft.wait(basic::moving(view));
    }
    for (seen, cut) in cuts.list.iter().filter(|(_, cut)| *cut > 0) {
        let pods = seen.wanted.saturating_sub(*cut);
        draft.act(Action::Scale { revision: seen.revision.clone(), pods, scale_down_deadline: None });
    }
}

/// The number of pods to remove from each revision.
struct Cuts<'v> {
    list: Vec<(&'v RevisionSeen, u32)>,
    /// The number of available pods that may be removed.
    spare: u32,
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
        let there = |seen: &RevisionSeen| seen.available.lo().min(seen.wanted);
        let available = view.revisions().iter().map(there).fold(0, u32::saturating_add);
        let posts = basic::posts(view);
        // If a pod may be added first, the last one is never removed, whatever may be unavailable.
        let at_least = view.spec.replicas.saturating_sub(posts.unavailable).max(posts.surge.min(1));
        Self { list, spare: available.saturating_sub(at_least) }
    }

    /// Cuts pods above the goal, as far as allowed; returns whether some must stay for now.
    fn surplus(&mut self, view: &View<'_>, goal: impl Fn(&Revision) -> u32) -> bool {
        let mut held = false;
        for (seen, cut) in &mut self.list {
            let surplus =
                seen.wanted.saturating_sub(goal(&seen.revision).max(basic::door(view, &seen.revision)));
            take(seen, cut, surplus, &mut self.spare);
            held |= *cut < surplus;
        }
        held
    }

    /// Cuts pods above the maximum total, even below the goal.
    fn overhang(&mut self, view: &View<'_>) {
        let going = self.list.iter().map(|(_, cut)| *cut).fold(0, u32::saturating_add);
        let mut over = basic::all_wanted(view).saturating_sub(basic::at_most(view)).saturating_sub(going);
        for available_too in [false, true] {
            for (seen, cut) in &mut self.list {
                let left = seen.wanted.saturating_sub(*cut).saturating_sub(basic::door(view, &seen.revision));
                let before = *cut;
                let (mut none, spare) = (0, &mut self.spare);
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

/// Cuts up to `to` pods in total: any number of unavailable ones, and as many available ones as are spare.
fn take(seen: &RevisionSeen, cut: &mut u32, to: u32, spare: &mut u32) {
    let broken = seen.wanted.saturating_sub(seen.available.hi());
    let free = broken.saturating_sub(*cut);
    let more = to.saturating_sub(*cut).min(free.saturating_add(*spare));
    *spare = spare.saturating_sub(more.saturating_sub(free));
    *cut = cut.saturating_add(more);
}
