use super::{
    dark::{Ages, DarkRows},
    observe::Reading,
    turn::Running,
};
use crate::{
    Fence, Time, Turn, Waiting,
    sim::{Writer, settings::PerKind},
};
use alloc::{boxed::Box, format, sync::Arc};
use core::time::Duration;

/// One process. It keeps nothing that would survive its death: that is all in the world.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Process {
    pub(in crate::sim) id: u32,
    /// Its clock shows true time plus this; in milliseconds.
    pub(in crate::sim) offset: i64,
    pub(super) fence: Fence,
    pub(super) nonces: u32,
    /// When it decides again. True time.
    pub(super) due: Option<Time>,
    /// It does nothing before. True time.
    pub(super) not_before: Time,
    pub(super) running: Option<Box<Running>>,
    /// The next observation is read live.
    pub(super) live_next: bool,
    /// When it last read live. What it knows from that is never replaced by anything older. True time.
    pub(super) read_live: Time,
    /// When it last wrote, or tried to. True time.
    pub(super) wrote: PerKind<Time>,
    pub(super) refusals: u32,
    pub(super) dark: DarkRows,
    pub(super) ages: Ages,
    /// It is dying: what it had under way lands so much later.
    pub(super) dies_with: Option<Duration>,
    /// The last turn that it finished.
    pub(super) last: Option<Turn>,
    /// What it read for the last turn that it finished.
    pub(super) spare: Option<Box<Reading>>,
    /// Decisions since time last passed.
    pub(super) at_once: u32,
    pub(super) last_decision: Time,
}

impl Process {
    pub(in crate::sim) fn start(id: u32, at: Time, offset: i64) -> Self {
        Self {
            id,
            offset,
            fence: Fence::default(),
            nonces: 0,
            due: Some(at),
            not_before: at,
            running: None,
            live_next: true,
            read_live: Time::from_millis(i64::MIN),
            wrote: PerKind::all(Time::from_millis(i64::MIN)),
            refusals: 0,
            dark: DarkRows::default(),
            ages: Ages::default(),
            dies_with: None,
            last: None,
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

    /// The nonce that it last wrote: what it creates bears it from the start.
    pub(super) fn nonce_of(&self, by: Writer) -> Option<Arc<str>> {
        (by.process == self.id && self.fence.holds()).then(|| format!("{}-{}", self.id, self.nonces).into())
    }

    pub(in crate::sim) fn waiting(&self) -> &[Waiting] {
        self.last.as_ref().map_or(&[], |turn| &turn.plan().waiting)
    }
}
