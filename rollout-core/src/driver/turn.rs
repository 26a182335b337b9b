//! The order of work, which is defined only here.

use super::{
    Failure, Outcome,
    fence::Fence,
    order::{Stage, Stages, stages},
};
use crate::{Action, Event, Observed, Plan, Spec, Status, Store, Time, Wake, reconcile};
use alloc::{string::String, vec::Vec};
use core::mem;

/// One turn: decide, store, carry out, report. It does no I/O: it says what to do next; your loop does it and reports
/// the result.
///
/// 1. `Fence`: before this process's first action for the rollout, and after a write whose outcome is unknown. Write a
///    fresh nonce to every object; this ends the turn.
/// 2. `Store`, if the status changed: write it by compare-and-swap. If that fails, the turn ends without any action. If
///    the plan says [`Store::WithNext`] and has no actions, your loop may postpone it.
/// 3. `VerifyOwnership`, if the status did not change but there are actions: verify that this process is in charge,
///    because its lease has not expired or the rollout's resource version is still the one that was read.
/// 4. `Act`: carry out the actions in order, until one fails. Make each write conditional on the version of the object
///    that was observed or, if this turn has already written the object, on the version that this write returned.
/// 5. `Publish`: publish what happened. An action whose outcome was [`Unchanged`](Outcome::Unchanged) did not happen,
///    so no event reports it.
/// 6. `Report`, unless something failed: update information for people that no decision depends on, such as counts.
///    There may be nothing to do.
/// 7. `Done`.
///
/// After each of 1 to 6, call [`done`](Self::done) and then [`next`](Self::next) again; at the end, call
/// [`Driver::end`](super::Driver::end).
///
/// If the status cannot be stored, nothing else happens:
///
/// ```
/// use rollout_core::{Driver, Failure, Next, Observed, Spec, Status, Strategy, Time};
/// let spec = Spec::new(Strategy::builder().build()?, "v1".into());
/// let mut driver = Driver::new("controller-1");
/// # let revisions_unknown = Observed::new();
/// let mut turn = driver.begin(&spec, &Status::default(), &revisions_unknown, Time::from_secs(0));
/// assert!(matches!(turn.next(), Next::Store(status) if status.canary == Some("v1".into())));
/// turn.done(Err(Failure::Conflict));
/// assert_eq!(turn.next(), Next::Done);
/// assert_eq!(turn.failure(), Some(&Failure::Conflict));
/// # Ok::<(), rollout_core::InvalidStrategy>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a turn does nothing until `next` is called"]
pub struct Turn {
    plan: Plan,
    stages: Stages,
    /// The nonce of the fence, if one must be written first.
    nonce: Option<String>,
    /// Whether any stage was handed out.
    begun: bool,
    changed: bool,
    acted: usize,
    /// Events of commands that were applied before.
    caused: Vec<Event>,
    /// The events to publish.
    events: Vec<Event>,
    failure: Option<Failure>,
}

/// The next task of your loop.
///
/// See [`Driver`](super::Driver) for an example.
#[derive(Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a loop that cannot do a new thing must not compile")]
pub enum Next<'a> {
    /// Write this nonce to every object that decisions depend on.
    Fence(&'a str),
    /// Store the status by compare-and-swap.
    Store(&'a Status),
    /// Verify that this process is in charge.
    VerifyOwnership,
    /// Carry out one action.
    Act(&'a Action),
    /// Publish what happened.
    Publish(&'a [Event]),
    /// Update information for people that no decision depends on.
    Report,
    /// The turn is over.
    Done,
}

/// The result of a turn.
#[derive(Debug)]
pub(super) struct Ended {
    /// The nonce of the fence that the turn wrote, or tried to write.
    pub(super) fenced_with: Option<String>,
    pub(super) failure: Option<Failure>,
    /// Whether anything was written.
    pub(super) changed: bool,
    /// The actions that were decided.
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
        let stages = stages(&plan, fence.nonce().is_some());
        let nonce = stages.contains(&Some(Stage::Fence)).then(|| fence.new_nonce());
        let mut turn = Self {
            plan,
            stages,
            nonce,
            begun: false,
            changed: false,
            acted: 0,
            caused: Vec::new(),
            events: Vec::new(),
            failure: None,
        };
        turn.skip();
        turn
    }

    /// Also publishes these events, of commands that were applied to the status before this turn, once the status is
    /// stored.
    ///
    /// Without events, nothing tells the turn that a command changed the status: store it when
    /// [`apply`](crate::apply) accepts the command.
    ///
    /// ```
    /// use rollout_core::{AbortReason, Driver, Event, Next, Observed, Outcome, Spec, Status, Store, Strategy, Time};
    /// # let spec = Spec::new(Strategy::builder().build()?, "v2".into());
    /// # let mut status = Status::default();
    /// # (status.stable, status.canary) = (Some("v1".into()), Some("v2".into()));
    /// # let (mut driver, now) = (Driver::new("controller-1"), Time::from_secs(0));
    /// # status.aborted = Some(rollout_core::Aborted::new(now, AbortReason::Command).into());
    /// let aborted = Event::Aborted { revision: "v2".into(), why: AbortReason::Command }; // From `apply`.
    /// let turn = driver.begin(&spec, &status, &Observed::new(), now);
    /// let mut turn = turn.after_commands(vec![aborted.clone()]);
    /// assert_eq!(turn.store(), Store::Now);
    /// assert!(matches!(turn.next(), Next::Store(status) if status.aborted.is_some()));
    /// turn.done(Ok(Outcome::Changed));
    /// assert!(matches!(turn.next(), Next::Publish([first, ..]) if *first == aborted));
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    pub fn after_commands(mut self, events: Vec<Event>) -> Self {
        if !events.is_empty() {
            if let ([first, _, publish, _], None) = (&mut self.stages, &self.nonce) {
                // Both were left out if the plan alone has nothing to store and nothing to publish.
                (*first, *publish) = (Some(Stage::Store), Some(Stage::Publish));
            }
            self.caused = events;
        }
        self
    }

    /// Returns whether the status must be stored, because of the [plan](Self::plan) or because commands changed it.
    ///
    /// See [`after_commands`](Self::after_commands) for an example.
    #[must_use]
    pub fn store(&self) -> Store {
        if self.caused.is_empty() { self.plan.store } else { Store::Now }
    }

    /// Returns the plan that this turn carries out.
    ///
    /// ```
    /// use rollout_core::{Driver, Observed, Spec, Status, Strategy, Time, waiting::WaitReason};
    /// let spec = Spec::new(Strategy::builder().build()?, "v1".into());
    /// let turn = Driver::new("controller-1").begin(&spec, &Status::default(), &Observed::new(), Time::from_secs(0));
    /// assert_eq!(turn.plan().waiting[0].reason, WaitReason::RevisionsUnknown, "to report, before the turn is over");
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Returns the next task.
    ///
    /// Until [`done`](Self::done) is called, it is the same one.
    ///
    /// ```
    /// use rollout_core::{Driver, Next, Observed, Outcome, Spec, Status, Strategy, Time};
    /// let spec = Spec::new(Strategy::builder().build()?, "v1".into());
    /// let mut driver = Driver::new("controller-1");
    /// let mut turn = driver.begin(&spec, &Status::default(), &Observed::new(), Time::from_secs(0));
    /// assert!(matches!(turn.next(), Next::Store(_)));
    /// assert!(matches!(turn.next(), Next::Store(_)));
    /// turn.done(Ok(Outcome::Changed));
    /// assert!(matches!(turn.next(), Next::Publish(_)));
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    #[expect(
        clippy::should_implement_trait,
        reason = "it borrows from the turn, which an iterator cannot do"
    )]
    pub fn next(&mut self) -> Next<'_> {
        self.begun = true;
        match self.stage() {
            Some(Stage::Fence) => Next::Fence(self.nonce.as_deref().unwrap_or_default()),
            Some(Stage::Store) => Next::Store(&self.plan.status),
            Some(Stage::VerifyOwnership) => Next::VerifyOwnership,
            Some(Stage::Act) => self.plan.actions.get(self.acted).map_or(Next::Done, Next::Act),
            Some(Stage::Publish) => Next::Publish(&self.events),
            Some(Stage::Report) => Next::Report,
            None => Next::Done,
        }
    }

    /// Returns the failure that ended the turn early, if there was one.
    ///
    /// See [`Turn`] for an example.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// Returns the result. A turn that was started and not finished may have taken effect.
    pub(super) fn end(self) -> Ended {
        let broke_off = self.begun && self.stage().is_some();
        let unclear = || Failure::Ambiguous(String::from("the turn was not finished"));
        Ended {
            fenced_with: self.nonce.filter(|_| self.begun),
            failure: self.failure.or_else(|| broke_off.then(unclear)),
            changed: self.changed,
            actions: self.plan.actions,
            wake: self.plan.wake,
        }
    }

    /// Reports the result of the current task.
    ///
    /// See [`Turn`] and [`after_commands`](Self::after_commands) for examples.
    pub fn done(&mut self, result: Result<Outcome, Failure>) {
        let Some(stage) = self.stage() else { return };
        let (failed, changed) = (result.is_err(), result == Ok(Outcome::Changed));
        // Changes that no decision depends on are no reason to decide again.
        self.changed |= changed && matches!(stage, Stage::Fence | Stage::Store | Stage::Act);
        self.failure = result.err().or(self.failure.take());
        match stage {
            // Events of the actions done so far are still published.
            Stage::Act if failed => self.leave_out(|left| left != Stage::Publish),
            _ if failed => self.leave_out(|_| true),
            Stage::Act => {
                let action = self.plan.actions.get(self.acted).filter(|_| changed);
                self.events.extend(action.map(Event::from));
                self.acted += 1;
            }
            Stage::Store => {
                let caused = mem::take(&mut self.caused);
                self.events.splice(0..0, caused.into_iter().chain(self.plan.events.iter().cloned()));
                self.leave_out(|left| left == stage);
            }
            Stage::Fence | Stage::VerifyOwnership | Stage::Publish | Stage::Report => {
                self.leave_out(|left| left == stage);
            }
        }
        self.skip();
    }

    /// Returns the current stage; `None` at the end.
    fn stage(&self) -> Option<Stage> {
        self.stages.iter().flatten().next().copied()
    }

    fn leave_out(&mut self, which: impl Fn(Stage) -> bool) {
        for stage in &mut self.stages {
            *stage = stage.filter(|stage| !which(*stage));
        }
    }

    /// Skips the stages that have nothing to do.
    fn skip(&mut self) {
        if self.acted >= self.plan.actions.len() {
            self.leave_out(|stage| stage == Stage::Act);
        }
        if self.stage() == Some(Stage::Publish) && self.events.is_empty() {
            self.leave_out(|stage| stage == Stage::Publish);
        }
    }
}
