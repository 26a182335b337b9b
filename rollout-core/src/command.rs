//! Operator commands and their results. Applying a command is pure: it takes a status and the position that the
//! operator was looking at. See [`apply`] for examples.

mod apply;
mod caused;
mod kind;

pub use apply::apply;
pub use kind::{CommandKind, UnknownCommand};

use crate::{Event, Revision, Status, traffic::Version};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// A command, and the position that the operator was looking at when giving it.
///
/// ```
/// use rollout_core::{Answer, Command, CommandKind, Observed, Spec, Status, Strategy, Time, apply};
/// use rollout_core::command::{Position, Rejection};
/// # let mut status = Status::default();
/// # (status.stable, status.canary) = (Some("v1".into()), Some("v3".into()));
/// let spec = Spec::new(Strategy::builder().build()?, "v3".into());
/// let abort = Command::new(CommandKind::Abort, Position::new("v2".into(), 0));
/// let answer = apply(&abort, &spec, &status, &Observed::new(), Time::from_secs(0));
/// assert_eq!(answer, Answer::Rejected(Rejection::Stale), "the operator saw v2; by now, v3 is released");
/// # Ok::<(), rollout_core::InvalidStrategy>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Command {
    /// The command.
    pub kind: CommandKind,
    /// Where the rollout was when the command was given.
    pub at: Position,
}

impl Command {
    /// Creates a command for a position.
    #[must_use]
    pub fn new(kind: CommandKind, at: Position) -> Self {
        Self { kind, at }
    }
}

/// The place in a rollout that a command refers to.
///
/// See [`of`](Self::of) for an example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Position {
    /// The revision being rolled out.
    pub revision: Revision,
    /// The current step.
    pub step: u32,
}

impl Position {
    /// Creates a position.
    #[must_use]
    pub fn new(revision: Revision, step: u32) -> Self {
        Self { revision, step }
    }

    /// Returns the position of `status`; `None` before anything has started.
    ///
    /// ```
    /// use rollout_core::{Status, command::Position};
    /// let mut status = Status::default();
    /// assert_eq!(Position::of(&status), None);
    /// (status.canary, status.step) = (Some("v2".into()), 3);
    /// assert_eq!(Position::of(&status), Some(Position::new("v2".into(), 3)));
    /// ```
    #[must_use]
    pub fn of(status: &Status) -> Option<Self> {
        status.canary.clone().map(|revision| Self { revision, step: status.step })
    }
}

/// The result of a command, which is never lost and never applied to another revision.
///
/// See [`apply`] for examples.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[must_use = "an accepted command takes effect only when its status is stored and its edits are made"]
#[expect(clippy::exhaustive_enums, reason = "a command has exactly two results")]
pub enum Answer {
    /// Store this status by compare-and-swap, make these edits, then publish these events.
    Accepted {
        /// The next status.
        status: Status,
        /// The changes to make to the user's own object.
        edits: Vec<Edit>,
        /// What has happened once the status is stored. No plan repeats these events: publish them here, or they are
        /// lost.
        events: Vec<Event>,
    },
    /// Nothing changes, for this reason.
    Rejected(Rejection),
}

/// A change to the user's own object, or beside it, that a command needs to take effect.
///
/// ```
/// use rollout_core::{Answer, Command, CommandKind, Observed, Spec, Status, Strategy, Time, apply};
/// use rollout_core::command::{Edit, Position};
/// # let mut status = Status::default();
/// # (status.stable, status.canary) = (Some("v1".into()), Some("v2".into()));
/// let spec = Spec::new(Strategy::builder().build()?, "v2".into());
/// let undo = Command::new(CommandKind::Undo, Position::new("v2".into(), 0));
/// let answer = apply(&undo, &spec, &status, &Observed::new(), Time::from_secs(0));
/// let Answer::Accepted { edits, .. } = answer else { panic!("{answer:?}") };
/// assert_eq!(edits, [Edit::Template("v1".into())], "the user's object gets the template of v1 again");
/// # Ok::<(), rollout_core::InvalidStrategy>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "a driver that cannot make a new edit must not compile")]
pub enum Edit {
    /// Set `spec.paused`.
    Paused(bool),
    /// Restore this revision's pod template.
    Template(Revision),
    /// Keep this override where the next observation finds it ([`Observed::proceed`](crate::Observed::proceed)): in an
    /// annotation. If it is lost, the rollout waits again.
    Proceed(Proceed),
}

/// An operator's `proceed` override, valid for one position and one state of the objects.
///
/// See [`holds`](Self::holds) for an example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Proceed {
    /// Where the rollout was.
    pub at: Position,
    /// The content of the objects whose propagation was being waited for.
    pub contents: Vec<u64>,
}

impl Proceed {
    /// Creates an override of the wait for these objects at this position.
    ///
    /// See [`holds`](Self::holds) for an example.
    #[must_use]
    pub fn new(at: Position, objects: &Version) -> Self {
        Self { at, contents: contents(objects).collect() }
    }

    /// Returns whether the override applies to this position and these objects.
    ///
    /// ```
    /// use rollout_core::{Status, command::{Position, Proceed}, traffic::{ObjectRef, ObjectVersion, Version}};
    /// let at = |content| {
    ///     let object = ObjectRef::new("networking.istio.io", "VirtualService", "shop", "web");
    ///     Version::from_iter([(object, ObjectVersion { write: "811".into(), content })])
    /// };
    /// let mut status = Status::default();
    /// (status.canary, status.step) = (Some("v2".into()), 2);
    /// let proceed = Proceed::new(Position::new("v2".into(), 2), &at(4));
    /// assert!(proceed.holds(&status, &at(4)));
    /// assert!(!proceed.holds(&status, &at(5)), "the object was changed: its proxies are waited for again");
    /// ```
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

/// The reason why a command was rejected.
///
/// ```
/// use rollout_core::command::Rejection;
/// assert_eq!(
///     Rejection::IsAborted.to_string(),
///     "the update is aborted; use `retry` to start it again"
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The rollout has moved on since.
    #[error("the rollout is no longer where you saw it; look again and repeat the command")]
    Stale,
    /// There is nothing to change.
    #[error("nothing to change")]
    AlreadyDone,
    /// No update is in progress.
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
    /// The stable revision's workload no longer exists.
    #[error(
        "the stable revision no longer exists, so there is nothing to go back to; apply its manifest again, or \
         continue with `promote-full`"
    )]
    StableGone,
    /// The rollout is not waiting for anything that can be overridden.
    #[error("nothing to override: the rollout is not waiting for proxies or stable capacity")]
    NotWaiting,
}
