use crate::{
    Action, Observed, Plan, Range, Revision, RevisionSeen, Spec, Status, Time,
    sim::{Moment, What},
    traffic::{
        Destination, ManagedChange, Routes, RoutesSeen, Seen, Selection, Selectors, Settled, WeightChange,
    },
};
use core::time::Duration;

/// The age at which an unknown answer counts as settled: the shortest grace period.
const DWELL: Duration = Duration::from_secs(1);

/// A decision and its inputs, as the laws read them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decision<'a> {
    pub(super) process: u32,
    pub(super) number: u64,
    pub(super) seen_at: Time,
    pub(super) spec: &'a Spec,
    pub(super) stored: &'a Status,
    pub(super) observed: &'a Observed,
    pub(super) now: Time,
    pub(super) plan: &'a Plan,
}

impl<'a> Decision<'a> {
    /// Returns the decision of this moment, if there is one.
    pub(super) fn of(moment: &Moment<'a>) -> Option<Self> {
        let What::Decided { process, decision: number, seen_at, spec, stored, observed, now, plan, .. } =
            moment.what
        else {
            return None;
        };
        Some(Self { process, number, seen_at, spec, stored, observed, now, plan })
    }

    pub(super) fn routed(&self) -> bool {
        self.spec.strategy.routing().is_some()
    }

    pub(super) fn total(&self) -> u32 {
        self.spec.strategy.max_weight()
    }

    pub(super) fn traffic(&self) -> Option<&'a Seen> {
        self.observed.traffic.as_ref()
    }

    pub(super) fn routes(&self) -> &'a [RoutesSeen] {
        self.traffic().map_or(&[], |seen| &seen.routes)
    }

    pub(super) fn route(&self) -> Option<&'a Routes> {
        self.plan
            .actions
            .iter()
            .find_map(|action| if let Action::Route(routes) = action { Some(routes) } else { None })
    }

    pub(super) fn select(&self) -> Option<&'a Selectors> {
        self.plan
            .actions
            .iter()
            .find_map(|action| if let Action::Select(to) = action { Some(to) } else { None })
    }

    /// Iterates over the revisions that it points a destination at.
    pub(super) fn selected(&self) -> impl Iterator<Item = &'a Revision> + use<'a> {
        let to = self.select().into_iter().flat_map(|to| [&to.stable, &to.canary]);
        to.flatten().filter_map(Selection::revision)
    }

    /// Iterates over the pod counts that it writes: revision, pods, scale-down deadline.
    pub(super) fn workloads(&self) -> impl Iterator<Item = (&'a Revision, u32, Option<Time>)> + use<'a> {
        self.plan.actions.iter().filter_map(|action| {
            if let Action::Scale { revision, pods, scale_down_deadline } = action {
                Some((revision, *pods, *scale_down_deadline))
            } else {
                None
            }
        })
    }

    /// Iterates over the pod counts that it lowers: the observed revision, and the new count.
    pub(super) fn shrinks(&self) -> impl Iterator<Item = (&'a RevisionSeen, u32)> + use<'a> {
        let observed = self.observed;
        self.workloads()
            .filter_map(move |(revision, pods, _)| Some((observed.revision(revision)?, pods)))
            .filter(|(seen, pods)| *pods < seen.wanted)
    }

    /// Returns the weight that it writes, if some object's weight rises.
    pub(super) fn raise(&self) -> Option<u32> {
        self.weight().filter(|weight| self.routes().iter().any(|object| object.weight.lo() < *weight))
    }

    /// Returns the weight that it writes, if some object's weight falls.
    pub(super) fn fall(&self) -> Option<u32> {
        self.weight().filter(|weight| self.routes().iter().any(|object| object.weight.hi() > *weight))
    }

    /// Returns the weight that it writes.
    pub(super) fn weight(&self) -> Option<u32> {
        match self.route()?.weight {
            WeightChange::Keep => None,
            WeightChange::To(weight) => Some(weight.parts()),
        }
    }

    /// Returns whether it adds a managed route to some object, or replaces one.
    pub(super) fn adds_managed(&self) -> bool {
        let Some(ManagedChange::To(wanted)) = self.route().map(|routes| &routes.managed) else {
            return false;
        };
        wanted.iter().any(|route| {
            self.routes()
                .iter()
                .any(|object| object.managed.iter().all(|seen| seen.route.as_ref() != Some(route)))
        })
    }

    /// Returns the single revision that a destination leads to, if all objects agree.
    pub(super) fn leads_to(&self, destination: Destination) -> Option<&'a Revision> {
        match self.traffic()?.behind[destination].as_slice() {
            [only] => only.revision(),
            _ => None,
        }
    }

    /// Returns the ready pods behind a destination: the lowest count of everything that may be behind it.
    pub(super) fn ready_behind(&self, destination: Destination) -> Range {
        let of = |selection: &Selection| match selection {
            Selection::Unpinned => self.observed.user_selector.unwrap_or(Range::UNKNOWN),
            Selection::Revision(revision) => self.ready(revision),
        };
        let Some(seen) = self.traffic() else { return Range::UNKNOWN };
        seen.behind[destination].iter().map(of).reduce(Range::union).unwrap_or(Range::UNKNOWN)
    }

    /// Returns the ready pods of a revision; exactly none if it is known not to exist.
    pub(super) fn ready(&self, revision: &Revision) -> Range {
        let missing = if self.observed.revisions.is_some() { Range::exact(0) } else { Range::UNKNOWN };
        self.observed.revision(revision).map_or(missing, |seen| seen.ready)
    }

    /// Returns whether requests may reach a destination, as far as this decision can know.
    pub(super) fn used(&self, destination: Destination) -> bool {
        let Some(seen) = self.traffic() else { return true };
        let unsettled = !self.settled(&seen.routes_settled);
        match destination {
            Destination::Stable => {
                self.spec.strategy.stable_service
                    || seen.used_elsewhere.stable
                    || unsettled
                    || seen.routes.iter().any(|object| object.weight.lo() < self.total())
            }
            Destination::Canary => {
                seen.used_elsewhere.canary || unsettled || seen.routes.iter().any(RoutesSeen::leads_to_canary)
            }
        }
    }

    /// Returns whether an operator's `proceed` override applies.
    pub(super) fn is_overridden(&self) -> bool {
        let version = self.traffic().map(|seen| &seen.version);
        let proceed = self.observed.proceed.as_ref();
        proceed.zip(version).is_some_and(|(proceed, version)| {
            proceed.holds(self.stored, version) || proceed.holds(&self.plan.status, version)
        })
    }

    /// Returns whether an answer counts as settled.
    pub(super) fn settled(&self, answer: &Settled) -> bool {
        match answer {
            Settled::Yes => true,
            Settled::NotYet { .. } => self.is_overridden(),
            Settled::Unknown { age } => *age >= DWELL || self.is_overridden(),
        }
    }

    pub(super) fn routes_settled(&self) -> bool {
        self.traffic().is_some_and(|seen| self.settled(&seen.routes_settled))
    }

    pub(super) fn selectors_settled(&self) -> bool {
        self.traffic().is_some_and(|seen| self.settled(&seen.selectors_settled))
    }

    pub(super) fn endpoints_settled(&self, revision: &Revision) -> bool {
        let Some(seen) = self.traffic() else { return false };
        let of = seen.endpoints.iter().find(|(of, _)| of == revision);
        of.is_some_and(|(_, answer)| self.settled(answer))
    }

    /// Returns whether no other revision has a pod and the endpoints have been waited for, so that further waiting helps
    /// nobody.
    pub(super) fn alone_for_long(&self, revision: &Revision) -> bool {
        let mut others = self.observed.revisions.iter().flatten().filter(|seen| seen.revision != *revision);
        let mut answers = self.traffic().into_iter().flat_map(|seen| &seen.endpoints);
        let long = Duration::from_secs(30);
        let is_late = |answer: &Settled| matches!(answer, Settled::NotYet { since, .. } if self.now.since(*since) >= long);
        others.all(|seen| seen.wanted == 0 && seen.ready.hi() == 0)
            && answers.any(|(of, answer)| of == revision && is_late(answer))
    }

    /// Returns whether stable has been unavailable for the ten seconds that an emergency requires.
    pub(super) fn stable_unavailable(&self) -> bool {
        let Some(stable) = &self.stored.stable else { return false };
        let gone = self.observed.gone.as_ref().filter(|gone| gone.revision == *stable).map(|gone| gone.age);
        let unavailable = self.observed.revision(stable).and_then(|seen| seen.unavailable);
        gone.or(unavailable).is_some_and(|age| age >= Duration::from_secs(10))
    }

    /// Returns whether it does nothing and leaves the status unchanged.
    pub(super) fn is_still(&self) -> bool {
        self.plan.actions.is_empty() && self.plan.status == *self.stored
    }
}
