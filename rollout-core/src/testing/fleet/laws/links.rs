//! What a cluster does that can read no other.

use super::{Change, FleetLaws};
use alloc::format;

pub(super) fn judge(laws: &mut FleetLaws, change: &Change<'_>) {
    let (before, after) = (change.before, change.after);
    let (Some(now), Some(then)) = (&after.progress, &before.progress) else { return };
    let same = now.release == then.release && now.decision.attempt == then.decision.attempt;
    if !same || !after.is_under_way() || after.promote_full || !laws.ledger.is_cut_off(change.member) {
        return;
    }
    let depends = [laws.ledger.counted(change.member, now), laws.ledger.earlier(change.member, now)].concat();
    let is_done = |other: &usize| laws.ledger.is_done(*other, now);
    if depends.iter().all(is_done) {
        return;
    }
    laws.premise("cut_off_holds");
    if after.step > before.step || after.may_route > before.may_route {
        let here = laws.ledger.name(change.member);
        let how = format!("{here} can read no other cluster, and goes on to step {}", after.step);
        laws.broken("cut_off_holds", how);
    }
}
