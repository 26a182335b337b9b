use super::{
    Moment, Proxy, Truth, Watcher, What,
    delay::Random,
    faults::{Late, Planned},
    mesh::Mesh,
    pods::{PodPlan, Shadow},
    process::{Histories, OldProcess, Process},
    proxies::Pipe,
    queue::{Happening, Queue},
    requests::Requests,
    runs::{AlwaysGood, Metrics},
    settings::{ReadKind, Settings},
    summary::Tally,
};
use crate::{Revision, Spec, Status, Time, Waiting, command::Proceed, fleet::Peers};
use alloc::{boxed::Box, format, sync::Arc, vec, vec::Vec};
use core::{fmt, time::Duration};

/// A virtual world: pods, a traffic manager, proxies, a user, and the process that drives the rollout.
///
/// Time jumps from one event to the next. The same calls produce the same history, to the last byte: nothing reads a
/// clock, and everything that looks random comes from [`Sim::seed`](crate::sim::Sim::seed).
///
/// Created by [`Sim`](crate::sim::Sim).
///
/// ```
/// use core::time::Duration;
/// use rollout_core::sim::Sim;
/// use rollout_core::{Spec, Step, Strategy};
/// let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
/// let mut world = Sim::new(Spec::new(strategy, "v1".into()).replicas(2)).build();
/// assert!(world.run_to_rest(Duration::from_secs(60))?);
/// world.update_to("v2");
/// assert!(world.run_to_rest(Duration::from_secs(600))?);
/// assert_eq!(world.truth().status.stable, Some("v2".into()));
/// assert_eq!(world.summary().requests.unserved, 0);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct World<M, W = ()> {
    pub(super) truth: Truth,
    pub(super) mesh: M,
    pub(super) watcher: W,
    pub(super) settings: Settings,
    pub(super) random: Random,
    pub(super) queue: Queue,
    /// The hidden state of each workload, in the same order.
    pub(super) shadows: Vec<Shadow>,
    /// The hidden state of each traffic object, in the same order.
    pub(super) pipes: Vec<Pipe>,
    pub(super) frozen: Vec<bool>,
    pub(super) parked: Vec<Happening>,
    pub(super) plans: Vec<(Revision, PodPlan)>,
    pub(super) pods_made: u64,
    /// The number of writes of the user's object: of its spec, its status and its annotations.
    pub(super) rollout_version: u64,
    pub(super) proceed: Option<Proceed>,
    /// What is known about the other clusters of the fleet.
    pub(super) peers: Option<Peers>,
    pub(super) process: Process,
    pub(super) old: Vec<OldProcess>,
    pub(super) late: Vec<Option<Late>>,
    pub(super) faults: Vec<Planned>,
    pub(super) histories: Option<Histories>,
    pub(super) tally: Tally,
    pub(super) requests: Requests,
    pub(super) metrics: Box<dyn Metrics>,
    pub(super) runs_fail: bool,
    /// The looks at runs that are scheduled, by number.
    pub(super) due_runs: Vec<(u64, Arc<str>)>,
    pub(super) run_looks: u64,
    rested: bool,
}

/// An error: the world cannot continue, because decisions follow each other without time passing.
///
/// See [`World::step`] for an example.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at {at}, {decisions} decisions followed each other without time passing; {waiting:?}")]
#[non_exhaustive]
pub struct Stuck {
    /// When this happened. True time.
    pub at: Time,
    /// The number of decisions at that time.
    pub decisions: u32,
    /// The waits of the last decision.
    pub waiting: Vec<Waiting>,
}

impl<M: Mesh, W: Watcher> World<M, W> {
    pub(super) fn new(spec: Spec, settings: Settings, mut mesh: M, watcher: W) -> Self {
        let traffic = mesh.objects();
        let copies = || traffic.iter().map(|object| (object.generation, object.content.clone())).collect();
        let proxies = (1..=settings.proxies).map(|n| Proxy {
            name: format!("proxy-{n}"),
            objects: copies(),
            endpoints: Vec::new(),
        });
        let proxies: Vec<_> = proxies.collect();
        let pipes = traffic.iter().map(Pipe::new).collect();
        let truth = Truth {
            now: settings.start,
            spec,
            status: Status::default(),
            status_version: 0,
            workloads: Vec::new(),
            traffic,
            proxies,
            runs: Vec::new(),
        };
        Self {
            random: Random::new(settings.seed),
            queue: Queue::default(),
            shadows: Vec::new(),
            pipes,
            frozen: vec![false; settings.proxies],
            parked: Vec::new(),
            plans: Vec::new(),
            pods_made: 0,
            rollout_version: 1,
            proceed: None,
            peers: None,
            process: Process::start(1, settings.start, settings.clock_offset),
            old: Vec::new(),
            late: Vec::new(),
            faults: Vec::new(),
            histories: None,
            tally: Tally::default(),
            requests: Requests::new(settings.proxies, settings.start),
            metrics: Box::new(AlwaysGood),
            runs_fail: false,
            due_runs: Vec::new(),
            run_looks: 0,
            rested: false,
            truth,
            mesh,
            watcher,
            settings,
        }
        .remembering()
    }

    /// Returns the real state of the world.
    #[must_use]
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// Returns the true time.
    #[must_use]
    pub fn now(&self) -> Time {
        self.truth.now
    }

    /// Returns the watcher.
    #[must_use]
    pub fn watcher(&self) -> &W {
        &self.watcher
    }

    /// Returns the watcher for changes.
    ///
    /// See [`Sim::build_with`](super::Sim::build_with) for an example of a watcher.
    pub fn watcher_mut(&mut self) -> &mut W {
        &mut self.watcher
    }

    /// Ends the world and returns the watcher.
    ///
    /// See [`Sim::build_with`](super::Sim::build_with) for an example.
    #[must_use]
    pub fn into_watcher(self) -> W {
        self.watcher
    }

    /// Returns the traffic manager.
    #[must_use]
    pub fn mesh(&self) -> &M {
        &self.mesh
    }

    /// Returns the waits of the last decision.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::waiting::WaitReason;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// # let mut world = Sim::new(spec).build();
    /// # world.run_to_rest(Duration::from_secs(60))?;
    /// world.set_spec(|spec| spec.paused = true);
    /// world.update_to("v2");
    /// world.run_for(Duration::from_secs(60))?;
    /// assert_eq!(world.waiting()[0].reason, WaitReason::PausedByUser);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn waiting(&self) -> &[Waiting] {
        self.process.waiting()
    }

    /// Returns whether nothing is scheduled and no process wants to decide again.
    ///
    /// ```
    /// use core::time::Duration;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// # let mut world = Sim::new(spec).build();
    /// # world.run_to_rest(Duration::from_secs(60))?;
    /// assert!(world.is_at_rest());
    /// world.update_to("v2");
    /// assert!(!world.is_at_rest(), "the process has yet to decide about it");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.next_at().is_none()
    }

    /// Returns when the next event happens. True time.
    ///
    /// ```
    /// use core::time::Duration;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// # let mut world = Sim::new(spec).build();
    /// # world.run_to_rest(Duration::from_secs(60))?;
    /// assert_eq!(world.next_at(), None, "at rest");
    /// world.update_to("v2");
    /// assert_eq!(world.next_at(), Some(world.now()));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn next_at(&self) -> Option<Time> {
        match (self.queue.next_at(), self.process.next_at()) {
            (Some(event), Some(turn)) => Some(event.min(turn)),
            (event, turn) => event.or(turn),
        }
    }

    /// Processes one event; returns `false` if there is none.
    ///
    /// ```
    /// use core::time::Duration;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// # let mut world = Sim::new(spec).build();
    /// # world.run_to_rest(Duration::from_secs(60))?;
    /// world.update_to("v2");
    /// let mut steps = 0;
    /// while world.step()? {
    ///     steps += 1;
    /// }
    /// assert!(steps > 10 && world.is_at_rest());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Stuck`] if the controller decides again and again without time passing.
    pub fn step(&mut self) -> Result<bool, Stuck> {
        let (event, turn) = (self.queue.next_at(), self.process.next_at());
        match (event, turn) {
            (Some(event), turn) if turn.is_none_or(|turn| event <= turn) => {
                self.advance(event);
                if let Some(happening) = self.queue.pop() {
                    self.happen(happening);
                }
            }
            (_, Some(turn)) => {
                self.advance(turn);
                self.turn()?;
            }
            _ => {
                if !self.rested {
                    self.rested = true;
                    self.see(What::Rest);
                }
                return Ok(false);
            }
        }
        self.rested = false;
        Ok(true)
    }

    /// Processes all events up to `until`, which then is the current time.
    ///
    /// ```
    /// use core::time::Duration;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// # let mut world = Sim::new(spec).build();
    /// # world.run_to_rest(Duration::from_secs(60))?;
    /// let later = world.now() + Duration::from_secs(3_600);
    /// world.run_until(later)?;
    /// assert_eq!(world.now(), later, "though nothing has happened meanwhile");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The same as for [`step`](Self::step).
    pub fn run_until(&mut self, until: Time) -> Result<(), Stuck> {
        while self.next_at().is_some_and(|at| at <= until) {
            self.step()?;
        }
        self.advance(until);
        Ok(())
    }

    /// Processes all events for a while.
    ///
    /// See [`waiting`](Self::waiting) for an example.
    ///
    /// # Errors
    /// The same as for [`step`](Self::step).
    pub fn run_for(&mut self, time: Duration) -> Result<(), Stuck> {
        self.run_until(self.truth.now + time)
    }

    /// Processes events until there are none left, or `limit` has passed; returns whether there are none left.
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
    /// let began = world.now();
    /// assert!(!world.run_to_rest(Duration::from_secs(60))?, "the progress deadline, for one, is still to come");
    /// assert_eq!(world.now(), began + Duration::from_secs(60));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The same as for [`step`](Self::step).
    pub fn run_to_rest(&mut self, limit: Duration) -> Result<bool, Stuck> {
        let until = self.truth.now + limit;
        while self.next_at().is_none_or(|at| at <= until) {
            if !self.step()? {
                return Ok(true);
            }
        }
        self.advance(until);
        Ok(false)
    }

    pub(super) fn rest_is_over(&mut self) {
        self.rested = false;
    }

    pub(super) fn advance(&mut self, to: Time) {
        if to > self.truth.now {
            self.requests.pass(&self.truth, to);
            self.metrics.pass(&self.truth, to);
            self.truth.now = to;
        }
    }

    pub(super) fn see(&mut self, what: What<'_>) {
        self.watcher.see(&Moment { truth: &self.truth, what });
    }

    /// Notifies watchers of this kind of object of a change, after the lag of their cache.
    pub(super) fn changed(&mut self, kind: ReadKind) {
        self.rested = false;
        self.remember(kind);
        let lag = self.settings.read_lag.get(kind);
        self.process.wake(self.after(lag));
    }

    pub(super) fn after(&self, millis: i64) -> Time {
        Time::from_millis(self.truth.now.as_millis().saturating_add(millis))
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::PodsReady { workload, first, last } => self.pods_ready(workload, first, last),
            Happening::PodsEnd { workload } => self.pods_end(workload),
            Happening::PodsAvailable => self.changed(ReadKind::Workloads),
            Happening::Counted { workload } => self.counted(workload),
            Happening::Object { proxy, object, generation } => {
                self.deliver_object(happening, proxy, object, generation);
            }
            Happening::Endpoints { proxy, workload, generation } => {
                self.deliver_endpoints(happening, proxy, workload, generation);
            }
            Happening::Late(index) => self.land(index),
            Happening::OldProcess(index) => self.old_process_turn(index),
            Happening::Run(number) => self.run_is_due(number),
        }
    }
}

impl<M: fmt::Debug, W: fmt::Debug> fmt::Debug for World<M, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("truth", &self.truth)
            .field("mesh", &self.mesh)
            .field("watcher", &self.watcher)
            .finish_non_exhaustive()
    }
}
