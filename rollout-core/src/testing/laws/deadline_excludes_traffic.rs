use super::{Decision, Findings, Law};
use crate::{sim::Moment, traffic::Destination};
use alloc::format;

/// With traffic routing: a revision that is seen with traffic gets no scale-down deadline, one that is seen with a
/// deadline gets no traffic, and none goes to 0 pods without a deadline that was there before and is due. (The user's
/// own `replicas: 0` needs none.)
#[derive(Debug, Default)]
pub(super) struct DeadlineExcludesTraffic;

impl Law for DeadlineExcludesTraffic {
    fn name(&self) -> &'static str {
        "deadline_excludes_traffic"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let Some(decision) = Decision::of(moment).filter(Decision::routed) else { return };
        marks(&decision, findings);
        zeroes(&decision, findings);
        gives(&decision, findings);
    }
}

fn marks(decision: &Decision<'_>, findings: &mut Findings) {
    for (revision, _, scale_down_deadline) in decision.workloads() {
        let scaling_down =
            decision.observed.revision(revision).is_some_and(|seen| seen.scale_down_deadline.is_some());
        if scale_down_deadline.is_none() || scaling_down {
            continue;
        }
        findings.premise();
        for destination in [Destination::Stable, Destination::Canary] {
            let behind = decision.traffic().map_or(&[][..], |seen| seen.behind[destination].as_slice());
            if behind.iter().any(|selection| selection.is(revision)) && decision.used(destination) {
                findings.broken(|| {
                    format!(
                        "{revision} has a scale-down deadline while requests reach it through {destination}"
                    )
                });
            }
        }
    }
}

fn zeroes(decision: &Decision<'_>, findings: &mut Findings) {
    if decision.spec.replicas == 0 {
        return;
    }
    for (seen, _) in decision.shrinks().filter(|(_, pods)| *pods == 0) {
        findings.premise();
        match seen.scale_down_deadline {
            None => {
                findings.broken(|| format!("{} goes to 0 pods without a scale-down deadline", seen.revision));
            }
            Some(due) if due > decision.now => {
                findings.broken(|| {
                    format!("{} goes to 0 pods before its scale-down deadline at {due}", seen.revision)
                });
            }
            Some(_) => {}
        }
    }
}

fn gives(decision: &Decision<'_>, findings: &mut Findings) {
    let scaling_down = |revision: &crate::Revision| {
        decision.observed.revision(revision).is_some_and(|seen| seen.scale_down_deadline.is_some())
    };
    if decision.raise().is_some() || decision.adds_managed() {
        findings.premise();
        if let Some(revision) =
            decision.leads_to(Destination::Canary).filter(|revision| scaling_down(revision))
        {
            findings.broken(|| format!("{revision} is given traffic while it has a scale-down deadline"));
        }
    }
    let selected = decision.select().into_iter().flat_map(|to| [&to.stable, &to.canary]).flatten();
    for revision in selected.filter_map(crate::traffic::Selection::revision) {
        findings.premise();
        if scaling_down(revision) {
            findings.broken(|| {
                format!("a destination is pointed at {revision} while it has a scale-down deadline")
            });
        }
    }
}
