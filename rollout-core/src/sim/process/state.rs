use super::{observe::Reading, turn::Running};
use crate::{
    Driver, Time, Waiting,
    sim::{Writer, settings::PerKind},
};
use alloc::{boxed::Box, string::ToString, sync::Arc, vec::Vec};
use core::time::Duration;

/// One process. It keeps nothing that would survive its death: that is all in the world.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Process {
    pub(in crate::sim) id: u32,
    /// Its clock shows true time plus this; in milliseconds.
    pub(in crate::sim) offset: i64,
    /// When it began. True time.
    began: Time,
    pub(super) driver: Driver,
    /// When it decides again. True time.
    pub(super) due: Option<Time>,
    /// It does nothing before. True time.
    pub(super) not_before: Time,
    pub(super) running: Option<Box<Running>>,
    /// When it last read live. What it knows from that is never replaced by anything older. True time.
    pub(super) read_live: Time,
    /// When it last wrote, or tried to. True time.
    pub(super) wrote: PerKind<Time>,
    /// It is dying: what it had under way lands so much later.
    pub(super) dies_with: Option<Duration>,
    /// What its last turn waited for.
    pub(super) waiting: Vec<Waiting>,
    /// What it read for the last turn that it finished.
    pub(super) spare: Option<Box<Reading>>,
    /// Decisions since time last passed.
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

    /// What its clock shows at a true time.
    pub(in crate::sim) fn clock(&self, at: Time) -> Time {
        Time::from_millis(at.as_millis().saturating_add(self.offset))
    }

    /// The true time at which its clock shows `at`.
    pub(super) fn true_time(&self, at: Time) -> Time {
        Time::from_millis(at.as_millis().saturating_sub(self.offset))
    }

    /// The time since it began. An old process has begun, whatever the true time of what it looks at is.
    pub(super) fn elapsed(&self, now: Time) -> Duration {
        now.since(self.began)
    }

    /// The nonce that it last wrote: what it creates bears it from the start.
    pub(super) fn nonce_of(&self, by: Writer) -> Option<Arc<str>> {
        self.driver.nonce().filter(|_| by.process == self.id).map(Arc::from)
    }

    pub(in crate::sim) fn waiting(&self) -> &[Waiting] {
        &self.waiting
    }
}
