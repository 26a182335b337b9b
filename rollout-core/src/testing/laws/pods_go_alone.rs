use super::{Decision, Findings, Law};
use crate::sim::Moment;
use alloc::format;

/// Pods are removed only in a plan that writes no traffic.
#[derive(Debug, Default)]
pub(super) struct PodsGoAlone;

impl Law for PodsGoAlone {
    fn name(&self) -> &'static str {
        "pods_go_alone"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let Some(decision) = Decision::of(moment) else { return };
        for (seen, pods) in decision.shrinks() {
            findings.premise();
            if decision.plan.actions.iter().any(crate::Action::is_traffic) {
                findings.broken(|| {
                    format!(
                        "{} goes from {} to {pods} pods in a plan that writes traffic",
                        seen.revision, seen.wanted
                    )
                });
            }
        }
    }
}
