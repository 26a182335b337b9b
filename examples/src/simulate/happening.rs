//! What the timeline tells: one happening a line. Both renderers, text and JSON lines, read only this.

use rollout_core::{
    Event, Range, Revision, Time, Waiting,
    analysis::RunSeen,
    traffic::{ObjectRef, Selection},
};
use std::{sync::Arc, time::Duration};

/// One thing that happened, and how everything stood right after it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Happening {
    pub(crate) at: Time,
    pub(crate) kind: Kind,
    pub(crate) state: State,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    /// The user's object was applied for the first time.
    FirstDeploy(Revision),
    /// The user's object was changed.
    Update {
        /// The revision that it asks for now.
        revision: Revision,
        /// What was changed, in the user's words.
        changes: Vec<String>,
        /// Whether it asks for another revision than before.
        another: bool,
    },
    /// Something was said, and answered.
    Command {
        what: String,
        by: By,
        /// The reason of a rejection.
        answer: Result<(), String>,
    },
    /// The world did something on request.
    Fault(String),
    /// The engine reported this.
    Engine(Event),
    /// A revision's pod count or mark was written; before it, they were so.
    Scaled {
        revision: Revision,
        pods: u32,
        scale_down_deadline: Option<Time>,
        before: Option<(u32, Option<Time>)>,
    },
    /// Pods of a revision are evicted for a restart.
    Evicted { revision: Revision, pods: u32 },
    /// The pods of a revision get the labels and annotations of a role.
    Labelled { revision: Revision, field: &'static str, metadata: String },
    /// A process wrote its nonce to every object.
    Fenced,
    /// A write did not get through.
    Failed(String),
    /// Pods of one revision came or went.
    Pods { revision: Revision, change: PodChange, pods: u32 },
    /// Every proxy has what was written.
    Settled {
        layer: Layer,
        proxies: usize,
        /// How long after the write.
        after: Duration,
    },
    /// The engine waits.
    Waiting {
        waiting: Waiting,
        /// When pods that are waited for are late.
        deadline: Option<Time>,
    },
    /// A run of an analysis was looked at.
    Measured(RunSeen),
    /// An object was really edited.
    Object { name: ObjectRef, diff: String },
    /// It came to rest, or the time was over.
    Rest(Rest),
}

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// `--at`.
    Script,
    /// `--promote-after`: nobody else ended the pause.
    Simulation(Duration),
}

/// What pods did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PodChange {
    Ready,
    Lost,
    Ended,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layer {
    Routes,
    Selectors,
}

/// How it stands in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// The target is stable, with all its pods and all traffic.
    Healthy,
    /// It waits for a person.
    Paused,
    /// The update was given up.
    Aborted,
    /// Its pods make no progress.
    Degraded,
    /// The user wants no pod, and nothing is left to be done.
    ScaledToZero,
    /// The user wants no pod while an update is under way: it goes on when pods are wanted again.
    HeldAtZero,
    /// The update was given up, and the objects still lead requests to it.
    AbortedInTraffic,
    /// It waits for objects that cannot be read.
    Unreadable,
    /// It did not come to rest until the end.
    Unfinished,
}

impl Rest {
    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Healthy | Self::ScaledToZero => "healthy",
            Self::Paused | Self::HeldAtZero => "paused",
            Self::Aborted => "aborted",
            Self::Degraded => "degraded",
            Self::Unfinished | Self::AbortedInTraffic | Self::Unreadable => "unfinished",
        }
    }
}

/// How everything stood.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct State {
    /// Index of the step under way, from 0; the number of steps when all are done.
    pub(crate) step: u32,
    pub(crate) steps: u32,
    /// Whether nothing is under way.
    pub(crate) done: bool,
    /// `None` without traffic routing.
    pub(crate) traffic: Option<Traffic>,
    /// In the order of their numbers.
    pub(crate) pods: Vec<Pods>,
}

/// How the objects lead requests.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Traffic {
    /// The canary's weight, out of `of`.
    pub(crate) canary: Range,
    pub(crate) of: u32,
    /// The managed routes in front, in order.
    pub(crate) managed: Vec<Arc<str>>,
    /// What is behind the destinations.
    pub(crate) behind_stable: Vec<Selection>,
    pub(crate) behind_canary: Vec<Selection>,
}

/// One revision's pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pods {
    pub(crate) revision: Revision,
    pub(crate) wanted: u32,
    pub(crate) ready: u32,
    /// When it may be scaled down, if it has a scale-down deadline.
    pub(crate) scale_down_deadline: Option<Time>,
}
