//! The real state of the world.

use crate::{
    Revision, Spec, Status, Time,
    sim::SimulatedRun,
    traffic::{ObjectRef, RoutesSeen, Selection},
};
use alloc::{string::String, sync::Arc, vec::Vec};

/// The real state of the world, independent of what the controller believes.
///
/// ```
/// use core::time::Duration;
/// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
/// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
/// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
/// # let mut world = Sim::new(spec).build();
/// # world.run_to_rest(Duration::from_secs(60))?;
/// world.run_for(Duration::from_secs(1))?;
/// let truth = world.truth();
/// assert_eq!((truth.status.stable.clone(), truth.workloads.len()), (Some("v1".into()), 1));
/// assert_eq!(truth.proxies[0].objects.len(), truth.traffic.len(), "each proxy has a copy of each object");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Truth {
    /// True time; a controller's clock may differ.
    pub now: Time,
    /// The user's current spec.
    pub spec: Spec,
    /// The stored status.
    pub status: Status,
    /// The number of writes of the status.
    pub status_version: u64,
    /// The workloads, oldest first.
    pub workloads: Vec<SimulatedWorkload>,
    /// The traffic objects, as stored.
    pub traffic: Vec<TrafficObject>,
    /// The proxies, each with its own copy.
    pub proxies: Vec<Proxy>,
    /// The runs of analyses, oldest first.
    pub runs: Vec<SimulatedRun>,
}

/// The object that holds a revision's pod count, with its pods.
///
/// See [`ready`](Self::ready) for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SimulatedWorkload {
    /// The revision.
    pub revision: Revision,
    /// The revision number: 1 for the first.
    pub number: u64,
    /// The number of pods wanted.
    pub wanted: u32,
    /// The scale-down deadline.
    pub scale_down_deadline: Option<Time>,
    /// The number of its writes.
    pub version: u64,
    /// The last nonce written to it.
    pub nonce: Option<Arc<str>>,
    /// The pods that have not ended.
    pub pods: Vec<Pod>,
}

/// One pod.
///
/// See [`SimulatedWorkload::ready`] for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pod {
    /// Unique among all pods ever created.
    pub id: u64,
    /// Whether the pod answers requests.
    pub ready: bool,
    /// When it was created. True time.
    pub born: Time,
    /// When it last became ready, or was created. True time.
    pub since: Time,
    /// When a terminating pod ends. It is no longer counted or listed in endpoints, but answers until then. True time.
    pub ends: Option<Time>,
}

/// One traffic object, as stored.
///
/// See [`Content`] for an example.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TrafficObject {
    /// The name.
    pub name: ObjectRef,
    /// The number of its writes (`resourceVersion`).
    pub write: u64,
    /// The number of changes of its content (`generation`).
    pub generation: u64,
    /// The last nonce written to it.
    pub nonce: Option<Arc<str>>,
    /// Whether it records the owner of its selectors.
    pub signed: bool,
    /// The content.
    pub content: Content,
}

/// The content of a traffic object: one of the two layers.
///
/// ```
/// use rollout_core::{Range, sim::{Content, TrafficObject}, traffic::{ObjectRef, RoutesSeen}};
/// let routes = RoutesSeen::new(Range::exact(5));
/// let content = Content::Routes { routes, stable_elsewhere: false, canary_elsewhere: false };
/// let object = TrafficObject::new(ObjectRef::new("", "Routes", "shop", "web"), content);
/// assert_eq!((object.write, object.generation, object.nonce), (1, 1, None));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// The pods behind the destinations; `None` if the object says nothing about one.
    Selectors {
        /// Behind stable.
        stable: Option<Selection>,
        /// Behind canary.
        canary: Option<Selection>,
    },
    /// Weights and managed routes.
    Routes {
        /// The routes.
        routes: RoutesSeen,
        /// Whether an unweighed route leads to stable.
        stable_elsewhere: bool,
        /// Whether an unweighed route leads to the canary.
        canary_elsewhere: bool,
    },
}

/// A proxy's own copy of everything. It changes only by deliveries, separately for each proxy and object, so that they
/// overtake each other.
///
/// See [`Truth`] and [`ProxyEndpoints`] for examples.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Proxy {
    /// The name.
    pub name: String,
    /// Its copies of the traffic objects, in the order of [`Truth::traffic`]: generation and content.
    pub objects: Vec<(u64, Content)>,
    /// Its copies of the endpoints.
    pub endpoints: Vec<ProxyEndpoints>,
}

/// A proxy's copy of one revision's endpoints.
///
/// ```
/// use rollout_core::sim::{Proxy, ProxyEndpoints};
/// let mut proxy = Proxy::new("proxy-1");
/// proxy.endpoints.push(ProxyEndpoints::new("v2".into(), vec![7, 8]));
/// assert_eq!(proxy.endpoints[0].pods, [7, 8], "the ids of two pods");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProxyEndpoints {
    /// The revision.
    pub revision: Revision,
    /// The number of the change of these endpoints that it has; a multiple of 2³² means none.
    pub generation: u64,
    /// The ids of the pods that it sends requests to.
    pub pods: Vec<u64>,
}

impl Truth {
    /// Creates an empty world, for a history that was recorded elsewhere.
    ///
    /// ```
    /// use rollout_core::{Spec, Strategy, Time, sim::Truth};
    /// let spec = Spec::new(Strategy::builder().build()?, "v1".into());
    /// let truth = Truth::new(spec, Time::from_secs(0));
    /// assert!(truth.status.canary.is_none() && truth.workloads.is_empty() && truth.proxies.is_empty());
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    #[must_use]
    pub fn new(spec: Spec, now: Time) -> Self {
        Self {
            now,
            spec,
            status: Status::default(),
            status_version: 0,
            workloads: Vec::new(),
            traffic: Vec::new(),
            proxies: Vec::new(),
            runs: Vec::new(),
        }
    }

    /// Returns a revision's workload.
    ///
    /// See [`SimulatedWorkload::ready`] for an example.
    #[must_use]
    pub fn workload(&self, revision: &Revision) -> Option<&SimulatedWorkload> {
        self.workloads.iter().find(|workload| workload.revision == *revision)
    }
}

impl SimulatedWorkload {
    /// Creates a workload that asks for no pods.
    #[must_use]
    pub fn new(revision: Revision, number: u64) -> Self {
        Self {
            revision,
            number,
            wanted: 0,
            scale_down_deadline: None,
            version: 1,
            nonce: None,
            pods: Vec::new(),
        }
    }

    /// Returns the number of ready pods, which answer requests, including terminating ones.
    ///
    /// ```
    /// use rollout_core::{Time, sim::{Pod, SimulatedWorkload}};
    /// let mut workload = SimulatedWorkload::new("v1".into(), 1);
    /// workload.pods = [1, 2, 3].map(|id| Pod::new(id, Time::from_secs(0))).to_vec();
    /// workload.pods[0].ready = true;
    /// workload.pods[1].ready = true;
    /// workload.pods[1].ends = Some(Time::from_secs(60));
    /// assert_eq!((workload.ready(), workload.counted()), (2, 1), "a terminating pod still answers");
    /// ```
    #[must_use]
    pub fn ready(&self) -> u32 {
        u32::try_from(self.pods.iter().filter(|pod| pod.ready).count()).unwrap_or(u32::MAX)
    }

    /// Returns the number of ready pods that are not terminating, as in the workload's own status.
    ///
    /// See [`ready`](Self::ready) for an example.
    #[must_use]
    pub fn counted(&self) -> u32 {
        let counted = self.pods.iter().filter(|pod| pod.ready && pod.ends.is_none());
        u32::try_from(counted.count()).unwrap_or(u32::MAX)
    }
}

impl Pod {
    /// Creates a new pod, which does not answer yet.
    #[must_use]
    pub fn new(id: u64, born: Time) -> Self {
        Self { id, ready: false, born, since: born, ends: None }
    }
}

impl TrafficObject {
    /// Creates an object as it was first stored.
    #[must_use]
    pub fn new(name: ObjectRef, content: Content) -> Self {
        Self { name, write: 1, generation: 1, nonce: None, signed: false, content }
    }
}

impl Proxy {
    /// Creates a proxy that has received nothing.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), objects: Vec::new(), endpoints: Vec::new() }
    }
}

impl ProxyEndpoints {
    /// Creates a revision's first endpoints.
    #[must_use]
    pub fn new(revision: Revision, pods: Vec<u64>) -> Self {
        Self { revision, generation: 1, pods }
    }
}
