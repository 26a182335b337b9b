//! The order of work: the only place that knows it.

use super::{Failure, Outcome, fence::Fence};
use crate::{
    Action, Event, Observed, Plan, Spec, Status, Time, Wake, reconcile,
    reconcile::guard::{Guard, off},
};
use alloc::{string::String, vec::Vec};
use core::mem;

/// One turn: decide, store, carry out, report. It does no I/O: it says what to do next, your loop does it and says how it
/// went.
///
/// 1. `Fence`: before this process's first action for the rollout, and after a write whose outcome is not
///    known. Write a fresh nonce to every object; the turn is over then.
/// 2. `Store`, if the status changed: write it by compare-and-swap. If that fails, the turn ends without any action.
/// 3. `VerifyOwnership`, if it did not change but there are actions: verify that this process is in charge: its lease
///    has not expired, or the rollout's resource version is still the one that was read.
/// 4. `Act`: the actions in order, until one fails. Make each write conditional on the version of the object that was
///    observed or, if this turn has written the object already, on the version that this write returned.
/// 5. `Publish`: what happened.
/// 6. `Done`.
///
/// After each of 1 to 5, call [`done`](Self::done) and then [`next`](Self::next) again; at the end,
/// [`Driver::end`](super::Driver::end).
#[derive(Debug, Clone)]
#[must_use = "a turn does nothing until `next` is called"]
pub struct Turn {
    plan: Plan,
    stage: Stage,
    /// What to fence with, where that has to be done first.
    nonce: Option<String>,
    /// Whether anything was handed out.
    begun: bool,
    changed: bool,
    acted: usize,
    events: Vec<Event>,
    failure: Option<Failure>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Fence,
    Store,
    VerifyOwnership,
    Act,
    Publish,
    Done,
}

/// What your loop does next.
#[derive(Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a loop that cannot do a new thing must not compile")]
pub enum Next<'a> {
    /// Write this nonce to every object that decisions rest on.
    Fence(&'a str),
    /// Store the status by compare-and-swap.
    Store(&'a Status),
    /// Verify that this process is in charge.
    VerifyOwnership,
    /// Carry out one action.
    Act(&'a Action),
    /// Report what happened.
    Publish(&'a [Event]),
    /// The turn is over.
    Done,
}

/// What came of a turn.
#[derive(Debug)]
pub(super) struct Ended {
    /// The nonce of the fence that it wrote, or tried to.
    pub(super) fenced_with: Option<String>,
    pub(super) failure: Option<Failure>,
    /// Whether anything was written.
    pub(super) changed: bool,
    /// What was decided to do.
    pub(super) actions: Vec<Action>,
    pub(super) wake: Option<Wake>,
}

impl Turn {
    pub(super) fn begin(
        spec: &Spec,
        stored: &Status,
        observed: &Observed,
        now: Time,
        fence: &mut Fence,
    ) -> Self {
        let plan = reconcile(spec, stored, observed, now);
        let unfenced = !plan.actions.is_empty() && fence.nonce().is_none() && !off(Guard::LateWriteFence);
        let stage = match (unfenced, plan.status == *stored) {
            (true, _) => Stage::Fence,
            (false, true) => Stage::VerifyOwnership,
            (false, false) if off(Guard::StatusFirst) => Stage::Act,
            (false, false) => Stage::Store,
        };
        let nonce = unfenced.then(|| fence.new_nonce());
        let (events, failure) = (Vec::new(), None);
        let mut turn = Self { plan, stage, nonce, begun: false, changed: false, acted: 0, events, failure };
        turn.skip();
        turn
    }

    /// The plan that this turn carries out.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What to do next.
    #[expect(
        clippy::should_implement_trait,
        reason = "it lends from the turn, so it cannot be an iterator's"
    )]
    pub fn next(&mut self) -> Next<'_> {
        self.begun = true;
        match self.stage {
            Stage::Fence => Next::Fence(self.nonce.as_deref().unwrap_or_default()),
            Stage::Store => Next::Store(&self.plan.status),
            Stage::VerifyOwnership => Next::VerifyOwnership,
            Stage::Act => self.plan.actions.get(self.acted).map_or(Next::Done, Next::Act),
            Stage::Publish => Next::Publish(&self.events),
            Stage::Done => Next::Done,
        }
    }

    /// What stopped it early, if something has.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// What came of it. One that was not carried to its end may have taken effect, unless it never began.
    pub(super) fn end(self) -> Ended {
        let broke_off = self.begun && self.stage != Stage::Done;
        let unclear = || Failure::Ambiguous(String::from("the turn was not carried to its end"));
        Ended {
            fenced_with: self.nonce.filter(|_| self.begun),
            failure: self.failure.or_else(|| broke_off.then(unclear)),
            changed: self.changed,
            actions: self.plan.actions,
            wake: self.plan.wake,
        }
    }

    /// Reports the result of the last thing; after the last one, also of what you did besides.
    pub fn done(&mut self, result: Result<Outcome, Failure>) {
        let failed = result.is_err();
        self.changed |= result == Ok(Outcome::Changed);
        self.failure = result.err().or(self.failure.take());
        self.stage = match self.stage {
            Stage::Store | Stage::VerifyOwnership if failed => Stage::Done,
            Stage::Store => {
                self.events.splice(0..0, mem::take(&mut self.plan.events));
                if off(Guard::StatusFirst) { Stage::Publish } else { Stage::Act }
            }
            Stage::VerifyOwnership => Stage::Act,
            Stage::Act if failed => Stage::Publish,
            Stage::Act => {
                self.events.extend(self.plan.actions.get(self.acted).map(Event::from));
                self.acted += 1;
                Stage::Act
            }
            Stage::Fence | Stage::Publish | Stage::Done => Stage::Done,
        };
        self.skip();
    }

    /// Leaves out the stages that have nothing to do.
    fn skip(&mut self) {
        if self.stage == Stage::VerifyOwnership && (self.plan.actions.is_empty() || off(Guard::InCharge)) {
            self.stage = Stage::Act;
        }
        if self.stage == Stage::Act && self.acted >= self.plan.actions.len() {
            let store_last = off(Guard::StatusFirst) && !self.plan.events.is_empty();
            self.stage = if store_last { Stage::Store } else { Stage::Publish };
        }
        if self.stage == Stage::Publish && self.events.is_empty() {
            self.stage = Stage::Done;
        }
    }
}
