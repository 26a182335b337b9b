use super::{Decision, Findings, Law};
use crate::{sim::Moment, waiting::EndsBy};
use alloc::{format, string::ToString};

/// Every guard has an exit: a time, an event, or a named command; and `waiting` is never empty while something is held
/// back.
#[derive(Debug, Default)]
pub(super) struct NoWedge;

impl Law for NoWedge {
    fn name(&self) -> &'static str {
        "no_wedge"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let Some(decision) = Decision::of(moment).filter(Decision::is_still) else { return };
        let (plan, status) = (decision.plan, &decision.plan.status);
        if plan.waiting.is_empty() {
            let at_rest = status.is_done() && status.canary.as_ref() == Some(&decision.spec.target);
            if !at_rest {
                findings.broken(|| {
                    "nothing is done, nothing is waited for, and the rollout is not done".to_string()
                });
            }
            return;
        }
        findings.premise();
        for waiting in &plan.waiting {
            match &waiting.ends {
                EndsBy::Command(commands) if commands.is_empty() => {
                    findings.broken(|| format!("no command ends this wait: {waiting}"));
                }
                EndsBy::Time(at) if *at <= decision.now => {
                    findings.broken(|| format!("this wait has ended, and is still waited for: {waiting}"));
                }
                EndsBy::Time(at) if plan.wake.is_none_or(|wake| wake.at > *at) => {
                    findings.broken(|| format!("no wake-up for the end of this wait: {waiting}"));
                }
                EndsBy::Time(_) | EndsBy::Event(_) | EndsBy::Command(_) => {}
            }
        }
    }
}
