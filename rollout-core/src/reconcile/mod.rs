//! The decision.

pub mod guard;

use crate::{Observed, Plan, Spec, Status, Time, WaitReason};
use alloc::vec::Vec;

/// Decides what to do next. Never fails, never panics, reads no clock, does no I/O.
pub fn reconcile(spec: &Spec, status: &Status, observed: &Observed, now: Time) -> Plan {
    let _ = (spec, observed, now);
    Plan { status: status.clone(), actions: Vec::new(), wake: None, waiting: Vec::new(), events: Vec::new() }
}

/// Whether a person could override something that the rollout waits for.
pub(crate) fn can_be_overridden(spec: &Spec, status: &Status, observed: &Observed, now: Time) -> bool {
    reconcile(spec, status, observed, now).waiting.iter().any(|waiting| {
        matches!(waiting.reason, WaitReason::Settling { .. } | WaitReason::StableCannotCarry { .. })
    })
}
