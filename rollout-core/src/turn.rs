//! The order of work: the only place that knows it.

use crate::{
    Action, Event, Observed, Plan, Spec, Status, Time, Waiting, Wake, WakeReason, reconcile,
    reconcile::guard::{Guard, off},
};
use alloc::{string::String, vec::Vec};
use core::mem;

/// One turn of a driver: decide, store, carry out, report. Sans-IO: it says what to do next, the driver does
/// it and says how it went.
///
/// 1. `Fence`: before this process's first action for the rollout, and after a write whose outcome is not
///    known. Write a fresh nonce to every object, then observe live and begin a new turn.
/// 2. `Store`: the status, by compare-and-swap, if it changed. When it is lost nothing is carried out.
/// 3. `Prove`: with actions and an unchanged status, prove that this process is still in charge: its lease
///    has not expired, or the rollout's resource version is still the one that was read.
/// 4. `Act`: the actions in order, until one fails. Each carries the versions of the observation, chained
///    with those of this turn's own writes.
/// 5. `Publish`: what happened.
/// 6. `Done`.
///
/// After each of 1 to 5, call [`done`](Self::done) and then [`next`](Self::next) again.
#[derive(Debug, Clone)]
#[must_use = "a turn does nothing until `next` is called"]
pub struct Turn {
    plan: Plan,
    stage: Stage,
    fenced: bool,
    acted: usize,
    events: Vec<Event>,
    failure: Option<Failure>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Fence,
    Store,
    Prove,
    Act,
    Publish,
    Done,
}

/// What the driver does next.
#[derive(Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a driver that cannot do a new thing must not compile")]
pub enum Next<'a> {
    /// Write a fresh nonce to every object that decisions rest on; see [`Fence`].
    Fence,
    /// Store the status by compare-and-swap.
    Store(&'a Status),
    /// Prove that this process is in charge.
    Prove,
    /// Carry out one action.
    Act(&'a Action),
    /// Report what happened.
    Publish(&'a [Event]),
    /// The turn is over.
    Done {
        /// When to begin the next if nothing changes before.
        wake: Option<Wake>,
        /// Why the rollout is not further.
        waiting: &'a [Waiting],
        /// What stopped the turn early.
        failure: Option<&'a Failure>,
    },
}

/// That a thing was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the two ways of success")]
pub enum Outcome {
    /// Something was written.
    Changed,
    /// It was so already.
    AsItWas,
}

/// That a thing was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the three ways of failure, each with its own consequence")]
pub enum Failure {
    /// Somebody else wrote first: a new snapshot, not an error. Begin a new turn at once.
    Conflict,
    /// It was refused, and nothing changed. Back off.
    Refused(String),
    /// It may have taken effect. Fence and read live before the next decision.
    Unclear(String),
}

/// Whether an earlier process's writes can still land.
///
/// A process starts without a fence; it has one after it wrote its nonce to every object and read them
/// again; it loses it with every write whose outcome is not known, and when it finds a nonce that is not
/// its own.
///
/// ```
/// use rollout_core::Fence;
/// let mut fence = Fence::default();
/// assert!(!fence.holds());
/// fence.written("7f3a".into());
/// assert!(fence.holds());
/// fence.found(["7f3a", "another"].map(Some));
/// assert!(!fence.holds());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fence {
    nonce: Option<String>,
}

impl Fence {
    /// Whether nobody else's writes can land any more.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.nonce.is_some()
    }

    /// The nonce has been written to every object.
    pub fn written(&mut self, nonce: String) {
        self.nonce = Some(nonce);
    }

    /// A write's outcome is not known, or another process may be at work.
    pub fn lost(&mut self) {
        self.nonce = None;
    }

    /// These nonces were read from the objects; one that is not its own breaks the fence.
    pub fn found<'a>(&mut self, nonces: impl IntoIterator<Item = Option<&'a str>>) {
        if nonces.into_iter().flatten().any(|nonce| self.nonce.as_deref() != Some(nonce)) {
            self.nonce = None;
        }
    }
}

impl Turn {
    /// Decides on what was observed. `stored` must not be older than this process's own last write or
    /// attempt, nor must `observed`.
    pub fn begin(spec: &Spec, stored: &Status, observed: &Observed, now: Time, fence: &Fence) -> Self {
        let plan = reconcile(spec, stored, observed, now);
        let unfenced = !plan.actions.is_empty() && !fence.holds() && !off(Guard::LateWriteFence);
        let stage = match (unfenced, plan.status == *stored) {
            (true, _) => Stage::Fence,
            (false, true) => Stage::Prove,
            (false, false) if off(Guard::StatusFirst) => Stage::Act,
            (false, false) => Stage::Store,
        };
        let mut turn = Self { plan, stage, fenced: false, acted: 0, events: Vec::new(), failure: None };
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
        match self.stage {
            Stage::Fence => Next::Fence,
            Stage::Store => Next::Store(&self.plan.status),
            Stage::Prove => Next::Prove,
            Stage::Act => match self.plan.actions.get(self.acted) {
                Some(action) => Next::Act(action),
                None => self.over(),
            },
            Stage::Publish => Next::Publish(&self.events),
            Stage::Done => self.over(),
        }
    }

    fn over(&self) -> Next<'_> {
        let go_on = self.fenced || self.failure.is_some();
        let wake = if go_on {
            Some(Wake::new(Time::from_millis(i64::MIN), WakeReason::GoOn))
        } else {
            self.plan.wake
        };
        Next::Done { wake, waiting: &self.plan.waiting, failure: self.failure.as_ref() }
    }

    /// Says how the last thing went.
    pub fn done(&mut self, result: Result<Outcome, Failure>) {
        let failed = result.is_err();
        self.failure = result.err().or(self.failure.take());
        self.stage = match self.stage {
            Stage::Fence => {
                self.fenced = true;
                Stage::Done
            }
            Stage::Store | Stage::Prove if failed => Stage::Done,
            Stage::Store => {
                self.events.splice(0..0, mem::take(&mut self.plan.events));
                if off(Guard::StatusFirst) { Stage::Publish } else { Stage::Act }
            }
            Stage::Prove => Stage::Act,
            Stage::Act if failed => Stage::Publish,
            Stage::Act => {
                self.events.extend(self.plan.actions.get(self.acted).map(Event::from));
                self.acted += 1;
                Stage::Act
            }
            Stage::Publish | Stage::Done => Stage::Done,
        };
        self.skip();
    }

    /// Leaves out the stages that have nothing to do.
    fn skip(&mut self) {
        if self.stage == Stage::Prove && (self.plan.actions.is_empty() || off(Guard::InCharge)) {
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
