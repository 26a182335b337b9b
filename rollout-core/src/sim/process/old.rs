use super::{observe::Views, state::Process};
use crate::{
    Time,
    sim::{Watcher, What, mesh::Mesh, queue::Happening, settings::ReadKind, world::World},
};
use alloc::sync::Arc;
use core::time::Duration;

/// A process that is no longer in charge, with its last observation.
#[derive(Debug, Clone)]
pub(in crate::sim) struct OldProcess {
    process: Process,
    views: Views,
    seen_at: Time,
}

impl<M: Mesh, W: Watcher> World<M, W> {
    /// Kills the process, between two turns or in the middle of one; another starts after a while.
    ///
    /// ```
    /// use core::time::Duration;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// # let mut world = Sim::new(spec).build();
    /// # world.run_to_rest(Duration::from_secs(60))?;
    /// world.update_to("v2");
    /// world.run_for(Duration::from_secs(3))?;
    /// world.crash();
    /// assert!(world.run_to_rest(Duration::from_secs(600))?);
    /// let summary = world.summary();
    /// assert_eq!((summary.crashes, summary.requests.unserved), (1, 0));
    /// assert_eq!(world.truth().status.stable, Some("v2".into()), "the next process went on");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn crash(&mut self) {
        let views = self.views_of_now();
        let next = self.process.id + 1;
        let starts = self.truth.now + self.settings.restart_takes;
        let new = Process::start(next, starts, self.settings.clock_offset);
        let mut process = core::mem::replace(&mut self.process, new);
        process.running = None;
        self.old.push(OldProcess { process, views, seen_at: self.truth.now });
        self.tally.crashes += 1;
        // Only stored bytes outlive the process.
        let bytes = serde_json::to_vec(&self.truth.status).unwrap_or_default();
        self.truth.status = serde_json::from_slice(&bytes).unwrap_or_default();
        self.see(What::Crashed);
    }

    /// Makes the process that crashed last, which was not really dead, decide once more after `delay`, on its last
    /// observation; objects of the kinds in `fresh` are read again.
    ///
    /// It carries out its decision, with its own belief about its fence; whether it is in charge is verified as for any
    /// other process.
    ///
    /// ```
    /// use core::time::Duration;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// # let mut world = Sim::new(spec).build();
    /// # world.run_to_rest(Duration::from_secs(60))?;
    /// world.update_to("v2");
    /// world.run_for(Duration::from_secs(3))?;
    /// world.crash();
    /// world.old_process_decides(Duration::from_secs(30), &[]);
    /// assert!(world.run_to_rest(Duration::from_secs(600))?);
    /// assert_eq!(world.summary().requests.unserved, 0, "the fence keeps its late writes out");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn old_process_decides(&mut self, delay: Duration, fresh: &[ReadKind]) {
        let Some(old) = self.old.len().checked_sub(1) else { return };
        if let Some(OldProcess { views, .. }) = self.old.get_mut(old) {
            for kind in fresh {
                match kind {
                    ReadKind::Rollout => views.rollout = None,
                    ReadKind::Workloads => views.workloads = None,
                    ReadKind::Routes => views.routes = None,
                    ReadKind::Selectors => views.selectors = None,
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
        // Its writes are news for the process in charge.
        for kind in ReadKind::ALL {
            let lag = self.settings.read_lag.get(kind);
            self.process.wake(self.after(lag));
        }
        // It remembers its new belief for its next decision.
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
