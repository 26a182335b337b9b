//! Individual rules of the engine as functions, for test vectors and benchmarks that compare them with Argo Rollouts.
//!
//! A controller needs none of them: [`reconcile`](crate::reconcile()) applies them all, and its [`Plan`](crate::Plan)
//! contains the outcome.
//!
//! ```
//! use rollout_core::{IntOrPercent, conformance::Fenceposts};
//! let posts = Fenceposts::resolve(10, IntOrPercent::Percent(25), IntOrPercent::Percent(25));
//! assert_eq!((posts.surge, posts.unavailable), (3, 2), "one rounded up, the other down, as Argo Rollouts does");
//! ```

#[cfg(feature = "analysis")]
pub use due::{due_now, next_look};

#[cfg(feature = "argo")]
pub use crate::argo::{
    check::refused_by_argo_rollouts,
    duration::{InvalidDuration, pause_seconds},
    goal_of::goal_of,
    phase::{Phase, phase, phase_for_clients},
    pods::{fenceposts, int_or_percent},
};
pub use crate::{
    goal::{Goal, at as goal},
    strategy::Fenceposts,
};

#[cfg(feature = "analysis")]
mod due {
    use crate::{
        Time,
        analysis::{self, Ask, RunSpec, RunStatus},
    };
    use alloc::vec::Vec;

    /// Returns what a run that was started is to be asked now, whatever it is worth.
    ///
    /// ```
    /// use rollout_core::{Time, analysis::{RunSpec, RunStatus}, conformance::due_now};
    /// let spec = RunSpec::read(&serde_json::json!({"metrics": [{"name": "a"}]}));
    /// assert_eq!(due_now(&spec, &RunStatus::default(), Time::from_secs(0)).len(), 1);
    /// ```
    #[must_use]
    pub fn due_now(spec: &RunSpec, status: &RunStatus, now: Time) -> Vec<Ask> {
        analysis::due(spec, status, status.started_at.is_none(), now)
    }

    /// Returns when to look at a run again, whatever it is worth; not before `now`.
    ///
    /// ```
    /// use rollout_core::{Time, analysis::{RunSpec, RunStatus}, conformance::next_look};
    /// let spec = RunSpec::read(&serde_json::json!({"metrics": []}));
    /// assert_eq!(next_look(&spec, &RunStatus::default(), Time::from_secs(0)), None);
    /// ```
    #[must_use]
    pub fn next_look(spec: &RunSpec, status: &RunStatus, now: Time) -> Option<Time> {
        analysis::wake(spec, status).map(|wake| wake.max(now))
    }
}
