//! The stages of a turn, in order.

use crate::{Plan, Store};

/// One stage of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Fence,
    Store,
    VerifyOwnership,
    Act,
    Publish,
    Report,
}

/// The stages of one turn, in order; `None` for a stage that is done or left out.
pub(super) type Stages = [Option<Stage>; 4];

/// Returns the stages of a turn for this plan; `fenced` says whether no write of an earlier process can take effect any
/// more.
pub(super) fn all_stages(plan: &Plan, fenced: bool) -> Stages {
    let acts = !plan.actions.is_empty();
    if !fenced && acts {
        return [Some(Stage::Fence), None, None, None];
    }
    let first = if plan.store != Store::No {
        Some(Stage::Store)
    } else if acts {
        Some(Stage::VerifyOwnership)
    } else {
        None
    };
    [first, acts.then_some(Stage::Act), Some(Stage::Publish), Some(Stage::Report)]
}

#[cfg(not(feature = "_mutants"))]
pub(super) use all_stages as stages;

#[cfg(feature = "_mutants")]
pub(super) use super::switched_order::stages;
