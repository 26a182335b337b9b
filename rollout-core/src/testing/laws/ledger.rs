use super::Decision;
use crate::{
    Action, Event, Revision, Time,
    sim::{Moment, What},
    strategy::Fenceposts,
    traffic::Destination,
};
use alloc::vec::Vec;

/// A record of who wrote what on which observation, and which pods were lost since: the basis for deciding whether the
/// engine caused an unavailability.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    decisions: Vec<Rested>,
    generations: Vec<u64>,
    origins: Vec<(usize, u64, Origin)>,
    shrinkers: Vec<(Revision, u64)>,
    /// The pod counts that decisions wrote.
    scaled: Vec<(u64, Revision, u32)>,
    ready: Vec<(Revision, u32)>,
    lost: Vec<(Revision, Time, u32)>,
    foreign: Option<Time>,
    /// When the user last asked for no pods at all.
    zero: Option<Time>,
}

/// The origin of a generation of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A decision of the engine.
    Ours(u64),
    /// Another client.
    Foreign,
}

/// The circumstances of a decision with actions.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
struct Rested {
    number: u64,
    seen_at: Time,
    /// Whether an operator had overridden the wait for proxies.
    overridden: bool,
    /// Whether the user allows all pods to be missing.
    allowed: bool,
    /// Whether it continued a first deploy although some proxy had not confirmed the endpoints.
    unconfirmed: bool,
    /// Whether the canary had no pod, so that no change of its traffic could make things worse.
    canary_gone: bool,
    ready: Vec<(Revision, u32)>,
    user_selector: u32,
}

impl Ledger {
    /// Records a moment.
    pub(super) fn see(&mut self, moment: &Moment<'_>) {
        if moment.truth.spec.replicas == 0 {
            self.zero = Some(moment.truth.now);
        }
        if self.ready.is_empty() {
            let ready = moment.truth.workloads.iter();
            self.ready = ready.map(|workload| (workload.revision.clone(), workload.ready())).collect();
        }
        if let Some(decision) = Decision::of(moment) {
            if !decision.plan.actions.is_empty() {
                self.decisions.push(Rested::on(&decision));
            }
            return;
        }
        match moment.what {
            What::Acted { by, action, took_effect: true, .. } => {
                self.written(moment, Origin::Ours(by.decision));
                if let Action::Scale { revision, pods, .. } = action {
                    let mut before = self.scaled.iter().rev().filter(|(_, of, _)| of == revision);
                    if before.next().is_none_or(|(.., before)| pods < before) {
                        self.shrinkers.retain(|(of, _)| of != revision);
                        self.shrinkers.push((revision.clone(), by.decision));
                    }
                    self.scaled.push((by.decision, revision.clone(), *pods));
                }
            }
            What::ForeignWrite { .. } => {
                self.foreign = Some(moment.truth.now);
                self.written(moment, Origin::Foreign);
            }
            What::PodReady(revision) => self.counted(moment, revision, false),
            What::PodLost(revision) => self.counted(moment, revision, true),
            What::PodEnded(revision) => self.counted(moment, revision, moment.truth.spec.replicas == 0),
            _ => {}
        }
    }

    fn counted(&mut self, moment: &Moment<'_>, revision: &Revision, lost: bool) {
        let now = moment.truth.workload(revision).map_or(0, crate::sim::SimulatedWorkload::ready);
        let known = self.ready.iter_mut().find(|(of, _)| of == revision);
        let before = known.map_or(0, |(_, before)| core::mem::replace(before, now));
        if !self.ready.iter().any(|(of, _)| of == revision) {
            self.ready.push((revision.clone(), now));
        }
        if lost {
            let fewer = before.saturating_sub(now).max(1);
            self.lost.push((revision.clone(), moment.truth.now, fewer));
        }
    }

    fn written(&mut self, moment: &Moment<'_>, origin: Origin) {
        for (index, object) in moment.truth.traffic.iter().enumerate() {
            match self.generations.get_mut(index) {
                Some(known) if *known == object.generation => {}
                Some(known) => {
                    *known = object.generation;
                    self.origins.push((index, object.generation, origin));
                }
                None => {
                    self.generations.push(object.generation);
                    self.origins.push((index, object.generation, origin));
                }
            }
        }
    }

    /// Iterates over the origins of an object's generations after `from`, up to `to`.
    pub(super) fn origins(&self, object: usize, from: u64, to: u64) -> impl Iterator<Item = Origin> + '_ {
        let those = self
            .origins
            .iter()
            .filter(move |(of, generation, _)| *of == object && *generation > from && *generation <= to);
        those.map(|(.., origin)| *origin)
    }

    /// Returns whether the engine alone wrote what reaches a proxy now, and no decision behind it is excused.
    pub(super) fn blames(
        &self,
        delivered: (usize, u64, u64),
        unavailable: Option<&Revision>,
        stable: bool,
    ) -> bool {
        let (object, from, to) = delivered;
        let mut any = false;
        for origin in self.origins(object, from, to) {
            match origin {
                Origin::Foreign => return false,
                Origin::Ours(decision) if self.excuses(decision, unavailable, false) => return false,
                Origin::Ours(decision) => {
                    let rested = self.decisions.iter().rev().find(|rested| rested.number == decision);
                    if stable && rested.is_some_and(|rested| rested.canary_gone) {
                        return false;
                    }
                    any = true;
                }
            }
        }
        any
    }

    /// Returns the decision that last wrote a revision's pod count.
    pub(super) fn shrinker(&self, revision: &Revision) -> Option<u64> {
        self.shrinkers.iter().find(|(of, _)| of == revision).map(|(_, decision)| *decision)
    }

    /// Returns whether a decision did not cause an unavailability: the pods it saw were lost since, another client
    /// wrote since, an operator overrode the wait, or it reported an unconfirmed first deploy.
    pub(super) fn excuses(&self, decision: u64, unavailable: Option<&Revision>, shrunk: bool) -> bool {
        let Some(rested) = self.decisions.iter().rev().find(|rested| rested.number == decision) else {
            return true;
        };
        let overridden = self.decisions.iter().any(|later| later.overridden && later.number >= decision);
        let since = |at: Option<Time>| at.is_some_and(|at| at >= rested.seen_at);
        if overridden || rested.allowed || rested.unconfirmed || since(self.foreign) || since(self.zero) {
            return true;
        }
        let since = self.lost.iter().filter(|(_, at, _)| *at >= rested.seen_at);
        let lost: u32 = since
            .filter(|(of, ..)| unavailable.is_none_or(|unavailable| unavailable == of))
            .map(|(.., n)| n)
            .sum();
        let saw = unavailable.map_or(rested.user_selector, |unavailable| {
            rested.ready.iter().find(|(of, _)| of == unavailable).map_or(0, |(_, ready)| *ready)
        });
        // What a later decision removed is judged there.
        let later = self.scaled.iter().filter(|(by, of, _)| *by > decision && Some(of) == unavailable);
        let saw = later.map(|(.., pods)| *pods).fold(saw, u32::min);
        // Pods that became ready after the observation were unavailable in it.
        shrunk && saw == 0 || lost > 0 && (shrunk || lost >= saw)
    }
}

/// Returns whether the user allows all pods to be missing: `replicas: 0`, or, without routing, `maxUnavailable`.
fn allowed_to_be_missing(decision: &Decision<'_>) -> bool {
    let (strategy, replicas) = (&decision.spec.strategy, decision.spec.replicas);
    let posts = Fenceposts::resolve(replicas, strategy.max_surge, strategy.max_unavailable);
    replicas == 0 || !decision.routed() && posts.unavailable >= replicas
}

impl Rested {
    fn on(decision: &Decision<'_>) -> Self {
        let revisions = decision.observed.revisions.as_deref().unwrap_or_default();
        Self {
            number: decision.number,
            seen_at: decision.seen_at,
            overridden: decision.observed.proceed.is_some(),
            allowed: allowed_to_be_missing(decision),
            unconfirmed: decision.plan.events.iter().any(|event| matches!(event, Event::Unconfirmed { .. }))
                || decision.selected().any(|revision| decision.alone_for_long(revision)),
            canary_gone: decision.ready_behind(Destination::Canary).hi() == 0,
            ready: revisions.iter().map(|seen| (seen.revision.clone(), seen.ready.lo())).collect(),
            user_selector: decision.observed.user_selector.map_or(0, crate::Range::lo),
        }
    }
}
