use crate::{
    Observed, Range, Revision, RevisionSeen, Spec, Time,
    goal::share_up,
    traffic::{Seen, Selection, Weight},
};
use core::time::Duration;

/// How long stable must have been unavailable before all traffic moves: one eviction must not swing it.
const UNAVAILABLE_FOR: Duration = Duration::from_secs(10);

static NOTHING: Seen = Seen::nothing();

/// The observation, with the questions that the decision asks of it.
pub(super) struct View<'a> {
    pub(super) spec: &'a Spec,
    pub(super) now: Time,
    pub(super) seen: &'a Seen,
    pub(super) observed: &'a Observed,
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

    pub(super) fn is_scaling_down(&self, revision: &Revision) -> bool {
        self.revision(revision).is_some_and(|seen| seen.scale_down_deadline.is_some())
    }

    /// Whether no pod of it has been ready for long enough, in an unbroken row of live readings.
    pub(super) fn is_unavailable(&self, revision: &Revision) -> bool {
        self.observed.unavailable(revision).is_some_and(|age| age >= UNAVAILABLE_FOR)
    }

    /// Whether a live reading shows that its workload does not exist.
    pub(super) fn is_gone(&self, revision: &Revision) -> bool {
        self.observed.is_gone(revision)
    }

    /// When it will have been unavailable for long enough, if it is unavailable now.
    pub(super) fn unavailable_at(&self, revision: &Revision) -> Option<Time> {
        let age = self.observed.unavailable(revision)?;
        let left = UNAVAILABLE_FOR.saturating_sub(age);
        (!left.is_zero()).then(|| self.now + left)
    }

    /// The most that the canary may have, as the routes stand.
    pub(super) fn weight_at_most(&self) -> Weight {
        self.spec.strategy.weight(self.seen.weight().hi())
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

    /// Whether a rollout's canary destination leads to this revision and nothing else. An embedder's traffic
    /// manager without selectors leads where the routes say.
    pub(super) fn canary_leads_to(&self, revision: &Revision) -> bool {
        self.seen.behind.canary.iter().all(|selection| selection.is(revision))
    }

    pub(super) fn stable_leads_to(&self, revision: &Revision) -> bool {
        self.seen.behind.stable.iter().all(|selection| selection.is(revision))
    }
}
