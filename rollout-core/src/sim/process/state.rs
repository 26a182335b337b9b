use super::{observe::Reading, turn::Running};
use crate::{
    Driver, Time, Waiting,
    sim::{Writer, settings::PerKind},
};
use alloc::{boxed::Box, string::ToString, sync::Arc, vec::Vec};
use core::time::Duration;

/// One process. Its state is lost when it dies: everything that survives is in the world.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Process {
    pub(in crate::sim) id: u32,
    /// The offset of its clock from true time, in milliseconds.
    pub(in crate::sim) offset: i64,
    /// When it started. True time.
    began: Time,
    pub(super) driver: Driver,
    /// When it decides again. True time.
    pub(super) due: Option<Time>,
    /// It does nothing before this. True time.
    pub(super) not_before: Time,
    pub(super) running: Option<Box<Running>>,
    /// When it last read live. Nothing older replaces what it knows from that. True time.
    pub(super) read_live: Time,
    /// When it last wrote, or tried to. True time.
    pub(super) wrote: PerKind<Time>,
    /// If it is dying, the delay after which its writes in progress take effect.
    pub(super) dies_with: Option<Duration>,
    /// The waits of its last turn.
    pub(super) waiting: Vec<Waiting>,
    /// The reading of the last finished turn, kept for its memory.
    pub(super) spare: Option<Box<Reading>>,
    /// The number of decisions since time last advanced.
    pub(super) at_once: u32,
    pub(super) last_decision: Time,
}

impl Process {
    pub(in crate::sim) fn start(id: u32, at: Time, offset: i64) -> Self {
        let mut driver = Driver::new(id.to_string());
        driver.read_live();
        Self {
            id,
            offset,
            began: at,
            driver,
            due: Some(at),
            not_before: at,
            running: None,
            read_live: Time::from_millis(i64::MIN),
            wrote: PerKind::all(Time::from_millis(i64::MIN)),
            dies_with: None,
            waiting: Vec::new(),
            spare: None,
            at_once: 0,
            last_decision: at,
        }
    }

    pub(in crate::sim) fn wake(&mut self, at: Time) {
        let at = at.max(self.not_before);
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    pub(in crate::sim) fn next_at(&self) -> Option<Time> {
        self.running.as_ref().map(|running| running.goes_on).or(self.due)
    }

    /// Returns what its clock shows at a true time.
    pub(in crate::sim) fn clock(&self, at: Time) -> Time {
        Time::from_millis(at.as_millis().saturating_add(self.offset))
    }

    /// Returns the true time at which its clock shows `at`.
    pub(super) fn true_time(&self, at: Time) -> Time {
        Time::from_millis(at.as_millis().saturating_sub(self.offset))
    }

    /// Returns the time since it started. An old process has started, whatever the true time of its observation.
    pub(super) fn elapsed(&self, now: Time) -> Duration {
        now.since(self.began)
    }

    /// Returns the nonce that it last wrote, which every object that it creates has from the start.
    pub(super) fn nonce_of(&self, by: Writer) -> Option<Arc<str>> {
        self.driver.nonce().filter(|_| by.process == self.id).map(Arc::from)
    }

    pub(in crate::sim) fn waiting(&self) -> &[Waiting] {
        &self.waiting
    }
}
