use super::{
    Watcher, What, Writer,
    delay::millis,
    mesh::Mesh,
    process::Versions,
    queue::Happening,
    settings::{PerKind, ReadKind},
    world::World,
};
use crate::{Action, Status};
use alloc::string::String;
use core::time::Duration;

/// A fault in one write of the process: of a status, a nonce, or an action.
///
/// See [`World::fault`] for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Another client wrote first.
    Conflict,
    /// The write is refused, and nothing changes.
    Refused,
    /// There is no answer.
    Ambiguous {
        /// Whether the write took effect anyway.
        took_effect: bool,
    },
    /// There is no answer, and the write takes effect later, if it still can.
    Delayed {
        /// The delay.
        by: Duration,
    },
    /// The connection breaks after this number of traffic objects was written.
    HalfWay {
        /// The number of objects.
        objects: usize,
    },
    /// The process dies at this write.
    Crash {
        /// Whether it dies before the write takes effect.
        before: bool,
        /// The delay after which this write, if it has not taken effect, and the actions that would have followed take
        /// effect, if they still can; `None` for never.
        late: Option<Duration>,
    },
}

/// A fault that is planned for a later write.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planned {
    writes_before: u32,
    fault: Fault,
}

/// A write whose answer no process waits for any more.
#[derive(Debug, Clone)]
pub(super) struct Late {
    pub(super) by: Writer,
    pub(super) versions: Versions,
    pub(super) write: LateWrite,
}

#[derive(Debug, Clone)]
pub(super) enum LateWrite {
    Fence(String),
    Store(Status),
    Act(Action),
}

impl<M: Mesh, W: Watcher> World<M, W> {
    /// Plans a fault for a write of the process: the next one if `writes_before` is 0.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::sim::Fault;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// # let mut world = Sim::new(spec).build();
    /// # world.run_to_rest(Duration::from_secs(60))?;
    /// world.fault(0, Fault::Refused);
    /// world.update_to("v2");
    /// world.run_for(Duration::ZERO)?;
    /// assert_eq!(world.truth().status.canary, Some("v1".into()), "the status could not be stored");
    /// assert!(world.run_to_rest(Duration::from_secs(600))?);
    /// assert_eq!(world.truth().status.stable, Some("v2".into()), "the next attempt succeeded");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn fault(&mut self, writes_before: u32, fault: Fault) {
        self.faults.push(Planned { writes_before, fault });
    }

    pub(super) fn next_fault(&mut self) -> Option<Fault> {
        let due = self.faults.iter().position(|planned| planned.writes_before == 0);
        for planned in &mut self.faults {
            planned.writes_before = planned.writes_before.saturating_sub(1);
        }
        due.map(|due| self.faults.remove(due).fault)
    }

    pub(super) fn schedule_late(&mut self, delay: Duration, late: Late) {
        self.late.push(Some(late));
        let at = self.truth.now + delay;
        self.queue.schedule(at, Happening::Late(self.late.len() - 1));
    }

    /// Sets the offset of the process's clock from true time, in milliseconds, also for later processes.
    ///
    /// ```
    /// use core::time::Duration;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// # let mut world = Sim::new(spec).build();
    /// # world.run_to_rest(Duration::from_secs(60))?;
    /// world.set_spec(|spec| spec.strategy = Strategy::builder().step(Step::Pause(None)).build().unwrap());
    /// world.clock_offset(3_600_000);
    /// world.update_to("v2");
    /// world.run_for(Duration::from_secs(10))?;
    /// let paused_at = world.truth().status.paused_at.unwrap();
    /// assert!(paused_at.since(world.now()) > Duration::from_secs(3_500), "by its clock, an hour from now");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn clock_offset(&mut self, millis: i64) {
        // Beyond a century, arithmetic on times is meaningless.
        let offset = millis.clamp(-3_155_760_000_000, 3_155_760_000_000);
        self.settings.clock_offset = offset;
        self.process.offset = offset;
        // Its next wake-up was planned by the clock as it was.
        self.process.wake(self.truth.now);
    }

    /// Sets whether reads of this kind of object fail from now on. What cannot be read is unknown to the process;
    /// without the user's object it cannot even decide.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::{sim::ReadKind, waiting::WaitReason};
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// # let mut world = Sim::new(spec).build();
    /// # world.run_to_rest(Duration::from_secs(60))?;
    /// world.reads_fail(ReadKind::Workloads, true);
    /// world.update_to("v2");
    /// world.run_for(Duration::from_secs(10))?;
    /// assert!(world.waiting().iter().any(|waiting| waiting.reason == WaitReason::RevisionsUnknown));
    /// world.reads_fail(ReadKind::Workloads, false);
    /// assert!(world.run_to_rest(Duration::from_secs(600))?);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn reads_fail(&mut self, kind: ReadKind, fail: bool) {
        self.settings.reads_fail.set(kind, fail);
        self.process.wake(self.truth.now);
    }

    /// Sets how long changes take to reach a proxy from now on.
    ///
    /// See [`freeze`](Self::freeze) for an example of proxies that are behind.
    pub fn proxy_lag(&mut self, lag: impl Into<super::Delay>) {
        self.settings.proxy_lag = lag.into();
    }

    /// Sets how long the answer to a write takes from now on; other things happen meanwhile.
    ///
    /// See [`Sim::writes_take`](super::Sim::writes_take) for an example.
    pub fn writes_take(&mut self, time: Duration) {
        self.settings.writes_take = Duration::from_millis(u64::try_from(millis(time)).unwrap_or(0));
    }

    /// Sets how long a workload's status lags behind a change of its pod count from now on.
    ///
    /// See [`Sim::counts_lag`](super::Sim::counts_lag) for an example.
    pub fn counts_lag(&mut self, lag: Duration) {
        self.settings.counts_lag = lag;
    }

    /// Ends all faults: proxies thaw, reads are live, broken pods heal, and planned faults are dropped. Writes in
    /// progress still take effect.
    ///
    /// ```
    /// use core::time::Duration;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// # let mut world = Sim::new(spec).build();
    /// # world.run_to_rest(Duration::from_secs(60))?;
    /// world.pods_never_ready(&"v2".into());
    /// world.update_to("v2");
    /// world.run_for(Duration::from_secs(60))?;
    /// assert_eq!(world.truth().workload(&"v2".into()).unwrap().ready(), 0);
    /// world.end_faults();
    /// assert!(world.run_to_rest(Duration::from_secs(600))?);
    /// assert_eq!(world.truth().status.stable, Some("v2".into()));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn end_faults(&mut self) {
        self.runs_fail = false;
        self.faults.clear();
        self.settings.read_lag = PerKind::all(0);
        self.settings.reads_fail = PerKind::all(false);
        self.settings.writes_take = Duration::ZERO;
        self.settings.counts_lag = Duration::ZERO;
        self.histories = None;
        self.thaw();
        self.heal_all_pods();
        self.process.wake(self.truth.now);
        self.see(What::FaultsEnd);
    }

    /// Notifies the process of a change although nothing changed, as when a watch is renewed.
    ///
    /// ```
    /// use core::time::Duration;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// # let mut world = Sim::new(spec).build();
    /// # world.run_to_rest(Duration::from_secs(60))?;
    /// let before = world.summary();
    /// world.nudge();
    /// world.run_to_rest(Duration::from_secs(60))?;
    /// let after = world.summary();
    /// assert_eq!((after.decisions, after.writes()), (before.decisions + 1, before.writes()), "nothing to do");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn nudge(&mut self) {
        self.changed(ReadKind::Rollout);
    }
}
