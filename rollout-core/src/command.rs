//! What a person may say, and the answer. Pure: a command is applied to a status, with the position that
//! the person was looking at.

mod apply;
mod caused;
mod kind;

pub use apply::apply;
pub use kind::{CommandKind, UnknownCommand};

use crate::{Event, Revision, Status, traffic::Version};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// What a person says, and what they were looking at when they said it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Command {
    /// What is asked for.
    pub kind: CommandKind,
    /// Where the rollout was when it was asked for.
    pub at: Position,
}

impl Command {
    /// Says `kind` at a position.
    #[must_use]
    pub fn new(kind: CommandKind, at: Position) -> Self {
        Self { kind, at }
    }
}

/// Where a rollout is: what a command is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Position {
    /// The revision under way.
    pub revision: Revision,
    /// The step under way.
    pub step: u32,
}

impl Position {
    /// A position.
    #[must_use]
    pub fn new(revision: Revision, step: u32) -> Self {
        Self { revision, step }
    }

    /// Where `status` is; `None` before anything has started.
    #[must_use]
    pub fn of(status: &Status) -> Option<Self> {
        status.canary.clone().map(|revision| Self { revision, step: status.step })
    }
}

/// The answer to a command: it is never lost and never applied to another revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[must_use = "an accepted command takes effect only when its status is stored and its edits are made"]
#[expect(clippy::exhaustive_enums, reason = "the two answers there are")]
pub enum Answer {
    /// Store this status by compare-and-swap, make these edits, then publish these events.
    Accepted {
        /// The next status.
        status: Status,
        /// What must change in the user's own object.
        edits: Vec<Edit>,
        /// What has happened once the status is stored. No plan repeats it: publish it here, or nobody hears of it.
        events: Vec<Event>,
    },
    /// Nothing changes, and why.
    Rejected(Rejection),
}

/// What must change in the user's own object, or beside it, for a command to take effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "a driver that cannot make a new edit must not compile")]
pub enum Edit {
    /// Set `spec.paused`.
    Paused(bool),
    /// Put this revision's template back.
    Template(Revision),
    /// Keep this word where it is observed again ([`Observed::proceed`](crate::Observed::proceed)): an
    /// annotation. When it is lost, the rollout waits again.
    Proceed(Proceed),
}

/// A person's word that one wait may end: it holds for one position and one state of the objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Proceed {
    /// Where the rollout was.
    pub at: Position,
    /// The content of the objects that was waited for.
    pub contents: Vec<u64>,
}

impl Proceed {
    /// Overrides the wait for these objects at this position.
    #[must_use]
    pub fn new(at: Position, objects: &Version) -> Self {
        Self { at, contents: contents(objects).collect() }
    }

    /// Whether it was said about this position and these objects.
    #[must_use]
    pub fn holds(&self, status: &Status, objects: &Version) -> bool {
        status.canary.as_ref() == Some(&self.at.revision)
            && status.step == self.at.step
            && contents(objects).eq(self.contents.iter().copied())
    }
}

fn contents(objects: &Version) -> impl Iterator<Item = u64> + '_ {
    objects.objects().iter().map(|(_, version)| version.content)
}

/// Why a command was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The rollout has moved on since.
    #[error("the rollout is no longer where you saw it; look again and repeat the command")]
    Stale,
    /// It is so already.
    #[error("it is so already")]
    AlreadyDone,
    /// Nothing is under way.
    #[error("no update is under way")]
    NothingUnderWay,
    /// There is no pause to end.
    #[error("no pause is under way; use `skip` to skip the step, or `promote-full` to skip all")]
    NotPaused,
    /// The update is aborted.
    #[error("the update is aborted; use `retry` to start it again")]
    IsAborted,
    /// The update is not aborted.
    #[error("the update is not aborted")]
    NotAborted,
    /// The first deploy runs no steps, and there is no stable revision to go back to.
    #[error("this is the first deploy: it runs no steps, and there is no stable revision to go back to")]
    FirstDeploy,
    /// The stable revision's workload does not exist any more.
    #[error(
        "the stable revision does not exist any more, so there is nothing to go back to; apply its manifest again, or \
         go on with `promote-full`"
    )]
    StableGone,
    /// Nothing is waited for that could be overridden.
    #[error("nothing is waited for that `proceed` could override")]
    NotWaiting,
}
