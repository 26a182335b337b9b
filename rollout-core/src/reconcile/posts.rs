//! The bounds of a basic canary: `maxSurge`, `maxUnavailable`, and the pod behind the stable Service.

use super::{draft::Closed, view::View};
use crate::{
    Revision,
    strategy::Fenceposts,
    waiting::{Ending, WaitReason},
};

/// Returns one pod if the stable Service leads to a revision, unless that would leave no room for another.
pub(super) fn door(view: &View<'_>, revision: &Revision) -> u32 {
    let leads = view.seen.behind.stable.iter().any(|selection| selection.is(revision));
    u32::from(leads && at_most(view) > 1)
}

pub(super) fn posts(view: &View<'_>) -> Fenceposts {
    let strategy = &view.spec.strategy;
    Fenceposts::resolve(view.spec.replicas, strategy.max_surge, strategy.max_unavailable)
}

/// Returns the maximum number of pods of all revisions together.
pub(super) fn at_most(view: &View<'_>) -> u32 {
    view.spec.replicas.saturating_add(posts(view).surge)
}

pub(super) fn moving(view: &View<'_>) -> Closed {
    let at_least = view.spec.replicas.saturating_sub(posts(view).unavailable);
    let reason = WaitReason::Fenceposts { at_most: at_most(view), at_least };
    Closed::new(reason, Ending::PodsReady)
}

pub(super) fn all_wanted(view: &View<'_>) -> u32 {
    view.revisions().iter().fold(0_u32, |sum, seen| sum.saturating_add(seen.wanted))
}
