use crate::{
    CommandKind, Step,
    sim::{Fault, ReadKind},
};
use alloc::vec::Vec;
use core::time::Duration;

/// One event in a history.
///
/// See [`play`](super::play) for an example.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a player that cannot make a new thing happen must not compile")]
pub enum Happening {
    /// An operator gives a command for the current position of the rollout.
    Say(CommandKind),
    /// An operator gives a command for a wrong position: another revision, or this many steps back.
    SayLate(CommandKind, u8),
    /// The template with this number is applied: a new one, the same, or an earlier one.
    Update(u8),
    /// The steps are edited.
    EditSteps(Vec<Step>),
    /// An autoscaler or a user sets another number of pods.
    Replicas(u32),
    /// This many pods are lost.
    LosePods(Target, u32),
    /// A foreign client deletes the workload of a revision.
    LoseWorkload(Target),
    /// The pods of a revision become unready, and new ones never become ready.
    BreakPods(Target),
    /// The pods can become ready again.
    HealPods(Target),
    /// All the user's own manifests are applied again.
    Reapply,
    /// One of the user's manifests, by number, is applied again.
    ReapplyOne(u8),
    /// A foreign client removes the engine's annotations from an object.
    Strip(u8),
    /// After this many more writes, one write fails.
    WriteFault(u32, Fault),
    /// The process dies and another starts.
    Crash,
    /// A process that was thought dead decides again after this delay; its caches of these kinds are fresh.
    OldProcess(Vec<ReadKind>, Duration),
    /// A foreign client sets or removes the scale-down deadline of a revision.
    Mark(Target, bool),
    /// Deliveries to all proxies stop.
    Freeze,
    /// Deliveries to one proxy stop.
    FreezeProxy(u8),
    /// All proxies get what they have missed.
    Thaw,
    /// The cache of one kind of object lags by this much from now on.
    ReadLag(ReadKind, Duration),
    /// Reads of one kind of object start or stop failing.
    ReadsFail(ReadKind, bool),
    /// Runs of analyses start or stop being unreadable.
    RunsFail(bool),
    /// A foreign client deletes the newest run of an analysis.
    DeleteRun,
    /// The process's clock is wrong by this many milliseconds from now on.
    Clock(i64),
}

/// The role of a revision whose pods are affected.
///
/// See [`play`](super::play) for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are exactly two roles")]
pub enum Target {
    /// The revision that is stable at that time.
    Stable,
    /// The revision being rolled out at that time.
    Canary,
}
