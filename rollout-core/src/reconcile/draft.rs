use crate::{
    Action, Event, Plan, Status, Store, Time, Waiting, Wake,
    plan::WakeReason,
    waiting::{Ending, EndsBy, WaitReason},
};
use alloc::vec::Vec;

/// A plan under construction, without its status.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) actions: Vec<Action>,
    waiting: Vec<Waiting>,
    events: Vec<Event>,
    wake: Option<Wake>,
}

/// A closed gate: what it waits for, and when to look again.
pub(super) struct Closed {
    pub(super) waiting: Waiting,
    pub(super) wake: Option<Wake>,
}

/// An open gate, or a closed one with its reason.
pub(super) type Gate = Result<(), Closed>;

impl Closed {
    pub(super) fn new(reason: WaitReason, ends: Ending) -> Self {
        Self { waiting: Waiting::new(reason, None, EndsBy::Event(ends)), wake: None }
    }

    pub(super) fn until(reason: WaitReason, since: Option<Time>, at: Time, why: WakeReason) -> Self {
        Self { waiting: Waiting::new(reason, since, EndsBy::Time(at)), wake: Some(Wake::new(at, why)) }
    }
}

impl Draft {
    /// Discards everything except the events.
    pub(super) fn start_over(&mut self) {
        self.actions.clear();
        self.waiting.clear();
        self.wake = None;
    }

    pub(super) fn act(&mut self, action: Action) {
        self.actions.push(action);
    }

    pub(super) fn happened(&mut self, event: Event) {
        self.events.push(event);
    }

    pub(super) fn wait(&mut self, closed: Closed) {
        if let Some(wake) = closed.wake {
            self.wake_at(wake);
        }
        if !self.waiting.iter().any(|other| other.reason == closed.waiting.reason) {
            self.waiting.push(closed.waiting);
        }
    }

    /// Returns whether the gate is open; records the reason if it is not.
    pub(super) fn passes(&mut self, gate: Gate) -> bool {
        self.granted(gate).is_some()
    }

    /// Returns what the gate lets through; records what it waits for when it is closed.
    pub(super) fn granted<T>(&mut self, gate: Result<T, Closed>) -> Option<T> {
        gate.map_err(|closed| self.wait(closed)).ok()
    }

    /// Like `passes`, but records nothing if only a write is outstanding: whatever holds that write back is recorded
    /// there.
    pub(super) fn reaches(&mut self, gate: Gate) -> bool {
        match gate {
            Err(closed) if closed.waiting.reason == WaitReason::CarryingOut => false,
            gate => self.passes(gate),
        }
    }

    pub(super) fn hold(&mut self, reason: WaitReason) {
        self.wait(Closed::new(reason, Ending::Readable));
    }

    pub(super) fn wake_at(&mut self, wake: Wake) {
        if self.wake.is_none_or(|earlier| wake.at < earlier.at) {
            self.wake = Some(wake);
        }
    }

    pub(super) fn writes_traffic(&self) -> bool {
        self.actions.iter().any(Action::is_traffic)
    }

    pub(super) fn waiting(&self) -> &[Waiting] {
        &self.waiting
    }

    /// Records when the wait for pods began, which only the progress deadline knows.
    pub(super) fn pods_waited_for_since(&mut self, since: Time) {
        for waiting in &mut self.waiting {
            if matches!(waiting.reason, WaitReason::Pods { .. }) {
                waiting.since = Some(since);
            }
        }
    }

    pub(super) fn finish(mut self, stored: &Status, status: Status) -> Plan {
        if self.waiting.is_empty() && !self.actions.is_empty() {
            self.wait(Closed::new(WaitReason::CarryingOut, Ending::Observed));
        }
        let store = store(stored, &status, &self.events);
        Plan {
            status,
            actions: self.actions,
            wake: self.wake,
            waiting: self.waiting,
            events: self.events,
            store,
        }
    }
}

/// The progress of the pods is internal bookkeeping: if lost, it is derived again from the observation.
fn store(stored: &Status, next: &Status, events: &[Event]) -> Store {
    if stored == next {
        return Store::No;
    }
    let is_late = |status: &Status| status.progress.as_ref().is_some_and(|progress| progress.exceeded);
    let mut rest = next.clone();
    rest.progress.clone_from(&stored.progress);
    let only_progress = rest == *stored && is_late(stored) == is_late(next) && events.is_empty();
    if only_progress { Store::WithNext } else { Store::Now }
}
