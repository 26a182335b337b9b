use super::DataPlane;
use crate::backend::RolloutRef;
use alloc::{boxed::Box, string::String, sync::Arc, vec::Vec};
use async_trait::async_trait;
use core::{fmt, time::Duration};

/// A data plane that all rollouts of a process share: it asks its control plane in rounds, while anybody waits for
/// something, and answers each rollout from the last of them.
///
/// The program around it runs the rounds, one after the other: no turn of a rollout waits for one.
///
/// ```
/// # use rollout_core::backend::{Rounds, RolloutRef};
/// # use core::time::Duration;
/// async fn run(plane: &dyn Rounds, sleep: impl AsyncFn(Duration), wake: impl Fn(RolloutRef)) {
///     loop {
///         match plane.next_round() {
///             // Until a rollout has asked something again.
///             None => return,
///             Some(pause) => sleep(pause).await,
///         }
///         plane.round().await.changed.into_iter().for_each(&wake);
///     }
/// }
/// ```
#[async_trait]
pub trait Rounds: fmt::Debug + Send + Sync {
    /// The data plane as one rollout sees it. What it asks about is waited for, until it is settled or `who` has
    /// not asked again for a while.
    fn of(self: Arc<Self>, who: &RolloutRef) -> Arc<dyn DataPlane>;

    /// In how long the next round is due; `None` while nobody waits for anything.
    fn next_round(&self) -> Option<Duration>;

    /// Asks the control plane once, for everybody.
    async fn round(&self) -> Round;

    /// This rollout is gone: what only it asked about is forgotten.
    fn forget(&self, who: &RolloutRef);
}

/// What one round brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Round {
    /// Who gets another answer now than before.
    pub changed: Vec<RolloutRef>,
    /// What a person should know, a sentence each, and which rollouts it concerns.
    pub notes: Vec<(String, Vec<RolloutRef>)>,
    /// Why nothing can be said, and what to open; `None` once every replica of the control plane has answered.
    pub complaint: Option<String>,
}
