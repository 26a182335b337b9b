use super::{
    CoreMesh, Delay, Watcher, World,
    mesh::Mesh,
    settings::{ReadKind, Settings},
};
use crate::{Spec, Time};
use core::time::Duration;

/// Builds a [`World`].
///
/// The defaults: two proxies that receive a change after 200 ms, pods that become ready after 5 s and end within 1 s,
/// live reads, and a correct clock.
///
/// ```
/// use core::time::Duration;
/// use rollout_core::{Spec, Strategy, sim::Sim};
/// let spec = Spec::new(Strategy::builder().build()?, "v1".into()).replicas(3);
/// let mut world = Sim::new(spec).pods_ready_after(Duration::from_secs(20)).build();
/// let began = world.now();
/// assert!(world.run_to_rest(Duration::from_secs(60))?);
/// assert_eq!(world.now().since(began).as_secs(), 20, "a first deploy takes as long as its pods");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct Sim {
    spec: Spec,
    settings: Settings,
}

impl Sim {
    /// Starts a world in which the user's object has just been created.
    ///
    /// See [`Sim`] for an example.
    pub fn new(spec: Spec) -> Self {
        Self { spec, settings: Settings::default() }
    }

    /// Sets the number of proxies. Default 2.
    ///
    /// ```
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// let world = Sim::new(spec).proxies(3).build();
    /// let names: Vec<_> = world.truth().proxies.iter().map(|proxy| proxy.name.as_str()).collect();
    /// assert_eq!(names, ["proxy-1", "proxy-2", "proxy-3"]);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn proxies(mut self, n: usize) -> Self {
        self.settings.proxies = n;
        self
    }

    /// Sets how long a change takes to reach a proxy. Each proxy and each object has its own delay, so changes overtake
    /// each other. Default 200 ms.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::sim::Delay;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// let (fast, slow) = (Duration::from_millis(100), Duration::from_secs(20));
    /// let mut world = Sim::new(spec).proxy_lag(Delay::between(fast, slow)).build();
    /// assert!(world.run_to_rest(Duration::from_secs(120))?);
    /// world.update_to("v2");
    /// assert!(world.run_to_rest(Duration::from_secs(600))?);
    /// assert_eq!(world.summary().requests.unserved, 0, "although changes overtook each other");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn proxy_lag(mut self, lag: impl Into<Delay>) -> Self {
        self.settings.proxy_lag = lag.into();
        self
    }

    /// Sets how long a new pod takes to become ready. Default 5 s.
    ///
    /// See [`Sim`] for an example.
    pub fn pods_ready_after(mut self, delay: impl Into<Delay>) -> Self {
        self.settings.pods_ready = delay.into();
        self
    }

    /// Sets how long a pod must be ready before it counts as available (`minReadySeconds`). Default no time.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::Range;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// let mut world = Sim::new(spec).min_ready(Duration::from_secs(30)).build();
    /// world.run_for(Duration::from_secs(10))?; // A pod is ready after 5 s, and available after 35 s.
    /// let seen = world.observed().revision(&"v1".into()).cloned().unwrap();
    /// assert_eq!((seen.ready, seen.available), (Range::exact(2), Range::exact(0)));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn min_ready(mut self, time: Duration) -> Self {
        self.settings.min_ready = time;
        self
    }

    /// Sets how long a terminating pod continues to answer. Default 1 s.
    ///
    /// ```
    /// use core::time::Duration;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// let mut world = Sim::new(spec).pods_end_after(Duration::from_secs(30)).build();
    /// world.run_to_rest(Duration::from_secs(60))?;
    /// world.set_spec(|spec| spec.replicas = 1);
    /// world.run_for(Duration::from_secs(10))?;
    /// let workload = world.truth().workload(&"v1".into()).unwrap();
    /// assert_eq!((workload.counted(), workload.ready()), (1, 2), "the second pod still answers");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn pods_end_after(mut self, delay: impl Into<Delay>) -> Self {
        self.settings.pods_end = delay.into();
        self
    }

    /// Sets how long a workload's status lags behind a change of its pod count. Default no lag.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::Range;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// let mut world = Sim::new(spec).counts_lag(Duration::from_secs(30)).build();
    /// world.run_for(Duration::from_secs(10))?;
    /// assert_eq!(world.truth().workload(&"v1".into()).unwrap().ready(), 2);
    /// let seen = world.observed().revision(&"v1".into()).cloned().unwrap();
    /// assert_eq!(seen.ready, Range::new(0, 2), "the workload's status may be older than its pods");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn counts_lag(mut self, lag: Duration) -> Self {
        self.settings.counts_lag = lag;
        self
    }

    /// Sets how long the cache of one kind of object lags, at most two minutes. Default no lag.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::sim::ReadKind;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// let mut world = Sim::new(spec).read_lag(ReadKind::Rollout, Duration::from_secs(30)).build();
    /// world.run_to_rest(Duration::from_secs(120))?;
    /// world.update_to("v2");
    /// world.run_for(Duration::from_secs(20))?;
    /// assert_eq!(world.truth().status.canary, Some("v1".into()), "the process has not seen the update yet");
    /// world.run_for(Duration::from_secs(20))?;
    /// assert_eq!(world.truth().status.canary, Some("v2".into()));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn read_lag(mut self, kind: ReadKind, lag: Duration) -> Self {
        self.settings.read_lag.set(kind, super::delay::millis(lag.min(Duration::from_secs(120))));
        self
    }

    /// Sets how long the answer to a write takes. Default no time.
    ///
    /// ```
    /// use core::time::Duration;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// let took = |time| {
    ///     let mut world = Sim::new(spec.clone()).writes_take(time).build();
    ///     world.run_to_rest(Duration::from_secs(600))?;
    ///     Ok::<_, rollout_core::sim::Stuck>(world.summary().took)
    /// };
    /// assert!(took(Duration::from_secs(3))? > took(Duration::ZERO)?);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn writes_take(mut self, time: Duration) -> Self {
        self.settings.writes_take = time;
        self
    }

    /// Sets how long it takes to replace a process that died. Default 2 s.
    ///
    /// ```
    /// use core::time::Duration;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// let mut world = Sim::new(spec).restart_takes(Duration::from_secs(40)).build();
    /// world.run_to_rest(Duration::from_secs(60))?;
    /// world.crash();
    /// assert_eq!(world.next_at(), Some(world.now() + Duration::from_secs(40)), "nobody decides meanwhile");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn restart_takes(mut self, time: Duration) -> Self {
        self.settings.restart_takes = time;
        self
    }

    /// Sets whether the data plane can be asked what it has; otherwise answers are `Unknown`. Default true.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::traffic::Settled;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// let mut world = Sim::new(spec).data_plane_answers(false).build();
    /// world.run_to_rest(Duration::from_secs(60))?;
    /// let seen = world.observed().traffic.unwrap();
    /// assert!(matches!(seen.routes_settled, Settled::Unknown { .. }), "grace periods are waited instead");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn data_plane_answers(mut self, answers: bool) -> Self {
        self.settings.data_plane_answers = answers;
        self
    }

    /// Sets the seed of everything that looks random. Default 0.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::sim::Delay;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// let lag = Delay::between(Duration::ZERO, Duration::from_secs(9));
    /// let run = |seed| {
    ///     let mut world = Sim::new(spec.clone()).proxy_lag(lag).seed(seed).build();
    ///     world.run_to_rest(Duration::from_secs(600))?;
    ///     Ok::<_, rollout_core::sim::Stuck>(world.summary())
    /// };
    /// assert_eq!(run(7)?, run(7)?);
    /// assert_ne!(run(7)?, run(8)?);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// Sets the time at which the world starts. Default the start of 2026.
    ///
    /// ```
    /// use rollout_core::Time;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// let noon = Time::parse_rfc3339("2026-03-01T12:00:00Z").unwrap();
    /// assert_eq!(Sim::new(spec.clone()).start(noon).build().now(), noon);
    /// assert_eq!(Sim::new(spec).build().now().to_string(), "2026-01-01T00:00:00Z");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn start(mut self, at: Time) -> Self {
        self.settings.start = at;
        self
    }

    /// Builds a world with the simplest traffic manager and no watcher.
    ///
    /// Without traffic routing there is no traffic manager at all.
    ///
    /// ```
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// assert_eq!(Sim::new(spec).build().truth().traffic.len(), 2, "an object with routes, and one with selectors");
    /// let basic = Spec::new(Strategy::builder().build()?, "v1".into());
    /// assert!(Sim::new(basic).build().truth().traffic.is_empty());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn build(self) -> World<CoreMesh> {
        let mesh = if self.spec.strategy.routing().is_some() { CoreMesh::new() } else { CoreMesh::none() };
        self.build_with(mesh, ())
    }

    /// Builds a world with a traffic manager and a watcher.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::sim::{CoreMesh, Moment, Watcher, What, Writer};
    /// /// The decisions, by number, that changed the status.
    /// #[derive(Debug, Default)]
    /// struct Stored(Vec<u64>);
    /// impl Watcher for Stored {
    ///     fn see(&mut self, moment: &Moment<'_>) {
    ///         if let What::Stored { by: Writer { process: 1, decision, .. } } = moment.what {
    ///             self.0.push(decision);
    ///         }
    ///     }
    /// }
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// let mut world = Sim::new(spec).build_with(CoreMesh::new().services(), Stored::default());
    /// world.run_to_rest(Duration::from_secs(60))?;
    /// let stores = world.summary().stores;
    /// let Stored(decisions) = world.into_watcher();
    /// assert_eq!(decisions.len() as u64, stores);
    /// assert!(decisions.is_sorted());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn build_with<M: Mesh, W: Watcher>(self, mesh: M, watcher: W) -> World<M, W> {
        World::new(self.spec, self.settings, mesh, watcher)
    }
}
