use crate::{
    CommandKind, Step,
    sim::{Fault, Kind},
};
use alloc::vec::Vec;
use core::time::Duration;

/// One thing that happens to a rollout.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a player that cannot make a new thing happen must not compile")]
pub enum Happening {
    /// A person says something about where the rollout is.
    Say(CommandKind),
    /// A person says something about where they believe it is: another revision, or so many steps back.
    SayLate(CommandKind, u8),
    /// The template of this number is applied: new, the same, or one from before.
    Update(u8),
    /// The steps are edited.
    EditSteps(Vec<Step>),
    /// An autoscaler, or a person, asks for another number of pods.
    Replicas(u32),
    /// So many pods are lost.
    LosePods(Target, u32),
    /// Somebody deletes the workload of a revision.
    LoseWorkload(Target),
    /// The pods of a revision stop being ready, and new ones never are.
    BreakPods(Target),
    /// They can be ready again.
    HealPods(Target),
    /// The user's own manifests are applied again, all of them.
    Reapply,
    /// One of them, by number.
    ReapplyOne(u8),
    /// Somebody takes our annotations from an object.
    Strip(u8),
    /// After so many more writes, one goes wrong.
    WriteFault(u32, Fault),
    /// The process dies and another starts.
    Crash,
    /// A process that was thought dead decides again so much later; its caches of these kinds are
    /// fresh.
    OldProcess(Vec<Kind>, Duration),
    /// Somebody sets the scale-down deadline of a revision by hand, or takes it away.
    Mark(Target, bool),
    /// No proxy gets anything any more.
    Freeze,
    /// One proxy gets nothing any more.
    FreezeProxy(u8),
    /// All get what they have missed.
    Thaw,
    /// The cache of one kind of object lags so far behind from now on.
    ReadLag(Kind, Duration),
    /// Reads of one kind of object fail from now on, or no longer.
    ReadsFail(Kind, bool),
    /// The process's clock is wrong by so many milliseconds from now on.
    Clock(i64),
}

/// Whose pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the two roles there are")]
pub enum Target {
    /// Those of the revision that is stable then.
    Stable,
    /// Those of the revision under way then.
    Canary,
}
