//! The effects on the cluster that a decision asks for.

use crate::{
    Revision, Time,
    analysis::RunId,
    strategy::Analysis,
    traffic::{Routes, Selectors},
};
use alloc::sync::Arc;
use serde::{Deserialize, Serialize};

/// One effect on the cluster. Exhaustive on purpose: a driver that cannot carry out a new action must not compile.
///
/// ```
/// use rollout_core::{Action, Observed, Spec, Status, Strategy, Time, reconcile, traffic::Seen};
/// let spec = Spec::new(Strategy::builder().build()?, "v1".into()).replicas(3);
/// let observed = Observed::new().revisions([]).traffic(Seen::nothing());
/// for action in reconcile(&spec, &Status::default(), &observed, Time::from_secs(0)).actions {
///     match action {
///         Action::Scale { revision, pods, scale_down_deadline } => {
///             assert_eq!((revision.as_str(), pods, scale_down_deadline), ("v1", 3, None));
///         }
///         Action::Select(_) | Action::Route(_) | Action::Run(_) | Action::Prune { .. } => unreachable!("no pod is ready yet"),
///     }
/// }
/// # Ok::<(), rollout_core::InvalidStrategy>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "a driver that cannot carry out a new action must not compile")]
pub enum Action {
    /// Sets a revision's pod count with one compare-and-swap on its workload; creates the workload if it is absent.
    Scale {
        /// The revision whose pods are scaled.
        revision: Revision,
        /// The number of pods wanted.
        pods: u32,
        /// The scale-down deadline from which the revision may go to 0 pods; `None` removes it.
        scale_down_deadline: Option<Time>,
    },
    /// Points destinations at pods: Service selectors, subset labels.
    Select(Selectors),
    /// Splits requests: weights and managed routes.
    Route(Routes),
    /// Begins, ends or deletes a run of an analysis.
    Run(RunChange),
    /// Deletes a revision that has no pods and is beyond the revision history limit.
    Prune {
        /// The revision to delete.
        revision: Revision,
    },
}

/// What is to be done with a run of an analysis.
///
/// ```
/// use rollout_core::{Action, analysis::RunChange};
/// assert!(!Action::Run(RunChange::Stop { name: "web-v2-2".into() }).is_traffic());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "a driver that cannot carry out a new one must not compile")]
pub enum RunChange {
    /// Creates a run, unless one with the same `RunId` exists.
    Start {
        /// What it is for.
        id: RunId,
        /// What is analysed.
        analysis: Arc<Analysis>,
    },
    /// Terminates a run, including measurements in progress.
    Stop {
        /// The name of the run.
        name: Arc<str>,
    },
    /// Deletes a run that is over and beyond the history limit.
    Prune {
        /// The name of the run.
        name: Arc<str>,
    },
}

impl Action {
    /// Returns whether this action writes traffic (selectors or routes).
    ///
    /// ```
    /// use rollout_core::{Action, traffic::Selectors};
    /// assert!(Action::Select(Selectors::default()).is_traffic());
    /// assert!(!Action::Prune { revision: "v1".into() }.is_traffic());
    /// ```
    #[must_use]
    pub fn is_traffic(&self) -> bool {
        match self {
            Self::Select(_) | Self::Route(_) => true,
            Self::Scale { .. } | Self::Run(_) | Self::Prune { .. } => false,
        }
    }
}
