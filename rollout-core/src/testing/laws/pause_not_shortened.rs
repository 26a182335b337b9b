use super::{Decision, Findings, Law};
use crate::{
    CommandKind, Revision, Step, Time,
    sim::{Moment, What},
};
use alloc::{format, sync::Arc, vec::Vec};
use core::time::Duration;

/// A restart does not shorten a pause; a change of the process in charge shortens it by at most the difference of the
/// two clocks.
#[derive(Debug, Default)]
pub(super) struct PauseNotShortened {
    version: u64,
    under_way: Option<UnderWay>,
    /// The decisions with a new status: their times, and how far the clock was ahead of true time, in milliseconds.
    clocks: Vec<(u64, Time, i64)>,
    commanded: bool,
    edited: bool,
}

#[derive(Debug)]
struct UnderWay {
    revision: Revision,
    steps: Arc<str>,
    step: u32,
    lasts: Duration,
    began: Time,
    ahead: i64,
    /// The stored start of the pause.
    since: Time,
}

impl Law for PauseNotShortened {
    fn name(&self) -> &'static str {
        "pause_not_shortened"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        if let Some(decision) = Decision::of(moment) {
            let ahead = decision.now.as_millis().saturating_sub(moment.truth.now.as_millis());
            if decision.plan.status != *decision.stored {
                self.clocks.push((decision.number, moment.truth.now, ahead));
            }
            return;
        }
        match moment.what {
            What::Commanded { command, .. } => {
                let ends = [
                    CommandKind::Promote,
                    CommandKind::PromoteFull,
                    CommandKind::Skip,
                    CommandKind::Retry,
                    CommandKind::Abort,
                ];
                self.commanded |= ends.contains(&command.kind);
            }
            What::SpecChanged => self.edited = true,
            _ => {}
        }
        if self.version != moment.truth.status_version {
            self.version = moment.truth.status_version;
            let by = if let What::Stored { by } = moment.what { Some(by.decision) } else { None };
            self.moved(moment, by, findings);
        }
    }
}

impl PauseNotShortened {
    fn moved(&mut self, moment: &Moment<'_>, by: Option<u64>, findings: &mut Findings) {
        let status = &moment.truth.status;
        let decided = by.and_then(|decision| self.clocks.iter().rev().find(|(of, ..)| *of == decision));
        let (at, ahead) = decided.map_or((moment.truth.now, 0), |(_, at, ahead)| (*at, *ahead));
        if let Some(old) = &self.under_way {
            let same = status.canary.as_ref() == Some(&old.revision)
                && status.step_hash.as_ref() == Some(&old.steps);
            if same && status.step == old.step && status.paused_at.is_some() {
                return;
            }
            let by_others = status.fleet.as_ref().is_some_and(|member| member.passed >= Some(old.step));
            let passed = same
                && !by_others
                && status.step > old.step
                && status.aborted.is_none()
                && !status.promote_full;
            if passed && !self.commanded && !self.edited {
                findings.premise();
                let waited = at.since(old.began);
                let difference = Duration::from_millis(ahead.abs_diff(old.ahead));
                if waited.saturating_add(difference) < old.lasts {
                    findings.broken(|| {
                        format!("the pause of step {} lasts {:?} and ended after {waited:?}; the clocks differ by {difference:?}", old.step, old.lasts)
                    });
                }
            }
        }
        (self.commanded, self.edited) = (false, false);
        let old = self.under_way.take();
        self.under_way = begun(moment, at, ahead);
        // The same pause continues if other steps or its length change.
        if let (Some(new), Some(old)) = (&mut self.under_way, old)
            && new.since == old.since
            && new.revision == old.revision
        {
            (new.began, new.ahead) = (old.began, old.ahead);
        }
    }
}

/// Returns the pause that is in progress from now on, if there is one.
fn begun(moment: &Moment<'_>, at: Time, ahead: i64) -> Option<UnderWay> {
    let status = &moment.truth.status;
    let since = status.paused_at?;
    let steps = moment.truth.spec.strategy.steps();
    let Some(Step::Pause(lasts)) = steps.get(usize::try_from(status.step).ok()?) else { return None };
    Some(UnderWay {
        revision: status.canary.clone()?,
        steps: status.step_hash.clone()?,
        step: status.step,
        lasts: lasts.unwrap_or_default(),
        began: at,
        ahead,
        since,
    })
}
