//! The stages of a turn, in order.

use crate::{Plan, Store};
use alloc::{vec, vec::Vec};

/// One kind of thing that a turn does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Fence,
    Store,
    VerifyOwnership,
    Act,
    Publish,
    Report,
}

/// What a turn does with this plan, in order; `fenced` says whether writes of an earlier process can still land.
pub(super) fn all_stages(plan: &Plan, fenced: bool) -> Vec<Stage> {
    if !fenced && !plan.actions.is_empty() {
        return vec![Stage::Fence];
    }
    let mut stages = Vec::with_capacity(4);
    if plan.store != Store::No {
        stages.push(Stage::Store);
    } else if !plan.actions.is_empty() {
        stages.push(Stage::VerifyOwnership);
    }
    stages.extend([Stage::Act, Stage::Publish, Stage::Report]);
    stages
}

#[cfg(not(feature = "_mutants"))]
pub(super) use all_stages as stages;

/// The same with one rule taken out, so that a law can miss it.
#[cfg(feature = "_mutants")]
pub(super) fn stages(plan: &Plan, fenced: bool) -> Vec<Stage> {
    use crate::reconcile::guard::{Guard, off};
    let mut stages = all_stages(plan, fenced || off(Guard::LateWriteFence));
    if off(Guard::InCharge) {
        stages.retain(|stage| *stage != Stage::VerifyOwnership);
    }
    if off(Guard::StatusFirst) && stages.first() == Some(&Stage::Store) {
        stages.swap(0, 1);
    }
    stages
}
