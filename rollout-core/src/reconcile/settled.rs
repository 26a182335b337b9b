//! Checks that every proxy has what was written, with limits on how long to wait.

use super::{
    draft::{Closed, Gate},
    guard::{Guard, off},
    position::Position,
};
use crate::{
    Revision, Time, Waiting, Wake,
    plan::WakeReason,
    traffic::Settled,
    waiting::{Ending, EndsBy, Settling, WaitReason},
};
use alloc::string::String;
use core::time::Duration;

/// How long a step waits if the data plane cannot be asked.
pub(super) const STEP_GRACE: Duration = Duration::from_secs(2);
/// The time after which an operator should look at the proxies that are behind.
const LONG: Duration = Duration::from_secs(600);
/// How long to wait for a lone revision's endpoints: perhaps no Service selects its pods and no proxy ever gets them.
const LONE_FOR: Duration = Duration::from_secs(30);

impl<'a> Position<'a> {
    /// Checks that every proxy has the routes; if that is unknown, that `grace` has passed since they were written.
    pub(super) fn routes_settled(&self, grace: Duration) -> Gate {
        self.settled(&self.view.seen.routes_settled, || Settling::Routes, grace)
    }

    /// Checks that every proxy has the selectors; if that is unknown, that `grace` has passed.
    pub(super) fn selectors_settled(&self, grace: Duration) -> Gate {
        self.settled(&self.view.seen.selectors_settled, || Settling::Selectors, grace)
    }

    /// Checks that every proxy has the endpoints of a revision.
    pub(super) fn endpoints_settled(&self, revision: &Revision) -> Gate {
        let is_absent = self.view.revision(revision).is_none();
        let nothing_routed = self.view.spec.strategy.routing().is_none() || is_absent;
        let unasked = if nothing_routed { &Settled::Yes } else { &Settled::UNKNOWN };
        let settled = self.endpoints(revision).unwrap_or(unasked);
        self.settled(settled, || Settling::Endpoints(revision.clone()), STEP_GRACE)
    }

    /// Checks that every proxy has the endpoints of a revision. If no other revision has or will have a pod, waiting
    /// helps nobody: after a while they count as settled, and the proxies that are behind are returned.
    pub(super) fn lone_endpoints_settled(&self, revision: &Revision) -> Result<Option<&'a [String]>, Closed> {
        match self.endpoints(revision) {
            Some(Settled::NotYet { since, behind }) if self.is_lone(revision) => {
                if self.view.now.since(*since) >= LONE_FOR {
                    return Ok(Some(behind));
                }
                let enough = Wake::new(*since + LONE_FOR, WakeReason::LookAgain);
                self.endpoints_settled(revision).map(|()| None).map_err(|closed| {
                    let wake = closed.wake.into_iter().chain([enough]).min_by_key(|wake| wake.at);
                    Closed { wake, ..closed }
                })
            }
            _ => self.endpoints_settled(revision).map(|()| None),
        }
    }

    fn endpoints(&self, revision: &Revision) -> Option<&'a Settled> {
        self.view.seen.endpoints.iter().find(|(of, _)| of == revision).map(|(_, settled)| settled)
    }

    fn is_lone(&self, revision: &Revision) -> bool {
        let mut others = self.view.revisions().iter().filter(|seen| seen.revision != *revision);
        let is_current = self.status.canary.as_ref().is_none_or(|canary| canary == revision);
        is_current && others.all(|seen| seen.wanted == 0 && seen.ready.hi() == 0)
    }

    /// Checks that every proxy is known that may still send requests along older routes.
    pub(super) fn proxies_known(&self) -> Gate {
        let at = self.proxies_known_at();
        if at <= self.view.now {
            return Ok(());
        }
        Err(Closed::until(WaitReason::ProxiesUnknown, None, at, WakeReason::GracePeriodEnds))
    }

    /// Returns when that will be so.
    pub(super) fn proxies_known_at(&self) -> Time {
        let now = self.view.now;
        if self.overridden { now } else { now + self.view.seen.proxies_known_in }
    }

    /// Returns when routes and selectors will count as settled if nothing changes; `None` while there is evidence that
    /// they are not.
    pub(super) fn all_settled_at(&self, grace: Duration) -> Option<Time> {
        let now = self.view.now;
        let at = |settled: &Settled| match settled {
            Settled::Yes => Some(now),
            Settled::NotYet { .. } => (off(Guard::NotYet) || self.overridden).then_some(now),
            Settled::Unknown { age } => Some(now + grace.saturating_sub(*age)),
        };
        let seen = self.view.seen;
        Some(at(&seen.routes_settled)?.max(at(&seen.selectors_settled)?))
    }

    fn settled(&self, settled: &Settled, what: impl Fn() -> Settling, grace: Duration) -> Gate {
        let now = self.view.now;
        match settled {
            Settled::Yes => Ok(()),
            Settled::NotYet { .. } if off(Guard::NotYet) || self.overridden => Ok(()),
            Settled::NotYet { since, behind } => {
                let age = now.since(*since);
                let reason = WaitReason::Settling { what: what(), behind: behind.clone(), long: age >= LONG };
                let look = Duration::from_secs(if age < Duration::from_secs(60) { 1 } else { 5 });
                let waiting = Waiting::new(reason, Some(*since), EndsBy::Event(Ending::Settled));
                Err(Closed { waiting, wake: Some(Wake::new(now + look, WakeReason::LookAgain)) })
            }
            Settled::Unknown { age } if *age >= grace => Ok(()),
            Settled::Unknown { age } => {
                let at = now + grace.saturating_sub(*age);
                Err(Closed::until(
                    WaitReason::GracePeriod { what: what() },
                    None,
                    at,
                    WakeReason::GracePeriodEnds,
                ))
            }
        }
    }
}
