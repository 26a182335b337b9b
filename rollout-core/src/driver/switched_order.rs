//! The order of a turn with one of its rules switched off, so that a law can detect the absence.

use super::order::{Stage, Stages, all_stages};
use crate::{
    Plan,
    reconcile::guard::{Guard, off},
};

/// Returns the stages of a turn, without the rule that is switched off.
pub(super) fn stages(plan: &Plan, fenced: bool) -> Stages {
    let mut stages = all_stages(plan, fenced || off(Guard::LateWriteFence));
    if off(Guard::InCharge) && stages[0] == Some(Stage::VerifyOwnership) {
        stages[0] = None;
    }
    if off(Guard::StatusFirst) && stages[0] == Some(Stage::Store) {
        stages.swap(0, 1);
    }
    stages
}
