//! Anti-affinity between canary and stable pods.

use super::{notes::Notes, routing::is_set};
use crate::argo::wire::Canary;

pub(super) fn check(canary: &Canary, notes: &mut Notes) {
    let Some(affinity) = &canary.anti_affinity else { return };
    if affinity.preferred.is_some() == is_set(affinity.required.as_ref()) {
        notes.error(
            "spec.strategy.canary.antiAffinity",
            "AntiAffinity must have exactly one strategy listed",
            "keep either `preferredDuringSchedulingIgnoredDuringExecution` or `requiredDuringSchedulingIgnoredDuringExecution`",
        );
    }
    let weight = affinity.preferred.as_ref().map(|preferred| preferred.weight.unwrap_or(0));
    if weight.is_some_and(|weight| !(1..=100).contains(&weight)) {
        notes.error_at(
            "spec.strategy.canary.antiAffinity.preferredDuringSchedulingIgnoredDuringExecution.weight",
            "spec.strategy.canary.antiAffinity.weight",
            "AntiAffinity weight must be between 1-100",
            "write a weight from 1 to 100",
        );
    }
}
