use super::observe::{Reading, Views};
use crate::{
    Failure, Next, Resume, Time, Turn,
    reconcile::guard::{Guard, off},
    sim::{
        Stuck, Watcher, What, Writer,
        delay::millis,
        mesh::Mesh,
        settings::{PerKind, ReadKind},
        world::World,
    },
};
use alloc::boxed::Box;
use core::time::Duration;

/// Beyond this many decisions at one instant, the controller is looping.
const AT_ONCE: u32 = 200;
/// How long a process waits for its cache before it reads live.
const CACHE_PATIENCE: Duration = Duration::from_secs(2);

/// A turn in progress.
#[derive(Debug, Clone)]
pub(super) struct Running {
    pub(super) turn: Turn,
    pub(super) reading: Box<Reading>,
    pub(super) by: Writer,
    /// The number of actions tried.
    pub(super) acted: usize,
    /// When it continues. True time.
    pub(super) goes_on: Time,
}

/// How a turn continues after one task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GoesOn {
    /// At once: nothing was sent.
    Now,
    /// When the answer arrives.
    Answered,
    /// Not at all: the turn is over.
    Over,
    /// Not at all: the process has died.
    Dead,
}

impl<M: Mesh, W: Watcher> World<M, W> {
    /// Does the process's next piece of work: a new turn, or the next task of the current one.
    pub(in crate::sim) fn turn(&mut self) -> Result<(), Stuck> {
        if let Some(running) = self.process.running.take() {
            self.go_on(running);
            return Ok(());
        }
        self.process.due = self.next_news();
        if self.settings.reads_fail.get(ReadKind::Rollout) {
            return Ok(());
        }
        self.count_decision()?;
        let Some(lag) = self.caches_that_are_new_enough() else { return Ok(()) };
        let views = self.views(lag);
        let reading = self.read_and_remember(&views);
        let oldest = ReadKind::ALL.iter().map(|kind| lag.get(*kind)).max().unwrap_or(0);
        let seen_at = if self.histories.is_some() { self.after(-oldest) } else { self.truth.now };
        let is_missed = |kind: &ReadKind| {
            let lags = lag.get(*kind);
            lags > 0 && self.after(-lags) < self.process.wrote.get(*kind)
        };
        let misses = ReadKind::ALL.iter().any(is_missed);
        let running = self.begin_turn(&views, reading, (seen_at, misses));
        self.go_on(running);
        Ok(())
    }

    fn count_decision(&mut self) -> Result<(), Stuck> {
        let process = &mut self.process;
        if process.last_decision == self.truth.now {
            process.at_once += 1;
        } else {
            (process.last_decision, process.at_once) = (self.truth.now, 1);
        }
        if process.at_once <= AT_ONCE {
            return Ok(());
        }
        let (decisions, waiting) = (process.at_once, process.waiting().to_vec());
        Err(Stuck { at: self.truth.now, decisions, waiting })
    }

    /// Returns how much each kind may lag so that no observation is older than the process's own last write; `None` if
    /// the process must wait for a cache.
    fn caches_that_are_new_enough(&mut self) -> Option<PerKind<i64>> {
        let mut lag = self.settings.read_lag;
        if self.process.driver.take_live() || self.histories.is_none() {
            self.process.read_live = self.truth.now;
            return Some(PerKind::all(0));
        }
        let since_live = self.truth.now.as_millis().saturating_sub(self.process.read_live.as_millis());
        for kind in ReadKind::ALL {
            lag.set(kind, lag.get(kind).min(since_live));
        }
        let patience = millis(CACHE_PATIENCE);
        let mut wait_until = None;
        for kind in ReadKind::ALL {
            let (lags, wrote) = (lag.get(kind), self.process.wrote.get(kind));
            if lags == 0 || self.after(-lags) >= wrote || off(Guard::ReadYourWrites) {
                continue;
            }
            if self.after(-patience) >= wrote {
                lag.set(kind, 0);
            } else {
                let shown = Time::from_millis(wrote.as_millis().saturating_add(lags.min(patience)));
                wait_until = wait_until.max(Some(shown));
            }
        }
        let Some(until) = wait_until else { return Some(lag) };
        self.process.wake(until);
        None
    }

    /// Decides on the observation.
    pub(super) fn begin_turn(
        &mut self,
        views: &Views,
        reading: Box<Reading>,
        (seen_at, misses_own_write): (Time, bool),
    ) -> Box<Running> {
        let observed = &reading.observed;
        let now = self.process.clock(self.truth.now);
        let (spec, stored) = match &views.rollout {
            Some(state) => (&state.spec, &state.status),
            None => (&self.truth.spec, &self.truth.status),
        };
        let turn = self.process.driver.begin(spec, stored, observed, now);
        self.tally.decisions += 1;
        let (process, decision) = (self.process.id, self.tally.decisions);
        let what = What::Decided {
            process,
            decision,
            seen_at,
            misses_own_write,
            spec,
            stored,
            observed,
            now,
            plan: turn.plan(),
        };
        self.watcher.see(&crate::sim::Moment { truth: &self.truth, what });
        let by = Writer { process, decision, late: false };
        Box::new(Running { turn, reading, by, acted: 0, goes_on: self.truth.now })
    }

    /// Carries out a turn until it has to wait.
    pub(super) fn go_on(&mut self, mut running: Box<Running>) {
        loop {
            match self.carry_out(&mut running) {
                GoesOn::Now => {}
                GoesOn::Answered if self.settings.writes_take.is_zero() => {}
                GoesOn::Answered => {
                    running.goes_on = self.truth.now + self.settings.writes_take;
                    self.process.running = Some(running);
                    return;
                }
                GoesOn::Over => {
                    let Running { turn, reading, .. } = *running;
                    self.finish(turn);
                    self.process.spare = Some(reading);
                    return;
                }
                GoesOn::Dead => return,
            }
        }
    }

    fn carry_out(&mut self, running: &mut Running) -> GoesOn {
        let Running { turn, reading, by, acted, .. } = running;
        let versions = &mut reading.versions;
        let by = *by;
        let result = match turn.next() {
            Next::Fence(nonce) => self.write(by, versions, super::act::Write::Fence(nonce)),
            Next::Store(status) => self.write(by, versions, super::act::Write::Store(status)),
            Next::Act(action) => {
                *acted += 1;
                self.write(by, versions, super::act::Write::Act(action))
            }
            Next::VerifyOwnership => {
                let in_charge = versions.rollout == self.rollout_version;
                turn.done(if in_charge { Ok(crate::Outcome::Unchanged) } else { Err(Failure::Conflict) });
                return GoesOn::Now;
            }
            Next::Publish(events) => {
                self.tally.events += events.len();
                let what = What::Published { process: by.process, events };
                self.watcher.see(&crate::sim::Moment { truth: &self.truth, what });
                turn.done(Ok(crate::Outcome::Unchanged));
                return GoesOn::Now;
            }
            Next::Report => {
                turn.done(Ok(crate::Outcome::Unchanged));
                return GoesOn::Now;
            }
            Next::Done => return GoesOn::Over,
        };
        if let Some(result) = result {
            turn.done(result);
            return GoesOn::Answered;
        }
        self.die_at_work(running);
        GoesOn::Dead
    }

    fn finish(&mut self, turn: Turn) {
        let now = self.truth.now;
        let process = &mut self.process;
        process.waiting.clone_from(&turn.plan().waiting);
        let at = match process.driver.end(turn, process.elapsed(now)) {
            Resume::Now { .. } => now,
            Resume::At(wake) => process.true_time(wake.at),
            Resume::After { delay, .. } => {
                process.not_before = now + delay;
                // A watch event does not end a back-off.
                process.due = None;
                process.not_before
            }
            Resume::OnChange => return,
        };
        process.wake(at.max(now));
    }
}
