use super::{observe::Views, state::Process};
use crate::{
    Time,
    sim::{Watcher, What, mesh::Mesh, queue::Happening, settings::Kind, world::World},
};
use alloc::sync::Arc;
use core::time::Duration;

/// A process that is no longer in charge, with what it last saw.
#[derive(Debug, Clone)]
pub(in crate::sim) struct OldProcess {
    process: Process,
    views: Views,
    seen_at: Time,
}

impl<M: Mesh, W: Watcher> World<M, W> {
    /// The process dies between two turns, or in the middle of one, and another starts after a while.
    pub fn crash(&mut self) {
        let views = self.views_of_now();
        let next = self.process.id + 1;
        let starts = self.truth.now + self.settings.restart_takes;
        let new = Process::start(next, starts, self.settings.clock_offset);
        let mut process = core::mem::replace(&mut self.process, new);
        process.running = None;
        self.old.push(OldProcess { process, views, seen_at: self.truth.now });
        self.tally.crashes += 1;
        // Nothing but stored bytes outlives it.
        let bytes = serde_json::to_vec(&self.truth.status).unwrap_or_default();
        self.truth.status = serde_json::from_slice(&bytes).unwrap_or_default();
        self.see(What::Crashed);
    }

    /// The process that crashed last was not dead: it decides once more, after `delay`, on what it last saw;
    /// of these kinds, on what is there now.
    ///
    /// It does what it decides, with its own idea of whether it is fenced; whether it is in charge is
    /// found out as for any other.
    pub fn old_process_decides(&mut self, delay: Duration, fresh: &[Kind]) {
        let Some(old) = self.old.len().checked_sub(1) else { return };
        if let Some(OldProcess { views, .. }) = self.old.get_mut(old) {
            for kind in fresh {
                match kind {
                    Kind::Rollout => views.rollout = None,
                    Kind::Workloads => views.workloads = None,
                    Kind::Routes => views.routes = None,
                    Kind::Selectors => views.selectors = None,
                }
            }
        }
        self.queue.schedule(self.truth.now + delay, Happening::OldProcess(old));
    }

    pub(in crate::sim) fn old_process_turn(&mut self, index: usize) {
        let Some(old) = self.old.get(index) else { return };
        let OldProcess { process, views, seen_at } = old.clone();
        let current = core::mem::replace(&mut self.process, process);
        let faults = core::mem::take(&mut self.faults);
        let writes_take = core::mem::take(&mut self.settings.writes_take);
        let reading = self.read_and_remember(&views);
        let running = self.begin_turn(&views, reading, (seen_at, false));
        self.go_on(running);
        self.settings.writes_take = writes_take;
        self.faults = faults;
        let process = core::mem::replace(&mut self.process, current);
        // What it wrote is news for the one in charge.
        for kind in Kind::ALL {
            let lag = self.settings.read_lag.get(kind);
            self.process.wake(self.after(lag));
        }
        // It keeps what it now believes, for when it decides again.
        if let Some(old) = self.old.get_mut(index) {
            old.process = process;
        }
    }

    fn views_of_now(&mut self) -> Views {
        let mut views = self.views(self.settings.read_lag);
        views.rollout.get_or_insert_with(|| Arc::new(self.rollout_state()));
        views.workloads.get_or_insert_with(|| Arc::new(self.workload_states()));
        if views.routes.is_none() || views.selectors.is_none() {
            let live = Arc::new(self.traffic_state());
            views.routes.get_or_insert_with(|| Arc::clone(&live));
            views.selectors.get_or_insert(live);
        }
        views
    }
}
