use super::{
    draft::{Closed, Gate},
    guard::{Guard, off},
};
use crate::{
    Ending, EndsBy, Observed, Range, Revision, RevisionSeen, Settling, Spec, Status, Time, WaitReason,
    Waiting, Wake, WakeReason,
    goal::share_up,
    traffic::{Seen, Selection, Settled},
};
use alloc::string::String;
use core::time::Duration;

/// How long a step waits where the data plane cannot be asked.
pub(super) const STEP_DWELL: Duration = Duration::from_secs(2);
/// How long stable must have been dark before all traffic moves: one eviction must not swing it.
const DARK_FOR: Duration = Duration::from_secs(10);
/// After this long a person should look at who is behind.
const LONG: Duration = Duration::from_secs(600);

/// How long a lone revision's endpoints are waited for: perhaps no Service selects its pods, and nobody comes.
const LONE_FOR: Duration = Duration::from_secs(30);

static NOTHING: Seen = Seen::nothing();

/// The observation, with the questions that the decision asks of it.
pub(super) struct View<'a> {
    pub(super) spec: &'a Spec,
    pub(super) now: Time,
    pub(super) seen: &'a Seen,
    observed: &'a Observed,
    knows_traffic: bool,
}

impl<'a> View<'a> {
    pub(super) fn new(spec: &'a Spec, observed: &'a Observed, now: Time) -> Self {
        let strategy = &spec.strategy;
        let has_traffic = strategy.routing().is_some() || strategy.canary_service || strategy.stable_service;
        let seen = observed.traffic.as_ref().filter(|_| has_traffic);
        Self {
            spec,
            now,
            seen: seen.unwrap_or(&NOTHING),
            observed,
            knows_traffic: seen.is_some() || !has_traffic,
        }
    }

    pub(super) fn knows_revisions(&self) -> bool {
        self.observed.revisions.is_some()
    }

    pub(super) fn knows_traffic(&self) -> bool {
        self.knows_traffic
    }

    pub(super) fn revisions(&self) -> &'a [RevisionSeen] {
        self.observed.revisions.as_deref().unwrap_or_default()
    }

    pub(super) fn revision(&self, revision: &Revision) -> Option<&'a RevisionSeen> {
        self.revisions().iter().find(|seen| seen.revision == *revision)
    }

    /// Ready pods; none where the revision does not exist.
    pub(super) fn ready(&self, revision: &Revision) -> Range {
        self.revision(revision).map_or(Range::exact(0), |seen| seen.ready)
    }

    pub(super) fn available(&self, revision: &Revision) -> Range {
        self.revision(revision).map_or(Range::exact(0), |seen| seen.available)
    }

    pub(super) fn wanted(&self, revision: &Revision) -> u32 {
        self.revision(revision).map_or(0, |seen| seen.wanted)
    }

    pub(super) fn is_marked(&self, revision: &Revision) -> bool {
        self.revision(revision).is_some_and(|seen| seen.mark.is_some())
    }

    /// Whether no pod of it has been ready for long enough, in an unbroken row of live readings.
    pub(super) fn is_dark(&self, revision: &Revision) -> bool {
        self.observed.dark(revision).is_some_and(|age| age >= DARK_FOR)
    }

    /// Whether a live reading shows that its workload does not exist.
    pub(super) fn is_gone(&self, revision: &Revision) -> bool {
        self.observed.is_gone(revision)
    }

    /// When it will have been dark for long enough, if it is dark now.
    pub(super) fn dark_at(&self, revision: &Revision) -> Option<Time> {
        let age = self.observed.dark(revision)?;
        let left = DARK_FOR.saturating_sub(age);
        (!left.is_zero()).then(|| self.now + left)
    }

    /// Ready pods behind a selection.
    pub(super) fn ready_behind(&self, selection: &Selection) -> Range {
        match selection {
            Selection::Unpinned => self.observed.user_selector.unwrap_or(Range::UNKNOWN),
            Selection::Revision(revision) => self.ready(revision),
        }
    }

    /// Ready pods that stable needs to carry everything.
    pub(super) fn carry_need(&self) -> u32 {
        let default = || share_up(self.spec.replicas, 70, 100);
        let threshold = self.spec.strategy.progress_threshold;
        threshold.map_or_else(default, |threshold| threshold.of(self.spec.replicas)).max(1)
    }

    /// Whether a person's word holds for this position and these objects.
    pub(super) fn overridden(&self, status: &Status) -> bool {
        self.observed.proceed.as_ref().is_some_and(|word| word.holds(status, &self.seen.version))
    }

    /// Whether a rollout's canary destination leads to this revision and nothing else. An embedder's traffic
    /// manager without selectors leads where the routes say.
    pub(super) fn canary_leads_to(&self, revision: &Revision) -> bool {
        self.seen.canary.iter().all(|selection| selection.is(revision))
    }

    pub(super) fn stable_leads_to(&self, revision: &Revision) -> bool {
        self.seen.stable.iter().all(|selection| selection.is(revision))
    }

    pub(super) fn routes_settled(&self, status: &Status, dwell: Duration) -> Gate {
        self.settled(status, &self.seen.routes_settled, || Settling::Routes, dwell)
    }

    pub(super) fn selectors_settled(&self, status: &Status, dwell: Duration) -> Gate {
        self.settled(status, &self.seen.selectors_settled, || Settling::Selectors, dwell)
    }

    pub(super) fn endpoints_settled(&self, status: &Status, revision: &Revision) -> Gate {
        let known = self.seen.endpoints.iter().find(|(of, _)| of == revision).map(|(_, settled)| settled);
        let is_absent = self.revision(revision).is_none();
        let nothing_routed = self.spec.strategy.routing().is_none() || is_absent;
        let settled = known.unwrap_or(if nothing_routed { &Settled::Yes } else { &Settled::UNKNOWN });
        self.settled(status, settled, || Settling::Endpoints(revision.clone()), STEP_DWELL)
    }

    /// Whether the endpoints of a revision are with every proxy. Where no other revision has a pod, or is to have one,
    /// nobody is better off by waiting: after a while it counts as if they were; then, who is behind.
    pub(super) fn lone_endpoints_settled(
        &self,
        status: &Status,
        revision: &Revision,
    ) -> Result<Option<&'a [String]>, Closed> {
        let others = self.revisions().iter().filter(|seen| seen.revision != *revision);
        let is_current = status.canary.as_ref().is_none_or(|canary| canary == revision);
        let is_lone = is_current && others.clone().all(|seen| seen.wanted == 0 && seen.ready.hi() == 0);
        let known = self.seen.endpoints.iter().find(|(of, _)| of == revision);
        match known {
            Some((_, Settled::NotYet { since, behind })) if is_lone => {
                if self.now.since(*since) >= LONE_FOR {
                    return Ok(Some(behind));
                }
                let enough = Wake::new(*since + LONE_FOR, WakeReason::LookAgain);
                self.endpoints_settled(status, revision).map(|()| None).map_err(|closed| {
                    let wake = closed.wake.into_iter().chain([enough]).min_by_key(|wake| wake.at);
                    Closed { wake, ..closed }
                })
            }
            _ => self.endpoints_settled(status, revision).map(|()| None),
        }
    }

    /// Whether every proxy is known that may still send requests where older routes led.
    pub(super) fn proxies_known(&self, status: &Status) -> Gate {
        let at = self.proxies_known_at(status);
        if at <= self.now {
            return Ok(());
        }
        Err(Closed::until(WaitReason::ProxiesUnknown, None, at, WakeReason::DwellEnds))
    }

    /// When that will be so.
    pub(super) fn proxies_known_at(&self, status: &Status) -> Time {
        if self.overridden(status) { self.now } else { self.now + self.seen.proxies_known_in }
    }

    /// When routes and selectors will count as settled if nothing changes; `None` while there is evidence
    /// that they are not.
    pub(super) fn all_settled_at(&self, status: &Status, dwell: Duration) -> Option<Time> {
        let at = |settled: &Settled| match settled {
            Settled::Yes => Some(self.now),
            Settled::NotYet { .. } => (off(Guard::NotYet) || self.overridden(status)).then_some(self.now),
            Settled::Unknown { age } => Some(self.now + dwell.saturating_sub(*age)),
        };
        Some(at(&self.seen.routes_settled)?.max(at(&self.seen.selectors_settled)?))
    }

    fn settled(
        &self,
        status: &Status,
        settled: &Settled,
        what: impl Fn() -> Settling,
        dwell: Duration,
    ) -> Gate {
        match settled {
            Settled::Yes => Ok(()),
            Settled::NotYet { .. } if off(Guard::NotYet) || self.overridden(status) => Ok(()),
            Settled::NotYet { since, behind } => {
                let age = self.now.since(*since);
                let reason = WaitReason::Settling { what: what(), behind: behind.clone(), long: age >= LONG };
                let look = Duration::from_secs(if age < Duration::from_secs(60) { 1 } else { 5 });
                let waiting = Waiting::new(reason, Some(*since), EndsBy::Event(Ending::Settled));
                Err(Closed { waiting, wake: Some(Wake::new(self.now + look, WakeReason::LookAgain)) })
            }
            Settled::Unknown { age } if *age >= dwell => Ok(()),
            Settled::Unknown { age } => {
                let at = self.now + dwell.saturating_sub(*age);
                Err(Closed::until(WaitReason::Dwell { what: what() }, None, at, WakeReason::DwellEnds))
            }
        }
    }
}
