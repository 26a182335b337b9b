//! What happens in a simulated world, as its watchers see it.

use super::truth::Truth;
use crate::{
    Action, Answer, Command, Event, Failure, Observed, Outcome, Plan, Revision, Spec, Status, Time,
    analysis::RunSeen,
};
use core::fmt;

/// Watches a world: called after every action and every world step.
///
/// See [`Sim::build_with`](super::Sim::build_with) for an example.
pub trait Watcher: fmt::Debug {
    /// Called after something happened; `moment.truth` is the world after it.
    fn see(&mut self, moment: &Moment<'_>);
}

/// A watcher that does nothing.
impl Watcher for () {
    fn see(&mut self, _: &Moment<'_>) {}
}

impl<W: Watcher + ?Sized> Watcher for &mut W {
    fn see(&mut self, moment: &Moment<'_>) {
        (**self).see(moment);
    }
}

/// A moment: something that happened, and the world after it.
///
/// See [`Sim::build_with`](super::Sim::build_with) for an example.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Moment<'a> {
    /// The world after it.
    pub truth: &'a Truth,
    /// What happened.
    pub what: What<'a>,
}

/// The origin of a write.
///
/// See [`Sim::build_with`](super::Sim::build_with) for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Writer {
    /// The process; after a crash there is another.
    pub process: u32,
    /// The decision that led to the write: counted over all processes, as in [`What::Decided`].
    pub decision: u64,
    /// Whether the process was already gone, or had given the request up, when the write took effect.
    pub late: bool,
}

/// What happened in the world.
///
/// See [`Sim::build_with`](super::Sim::build_with) for an example.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum What<'a> {
    /// A process decided; none of it is carried out yet.
    Decided {
        /// The process.
        process: u32,
        /// The number of the decision.
        decision: u64,
        /// The earliest time at which its observation was true (stale reads). True time.
        seen_at: Time,
        /// Whether something in its observation may be older than its own last write of that kind.
        misses_own_write: bool,
        /// The spec that it decided on.
        spec: &'a Spec,
        /// The status that it had read.
        stored: &'a Status,
        /// Its observation.
        observed: &'a Observed,
        /// The time on its clock.
        now: Time,
        /// Its decision.
        plan: &'a Plan,
    },
    /// A status was stored.
    Stored {
        /// The writer.
        by: Writer,
    },
    /// A nonce was written to the objects, as far as the write succeeded.
    Fenced {
        /// The writer.
        by: Writer,
        /// The answer; `None` if no process received it.
        answer: Option<&'a Result<Outcome, Failure>>,
    },
    /// A process published events.
    Published {
        /// The process.
        process: u32,
        /// The events.
        events: &'a [Event],
    },
    /// An action was tried.
    Acted {
        /// The writer.
        by: Writer,
        /// The action.
        action: &'a Action,
        /// Whether anything changed in the world (even if the answer was an error).
        took_effect: bool,
        /// The answer; `None` if no process received it.
        answer: Option<&'a Result<Outcome, Failure>>,
    },
    /// A run of an analysis was looked at.
    Measured(&'a RunSeen),
    /// A proxy got an object's new content; an index into [`Truth::traffic`].
    DeliveredObject {
        /// The index of the proxy.
        proxy: usize,
        /// The index of the object.
        object: usize,
        /// The generation that the proxy had before.
        from: u64,
    },
    /// A proxy got a revision's new endpoints.
    DeliveredEndpoints {
        /// The index of the proxy.
        proxy: usize,
        /// The revision.
        revision: &'a Revision,
    },
    /// A pod became ready.
    PodReady(&'a Revision),
    /// A pod was lost, or became unready, because of a fault and not because fewer were wanted.
    PodLost(&'a Revision),
    /// A pod ended because fewer were wanted.
    PodEnded(&'a Revision),
    /// The user's object was changed.
    SpecChanged,
    /// Another client wrote a traffic object (the user's own manifests again, or a manual edit).
    ForeignWrite {
        /// The index of the object.
        object: usize,
    },
    /// An operator's command was answered.
    Commanded {
        /// The command.
        command: &'a Command,
        /// The answer.
        answer: &'a Answer,
    },
    /// A process died and another starts.
    Crashed,
    /// All faults end here: everything must heal.
    FaultsEnd,
    /// The world came to rest: nothing is scheduled, and the last decision changed nothing.
    Rest,
}
