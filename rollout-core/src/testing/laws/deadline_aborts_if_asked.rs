use super::{Decision, Findings, Law};
use crate::{AbortReason, sim::Moment};
use alloc::{format, string::ToString};

/// Pods that make no progress abort an update only if the user asked for that (`progressDeadlineAbort`), and only after
/// the deadline.
#[derive(Debug, Default)]
pub(super) struct DeadlineAbortsIfAsked;

impl Law for DeadlineAbortsIfAsked {
    fn name(&self) -> &'static str {
        "deadline_aborts_if_asked"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let Some(decision) = Decision::of(moment) else { return };
        let aborted = decision.plan.status.aborted.as_ref();
        if decision.stored.aborted.is_some()
            || aborted.is_none_or(|aborted| aborted.why != AbortReason::ProgressDeadline)
        {
            return;
        }
        findings.premise();
        if !decision.spec.progress_deadline_abort {
            findings
                .broken(|| "the progress deadline aborts the update, and nobody asked for that".to_string());
        }
        let Some(progress) = &decision.stored.progress else {
            return findings.broken(|| "the progress deadline is over before it began".to_string());
        };
        let waited = decision.now.since(progress.since);
        if waited < decision.spec.progress_deadline {
            findings.broken(|| format!("the progress deadline is over after {waited:?}"));
        }
    }
}
