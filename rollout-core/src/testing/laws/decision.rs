use crate::{
    Action, Observed, Plan, Range, Revision, RevisionSeen, Spec, Status, Time,
    sim::{Moment, What},
    traffic::{
        Destination, ManagedChange, Routes, RoutesSeen, Seen, Selection, Selectors, Settled, WeightChange,
    },
};
use core::time::Duration;

/// How old an answer "unknown" must be before it counts as settled: the shortest grace period.
const DWELL: Duration = Duration::from_secs(1);

/// A decision, with what it rested on, as the laws read it.
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
    /// The decision that was just made, if one was.
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

    /// The revisions that it points a destination at.
    pub(super) fn selected(&self) -> impl Iterator<Item = &'a Revision> + use<'a> {
        let to = self.select().into_iter().flat_map(|to| [&to.stable, &to.canary]);
        to.flatten().filter_map(Selection::revision)
    }

    /// The pod counts that it writes: revision, pods, mark.
    pub(super) fn workloads(&self) -> impl Iterator<Item = (&'a Revision, u32, Option<Time>)> + use<'a> {
        self.plan.actions.iter().filter_map(|action| {
            if let Action::Scale { revision, pods, scale_down_deadline } = action {
                Some((revision, *pods, *scale_down_deadline))
            } else {
                None
            }
        })
    }

    /// The pod counts that it makes smaller: what was seen, the new count.
    pub(super) fn shrinks(&self) -> impl Iterator<Item = (&'a RevisionSeen, u32)> + use<'a> {
        let observed = self.observed;
        self.workloads()
            .filter_map(move |(revision, pods, _)| Some((observed.revision(revision)?, pods)))
            .filter(|(seen, pods)| *pods < seen.wanted)
    }

    /// The weight that it writes, when some object gains by it.
    pub(super) fn raise(&self) -> Option<u32> {
        self.weight().filter(|weight| self.routes().iter().any(|object| object.weight.lo() < *weight))
    }

    /// The weight that it writes, when some object loses by it.
    pub(super) fn fall(&self) -> Option<u32> {
        self.weight().filter(|weight| self.routes().iter().any(|object| object.weight.hi() > *weight))
    }

    /// The weight that it writes.
    pub(super) fn weight(&self) -> Option<u32> {
        match self.route()?.weight {
            WeightChange::Keep => None,
            WeightChange::To(weight) => Some(weight.parts()),
        }
    }

    /// Whether it adds a managed route to some object, or puts another in its place.
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

    /// The one revision that a destination leads to, where all objects agree.
    pub(super) fn leads_to(&self, destination: Destination) -> Option<&'a Revision> {
        match self.traffic()?.behind[destination].as_slice() {
            [only] => only.revision(),
            _ => None,
        }
    }

    /// Ready pods behind a destination: of everything that may be behind it, the worst.
    pub(super) fn ready_behind(&self, destination: Destination) -> Range {
        let of = |selection: &Selection| match selection {
            Selection::Unpinned => self.observed.user_selector.unwrap_or(Range::UNKNOWN),
            Selection::Revision(revision) => self.ready(revision),
        };
        let Some(seen) = self.traffic() else { return Range::UNKNOWN };
        seen.behind[destination].iter().map(of).reduce(Range::union).unwrap_or(Range::UNKNOWN)
    }

    /// Ready pods of a revision; exactly none when it is known not to exist.
    pub(super) fn ready(&self, revision: &Revision) -> Range {
        let missing = if self.observed.revisions.is_some() { Range::exact(0) } else { Range::UNKNOWN };
        self.observed.revision(revision).map_or(missing, |seen| seen.ready)
    }

    /// Whether requests may reach a destination, as far as this decision can know.
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

    /// Whether a person has said that what is unsettled may be passed over.
    pub(super) fn word(&self) -> bool {
        let version = self.traffic().map(|seen| &seen.version);
        let word = self.observed.proceed.as_ref();
        word.zip(version).is_some_and(|(word, version)| {
            word.holds(self.stored, version) || word.holds(&self.plan.status, version)
        })
    }

    /// Whether something counts as settled.
    pub(super) fn settled(&self, answer: &Settled) -> bool {
        match answer {
            Settled::Yes => true,
            Settled::NotYet { .. } => self.word(),
            Settled::Unknown { age } => *age >= DWELL || self.word(),
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

    /// Whether no other revision has a pod, and the endpoints of this one have been waited for: nobody is better off by
    /// waiting longer.
    pub(super) fn alone_for_long(&self, revision: &Revision) -> bool {
        let mut others = self.observed.revisions.iter().flatten().filter(|seen| seen.revision != *revision);
        let mut answers = self.traffic().into_iter().flat_map(|seen| &seen.endpoints);
        let long = Duration::from_secs(30);
        let is_late = |answer: &Settled| matches!(answer, Settled::NotYet { since, .. } if self.now.since(*since) >= long);
        others.all(|seen| seen.wanted == 0 && seen.ready.hi() == 0)
            && answers.any(|(of, answer)| of == revision && is_late(answer))
    }

    /// Whether stable has been unavailable for the ten seconds that an emergency takes.
    pub(super) fn stable_unavailable(&self) -> bool {
        let Some(stable) = &self.stored.stable else { return false };
        let gone = self.observed.gone.as_ref().filter(|gone| gone.revision == *stable).map(|gone| gone.age);
        let unavailable = self.observed.revision(stable).and_then(|seen| seen.unavailable);
        gone.or(unavailable).is_some_and(|age| age >= Duration::from_secs(10))
    }

    /// Whether it does nothing and leaves the status as it was.
    pub(super) fn is_still(&self) -> bool {
        self.plan.actions.is_empty() && self.plan.status == *self.stored
    }
}
