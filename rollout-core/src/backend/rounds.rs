use super::DataPlane;
use crate::backend::RolloutRef;
use alloc::{boxed::Box, string::String, sync::Arc, vec::Vec};
use async_trait::async_trait;
use core::{fmt, time::Duration};

/// A data plane that all rollouts of a process share. It queries its control plane in rounds while any rollout waits,
/// and answers each rollout from the last round.
///
/// The surrounding program runs the rounds, one after another: no turn of a rollout waits for one.
///
/// ```
/// # use rollout_core::async_trait::async_trait;
/// # use rollout_core::backend::{DataPlane, NoDataPlane, RolloutRef, Round, Rounds, ready};
/// # use core::time::Duration;
/// # use std::sync::{Arc, atomic::{AtomicU64, Ordering::Relaxed}};
/// # /// A data plane for which a rollout waits for so many rounds.
/// # #[derive(Debug)]
/// # struct Plane(AtomicU64);
/// # #[async_trait]
/// # impl Rounds for Plane {
/// #     fn of(self: Arc<Self>, _: &RolloutRef) -> Arc<dyn DataPlane> { Arc::new(NoDataPlane) }
/// #     fn next_round(&self) -> Option<Duration> { (self.0.load(Relaxed) > 0).then_some(Duration::from_secs(1)) }
/// #     async fn round(&self) -> Round {
/// #         let mut round = Round::default();
/// #         if self.0.fetch_sub(1, Relaxed) == 1 { round.changed.push(RolloutRef::new("shop", "web")); }
/// #         round
/// #     }
/// #     fn forget(&self, _: &RolloutRef) {}
/// # }
/// async fn run(plane: &dyn Rounds, sleep: impl AsyncFn(Duration), wake: impl Fn(RolloutRef)) {
///     loop {
///         match plane.next_round() {
///             // Until a rollout asks again.
///             None => return,
///             Some(pause) => sleep(pause).await,
///         }
///         plane.round().await.changed.into_iter().for_each(&wake);
///     }
/// }
///
/// # let plane = Plane(AtomicU64::new(3));
/// # let woken = core::cell::RefCell::new(Vec::new());
/// # let wake = |rollout: RolloutRef| woken.borrow_mut().push(rollout.to_string());
/// // In the third round, the last proxy acknowledges what the rollout waits for.
/// ready(run(&plane, async |_| {}, wake))?;
/// assert_eq!(*woken.borrow(), ["Rollout shop/web"]);
/// # Ok::<(), rollout_core::backend::NotReady>(())
/// ```
#[async_trait]
pub trait Rounds: fmt::Debug + Send + Sync {
    /// Returns the data plane as one rollout sees it. Rounds follow what it asks about until that is settled or `who`
    /// has not asked again for a while.
    fn of(self: Arc<Self>, who: &RolloutRef) -> Arc<dyn DataPlane>;

    /// Returns how long until the next round is due; `None` while no rollout waits.
    fn next_round(&self) -> Option<Duration>;

    /// Queries the control plane once, for all rollouts.
    async fn round(&self) -> Round;

    /// Forgets what only this rollout, which is gone, asked about.
    fn forget(&self, who: &RolloutRef);
}

/// The result of one round.
///
/// ```
/// use rollout_core::backend::{Round, RolloutRef};
/// let mut round = Round::default();
/// round.changed = vec![RolloutRef::new("shop", "web")];
/// assert!(round.complaint.is_none(), "each replica has answered; decide about shop/web again");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Round {
    /// The rollouts whose answers changed.
    pub changed: Vec<RolloutRef>,
    /// Notes for people, one sentence each, with the rollouts concerned.
    pub notes: Vec<(String, Vec<RolloutRef>)>,
    /// The reason why the control plane gives no answer, and what to open; `None` once each of its replicas has
    /// answered.
    pub complaint: Option<String>,
}
