use super::{Decision, Findings, Law};
use crate::{Revision, sim::Moment, traffic::Destination};
use alloc::format;

/// An aborted or superseded revision never gains weight or a managed route.
#[derive(Debug, Default)]
pub(super) struct AbortedNeverRises;

impl Law for AbortedNeverRises {
    fn name(&self) -> &'static str {
        "aborted_never_rises"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let Some(decision) = Decision::of(moment) else { return };
        let status = &decision.plan.status;
        let given_up = |revision: &Revision| {
            let is_stable = status.stable.as_ref() == Some(revision);
            let is_canary = status.canary.as_ref() == Some(revision);
            !is_stable && (!is_canary || status.aborted.is_some())
        };
        let behind = decision.traffic().map_or(&[][..], |seen| seen.behind[Destination::Canary].as_slice());
        let led =
            behind.iter().filter_map(crate::traffic::Selection::revision).find(|revision| given_up(revision));
        if led.is_some() || status.aborted.is_some() {
            findings.premise();
        }
        if let Some(revision) = led
            && (decision.raise().is_some() || decision.adds_managed())
        {
            findings.broken(|| format!("{revision} was given up, and gains"));
        }
        let canary = decision.select().and_then(|to| to.canary.as_ref()).and_then(|to| to.revision());
        if let Some(revision) = canary.filter(|revision| given_up(revision))
            && decision.used(Destination::Canary)
            && decision.leads_to(Destination::Canary) != Some(revision)
        {
            findings.broken(|| format!("{revision} was given up, and a canary in use is pointed at it"));
        }
    }
}
