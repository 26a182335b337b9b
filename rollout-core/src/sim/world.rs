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
    settings::{Kind, Settings},
    summary::Tally,
};
use crate::{Revision, Spec, Status, Time, Waiting, command::Proceed};
use alloc::{format, vec, vec::Vec};
use core::{fmt, time::Duration};

/// A virtual world: pods, a traffic manager, proxies, a user, and the process that drives the rollout.
///
/// Time jumps from one thing that happens to the next. The same calls make the same history, to the last
/// byte: nothing in it reads a clock, and what looks random comes from [`Sim::seed`](crate::sim::Sim::seed).
///
/// Made by [`Sim`](crate::sim::Sim).
pub struct World<M, W = ()> {
    pub(super) truth: Truth,
    pub(super) mesh: M,
    pub(super) watcher: W,
    pub(super) settings: Settings,
    pub(super) random: Random,
    pub(super) queue: Queue,
    /// What belongs to each workload of the truth, in the same order.
    pub(super) shadows: Vec<Shadow>,
    /// What belongs to each traffic object of the truth, in the same order.
    pub(super) pipes: Vec<Pipe>,
    pub(super) frozen: Vec<bool>,
    pub(super) parked: Vec<Happening>,
    pub(super) plans: Vec<(Revision, PodPlan)>,
    pub(super) pods_made: u64,
    /// Counts every write of the user's object: of its spec, its status and its annotations.
    pub(super) rollout_version: u64,
    pub(super) proceed: Option<Proceed>,
    pub(super) process: Process,
    pub(super) old: Vec<OldProcess>,
    pub(super) late: Vec<Option<Late>>,
    pub(super) faults: Vec<Planned>,
    pub(super) histories: Option<Histories>,
    pub(super) tally: Tally,
    pub(super) requests: Requests,
    rested: bool,
}

/// The world cannot go on: decisions follow each other without time passing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at {at}, {decisions} decisions followed each other without time passing; {waiting:?}")]
#[non_exhaustive]
pub struct Stuck {
    /// When. True time.
    pub at: Time,
    /// How many decisions there were at that time.
    pub decisions: u32,
    /// What the last one waited for.
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
            process: Process::start(1, settings.start, settings.clock_offset),
            old: Vec::new(),
            late: Vec::new(),
            faults: Vec::new(),
            histories: None,
            tally: Tally::default(),
            requests: Requests::new(settings.proxies, settings.start),
            rested: false,
            truth,
            mesh,
            watcher,
            settings,
        }
        .remembering()
    }

    /// The world as it really is.
    #[must_use]
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// True time.
    #[must_use]
    pub fn now(&self) -> Time {
        self.truth.now
    }

    /// Who watches.
    #[must_use]
    pub fn watcher(&self) -> &W {
        &self.watcher
    }

    /// Who watches, to be changed.
    pub fn watcher_mut(&mut self) -> &mut W {
        &mut self.watcher
    }

    /// Ends the world and gives the watcher back.
    #[must_use]
    pub fn into_watcher(self) -> W {
        self.watcher
    }

    /// The traffic manager.
    #[must_use]
    pub fn mesh(&self) -> &M {
        &self.mesh
    }

    /// What the last decision waited for.
    #[must_use]
    pub fn waiting(&self) -> &[Waiting] {
        self.process.waiting()
    }

    /// Whether nothing is scheduled and nobody wants to decide again.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.next_at().is_none()
    }

    /// When something happens next. True time.
    #[must_use]
    pub fn next_at(&self) -> Option<Time> {
        match (self.queue.next_at(), self.process.next_at()) {
            (Some(event), Some(turn)) => Some(event.min(turn)),
            (event, turn) => event.or(turn),
        }
    }

    /// Lets one thing happen: `false` when there is nothing to happen.
    ///
    /// # Errors
    /// [`Stuck`] when the controller decides again and again without time passing.
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

    /// Lets everything happen up to `until`, which is then the time.
    ///
    /// # Errors
    /// As for [`step`](Self::step).
    pub fn run_until(&mut self, until: Time) -> Result<(), Stuck> {
        while self.next_at().is_some_and(|at| at <= until) {
            self.step()?;
        }
        self.advance(until);
        Ok(())
    }

    /// Lets everything happen for a while.
    ///
    /// # Errors
    /// As for [`step`](Self::step).
    pub fn run_for(&mut self, time: Duration) -> Result<(), Stuck> {
        self.run_until(self.truth.now + time)
    }

    /// Lets everything happen until nothing is left to happen, or `limit` has passed: says which.
    ///
    /// # Errors
    /// As for [`step`](Self::step).
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

    pub(super) fn advance(&mut self, to: Time) {
        if to > self.truth.now {
            self.requests.pass(&self.truth, to);
            self.truth.now = to;
        }
    }

    pub(super) fn see(&mut self, what: What<'_>) {
        self.watcher.see(&Moment { truth: &self.truth, what });
    }

    /// An object of this kind has changed: whoever watches it is told after the lag of its cache.
    pub(super) fn changed(&mut self, kind: Kind) {
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
            Happening::Counted { workload } => self.counted(workload),
            Happening::Object { proxy, object, generation } => {
                self.deliver_object(happening, proxy, object, generation);
            }
            Happening::Endpoints { proxy, workload, generation } => {
                self.deliver_endpoints(happening, proxy, workload, generation);
            }
            Happening::Late(index) => self.land(index),
            Happening::OldProcess(index) => self.old_process_turn(index),
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
