use super::{Decision, Findings, Law};
use crate::{
    Action, Revision, Status,
    sim::{Moment, What},
};
use alloc::{format, vec::Vec};

/// Outstanding writes of an earlier process fail once a later one has started to act, and an old process that decides
/// again acts only on the stored status. (The other laws judge whether its writes break them.)
#[derive(Debug, Default)]
pub(super) struct StaleWriterIsHarmless {
    acting: u32,
    old: Vec<(u64, Status)>,
    known: Vec<Revision>,
    newest: u32,
}

impl Law for StaleWriterIsHarmless {
    fn name(&self) -> &'static str {
        "stale_writer_is_harmless"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        if !matches!(moment.what, What::Acted { .. }) && self.known.len() > moment.truth.workloads.len() {
            // One was deleted and may be created again.
            self.remember(moment);
        }
        if let Some(decision) = Decision::of(moment) {
            self.newest = self.newest.max(decision.process);
            if decision.process < self.newest && !decision.plan.actions.is_empty() {
                self.old.push((decision.number, decision.plan.status.clone()));
            }
            return;
        }
        let What::Acted { by, took_effect, action, .. } = moment.what else { return };
        let created = self.created(moment);
        if by.late {
            findings.premise();
            // A run that was not wanted never is again, and one that begins too late is told to end: attempts only rise.
            let of_runs = matches!(action, Action::Run(_));
            if took_effect && by.process < self.acting && !created && !of_runs {
                findings.broken(|| {
                    format!(
                        "a late write of process {} took effect after process {} had acted: {action:?}",
                        by.process, self.acting
                    )
                });
            }
            return;
        }
        if let Some((_, status)) = self.old.iter().find(|(number, _)| *number == by.decision) {
            findings.premise();
            if took_effect && decided(status) != decided(&moment.truth.status) {
                findings.broken(|| {
                    format!(
                        "process {} is no longer in charge and acted on a status that is not stored",
                        by.process
                    )
                });
            }
        }
        if took_effect {
            self.acting = self.acting.max(by.process);
        }
    }
}

/// Returns the decided part of a status; the progress of pods may be stored later.
fn decided(status: &Status) -> Status {
    Status { progress: None, ..status.clone() }
}

impl StaleWriterIsHarmless {
    /// Returns whether a workload was created: a missing one cannot be fenced, and unwanted pods are removed again.
    fn created(&mut self, moment: &Moment<'_>) -> bool {
        let What::Acted { action: Action::Scale { revision, .. }, .. } = moment.what else { return false };
        let created = !self.known.contains(revision);
        self.remember(moment);
        created
    }

    fn remember(&mut self, moment: &Moment<'_>) {
        self.known = moment.truth.workloads.iter().map(|workload| workload.revision.clone()).collect();
    }
}
