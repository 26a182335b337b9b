use crate::{
    Observed, Range, Revision, RevisionSeen, Spec, Time,
    fleet::Permit,
    traffic::{Seen, Selection, Weight},
};
use alloc::boxed::Box;
use core::time::Duration;

/// How long stable must have been unavailable before all traffic moves: a single eviction must not move it.
const UNAVAILABLE_FOR: Duration = Duration::from_secs(10);

static NOTHING: Seen = Seen::nothing();

/// The observation, with the queries that the decision needs.
pub(super) struct View<'a> {
    pub(super) spec: &'a Spec,
    pub(super) now: Time,
    pub(super) seen: &'a Seen,
    pub(super) observed: &'a Observed,
    knows_traffic: bool,
    permit: Option<Box<Permit>>,
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
            permit: None,
        }
    }

    /// Adds how far the other clusters allow this one to go.
    pub(super) fn permit_to(&mut self, permit: Permit) {
        self.permit = Some(Box::new(permit));
    }

    /// Returns how far this cluster may go; `None` if it is alone.
    pub(super) fn permit(&self) -> Option<&Permit> {
        self.permit.as_deref()
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
        // Mostly the newest revisions are asked for, and whoever reads them lists those last.
        self.revisions().iter().rfind(|seen| seen.revision == *revision)
    }

    /// Returns the ready pods; none if the revision does not exist.
    pub(super) fn ready(&self, revision: &Revision) -> Range {
        self.revision(revision).map_or(Range::exact(0), |seen| seen.ready)
    }

    pub(super) fn available(&self, revision: &Revision) -> Range {
        self.revision(revision).map_or(Range::exact(0), |seen| seen.available)
    }

    pub(super) fn wanted(&self, revision: &Revision) -> u32 {
        self.revision(revision).map_or(0, |seen| seen.wanted)
    }

    pub(super) fn is_scaling_down(&self, revision: &Revision) -> bool {
        self.revision(revision).is_some_and(|seen| seen.scale_down_deadline.is_some())
    }

    /// Returns whether an unbroken series of live readings has shown no ready pod for long enough.
    pub(super) fn is_unavailable(&self, revision: &Revision) -> bool {
        self.observed.unavailable(revision).is_some_and(|age| age >= UNAVAILABLE_FOR)
    }

    /// Returns whether a live reading shows that the workload does not exist.
    pub(super) fn is_gone(&self, revision: &Revision) -> bool {
        self.observed.is_gone(revision)
    }

    /// Returns when a revision that is unavailable now will have been so for long enough.
    pub(super) fn unavailable_at(&self, revision: &Revision) -> Option<Time> {
        let age = self.observed.unavailable(revision)?;
        let left = UNAVAILABLE_FOR.saturating_sub(age);
        (!left.is_zero()).then(|| self.now + left)
    }

    /// Returns the maximum weight of the canary in the current routes.
    pub(super) fn weight_at_most(&self) -> Weight {
        self.spec.strategy.weight(self.seen.weight().hi())
    }

    /// Returns the ready pods behind a selection.
    pub(super) fn ready_behind(&self, selection: &Selection) -> Range {
        match selection {
            Selection::Unpinned => self.observed.user_selector.unwrap_or(Range::UNKNOWN),
            Selection::Revision(revision) => self.ready(revision),
        }
    }

    /// Returns how many ready pods stable needs to carry all traffic.
    pub(super) fn carry_need(&self) -> u32 {
        let default = || Weight::new(70, 100).of_count(self.spec.replicas);
        let threshold = self.spec.strategy.progress_threshold;
        threshold.map_or_else(default, |threshold| threshold.of(self.spec.replicas)).max(1)
    }

    /// Returns whether the canary destination leads to this revision and nothing else. A custom traffic manager without
    /// selectors leads where the routes say.
    pub(super) fn canary_leads_to(&self, revision: &Revision) -> bool {
        self.seen.behind.canary.iter().all(|selection| selection.is(revision))
    }

    pub(super) fn stable_leads_to(&self, revision: &Revision) -> bool {
        self.seen.behind.stable.iter().all(|selection| selection.is(revision))
    }
}
