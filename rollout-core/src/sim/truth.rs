//! The world as it really is, and what it shows to whoever watches.

use crate::{
    Action, Answer, Command, Event, Failure, Observed, Plan, Revision, Spec, Status, Time,
    traffic::{ObjectRef, RoutesSeen, Selection},
};
use alloc::{string::String, sync::Arc, vec::Vec};
use core::fmt;

/// The world as it really is. Nothing in it is what the controller believes.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Truth {
    /// True time; a controller's clock may differ.
    pub now: Time,
    /// What the user's object says now.
    pub spec: Spec,
    /// The status as it is stored, and how often it was stored.
    pub status: Status,
    /// Counts the writes of the status.
    pub status_version: u64,
    /// The objects that hold pod counts, oldest first.
    pub workloads: Vec<Workload>,
    /// The traffic objects, as stored.
    pub traffic: Vec<TrafficObject>,
    /// The proxies, each with its own copy.
    pub proxies: Vec<Proxy>,
}

/// The object that holds a revision's pod count, and its pods.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Workload {
    /// Whose pods.
    pub revision: Revision,
    /// 1 for the first.
    pub number: u64,
    /// Pods asked for.
    pub wanted: u32,
    /// The scale-down deadline.
    pub scale_down_deadline: Option<Time>,
    /// Counts its writes.
    pub version: u64,
    /// The nonce that was last written to it.
    pub nonce: Option<Arc<str>>,
    /// Its pods that have not ended.
    pub pods: Vec<Pod>,
}

/// One pod.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pod {
    /// Never used twice.
    pub id: u64,
    /// Whether it answers requests.
    pub ready: bool,
    /// When it was made. True time.
    pub born: Time,
    /// When it last became ready, or was made. True time.
    pub since: Time,
    /// It was told to end: it is no longer counted, no endpoint of it is handed out, and it answers until
    /// then. True time.
    pub ends: Option<Time>,
}

/// One traffic object, as stored.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TrafficObject {
    /// Its name.
    pub name: ObjectRef,
    /// Counts its writes (`resourceVersion`).
    pub write: u64,
    /// Counts the changes of its content (`generation`).
    pub generation: u64,
    /// The nonce that was last written to it.
    pub nonce: Option<Arc<str>>,
    /// Whether it says whose selectors these are.
    pub signed: bool,
    /// What it says.
    pub content: Content,
}

/// What a traffic object says: one of the two layers.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// What is behind the destinations; `None` where it says nothing about one.
    Selectors {
        /// Behind stable.
        stable: Option<Selection>,
        /// Behind canary.
        canary: Option<Selection>,
    },
    /// Weights and managed routes.
    Routes {
        /// What they are.
        routes: RoutesSeen,
        /// Whether a route that nobody weighs leads to stable.
        stable_elsewhere: bool,
        /// Whether a route that nobody weighs leads to the canary.
        canary_elsewhere: bool,
    },
}

/// A proxy's own copy of everything. It changes only by deliveries, per proxy and per object, so that they
/// overtake each other.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Proxy {
    /// Its name.
    pub name: String,
    /// Its copies of the traffic objects, in the order of [`Truth::traffic`]: generation and content.
    pub objects: Vec<(u64, Content)>,
    /// Its copies of the endpoints.
    pub endpoints: Vec<ProxyEndpoints>,
}

/// A proxy's copy of one revision's endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProxyEndpoints {
    /// Whose.
    pub revision: Revision,
    /// Which change of these endpoints it has; a multiple of 2³² is none at all.
    pub generation: u64,
    /// The ids of the pods that it sends requests to.
    pub pods: Vec<u64>,
}

impl Truth {
    /// A world in which nothing is there yet, for a history that was recorded elsewhere.
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
        }
    }

    /// A revision's workload.
    #[must_use]
    pub fn workload(&self, revision: &Revision) -> Option<&Workload> {
        self.workloads.iter().find(|workload| workload.revision == *revision)
    }
}

impl Workload {
    /// A workload that asks for no pods.
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

    /// How many pods are ready: they answer requests. Also those that were told to end, until they do.
    #[must_use]
    pub fn ready(&self) -> u32 {
        u32::try_from(self.pods.iter().filter(|pod| pod.ready).count()).unwrap_or(u32::MAX)
    }

    /// How many pods are ready and were not told to end: what the workload's own status counts.
    #[must_use]
    pub fn counted(&self) -> u32 {
        let counted = self.pods.iter().filter(|pod| pod.ready && pod.ends.is_none());
        u32::try_from(counted.count()).unwrap_or(u32::MAX)
    }
}

impl Pod {
    /// A pod that was just made, and does not answer yet.
    #[must_use]
    pub fn new(id: u64, born: Time) -> Self {
        Self { id, ready: false, born, since: born, ends: None }
    }
}

impl TrafficObject {
    /// An object as it was first stored.
    #[must_use]
    pub fn new(name: ObjectRef, content: Content) -> Self {
        Self { name, write: 1, generation: 1, nonce: None, signed: false, content }
    }
}

impl Proxy {
    /// A proxy that has been told nothing.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), objects: Vec::new(), endpoints: Vec::new() }
    }
}

impl ProxyEndpoints {
    /// A revision's endpoints, as they were told first.
    #[must_use]
    pub fn new(revision: Revision, pods: Vec<u64>) -> Self {
        Self { revision, generation: 1, pods }
    }
}

/// Watches a world: called after every action and every world step.
pub trait Watcher: fmt::Debug {
    /// Something happened; `moment.truth` is the world after it.
    fn see(&mut self, moment: &Moment<'_>);
}

/// Nobody watches.
impl Watcher for () {
    fn see(&mut self, _: &Moment<'_>) {}
}

impl<W: Watcher + ?Sized> Watcher for &mut W {
    fn see(&mut self, moment: &Moment<'_>) {
        (**self).see(moment);
    }
}

/// Something happened.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Moment<'a> {
    /// The world after it.
    pub truth: &'a Truth,
    /// What happened.
    pub what: What<'a>,
}

/// Who wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Writer {
    /// The process; a crash starts another.
    pub process: u32,
    /// The decision that the write comes from: counts over all processes, as in [`What::Decided`].
    pub decision: u64,
    /// Whether the process was already gone, or had given the request up, when the write landed.
    pub late: bool,
}

/// What happened in the world.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum What<'a> {
    /// A process decided; nothing of it is carried out yet.
    Decided {
        /// Which process.
        process: u32,
        /// Counts the decisions.
        decision: u64,
        /// When what it saw was true, at the earliest (stale reads). True time.
        seen_at: Time,
        /// Whether something that it saw may be older than its own last write of that kind.
        misses_own_write: bool,
        /// What it decided on.
        spec: &'a Spec,
        /// The status that it had read.
        stored: &'a Status,
        /// What it saw.
        observed: &'a Observed,
        /// What its clock said.
        now: Time,
        /// What it decided.
        plan: &'a Plan,
    },
    /// A status was stored.
    Stored {
        /// By whom.
        by: Writer,
    },
    /// A nonce was written to the objects, as far as the write came.
    Fenced {
        /// By whom.
        by: Writer,
        /// The answer; `None` when nobody was there to hear it.
        answer: Option<&'a Result<crate::Outcome, Failure>>,
    },
    /// A process reported what happened.
    Published {
        /// Which process.
        process: u32,
        /// What.
        events: &'a [Event],
    },
    /// An action was tried.
    Acted {
        /// By whom.
        by: Writer,
        /// What.
        action: &'a Action,
        /// Whether anything changed in the world (also when the answer was an error).
        took_effect: bool,
        /// The answer; `None` when nobody was there to hear it.
        answer: Option<&'a Result<crate::Outcome, Failure>>,
    },
    /// A proxy got an object's new content; an index into [`Truth::traffic`].
    DeliveredObject {
        /// Index of the proxy.
        proxy: usize,
        /// Index of the object.
        object: usize,
        /// The generation that it had before.
        from: u64,
    },
    /// A proxy got a revision's new endpoints.
    DeliveredEndpoints {
        /// Index of the proxy.
        proxy: usize,
        /// Whose.
        revision: &'a Revision,
    },
    /// A pod became ready.
    PodReady(&'a Revision),
    /// A pod was lost, or stopped being ready, by a fault: not because fewer were asked for.
    PodLost(&'a Revision),
    /// A pod ended because fewer were asked for.
    PodEnded(&'a Revision),
    /// The user's object was changed.
    SpecChanged,
    /// Somebody else wrote a traffic object (the user's own manifests again, or an edit by hand).
    ForeignWrite {
        /// Index of the object.
        object: usize,
    },
    /// A person's command was answered.
    Commanded {
        /// What.
        command: &'a Command,
        /// The answer.
        answer: &'a Answer,
    },
    /// A process died and another starts.
    Crashed,
    /// From here on there are no faults: everything must heal.
    FaultsEnd,
    /// The world came to rest: nothing is scheduled, and the last decision changed nothing.
    Rest,
}
