use super::{Attempt, ClusterName, Mark};
use crate::{Revision, Time};
use core::fmt;
use serde::{Deserialize, Serialize};

/// A wait for another cluster: for which, for what, and what is known about it.
///
/// ```
/// use rollout_core::fleet::{ClusterName, ClusterSeen, ClusterWait, Mark, Need};
/// let b = ClusterName::new("b").unwrap();
/// let wait = ClusterWait::new(b, Need::Mark(Mark::Ready(1)), ClusterSeen::At(Mark::Routed(0)), 4);
/// assert_eq!(
///     wait.to_string(),
///     "waiting until cluster b has the pods for step 2 of 4; it routes as step 1 of 4 says"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClusterWait {
    /// The cluster: if there are several, the one that is furthest behind.
    pub cluster: ClusterName,
    /// What it must reach.
    pub need: Need,
    /// What is known about it.
    pub seen: ClusterSeen,
    /// The number of steps.
    pub steps: u32,
}

/// What another cluster must reach.
///
/// ```
/// use rollout_core::fleet::{Mark, Need};
/// assert_ne!(Need::Mark(Mark::Done), Need::Works);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Need {
    /// A mark.
    Mark(Mark),
    /// It must not send requests to an aborted revision any more.
    LetsGo,
    /// It must not have failed.
    Works,
    /// The policy must name it.
    IsNamed,
}

/// What is known about another cluster.
///
/// ```
/// use rollout_core::{Time, fleet::{ClusterName, ClusterSeen, ClusterWait, Mark, Need}};
/// let seen = ClusterSeen::Unreachable { since: Time::from_secs(60), last: Some(Mark::Routed(0)) };
/// let wait = ClusterWait::new(ClusterName::new("b").unwrap(), Need::Mark(Mark::Done), seen, 2);
/// assert_eq!(
///     wait.to_string(),
///     "waiting until cluster b is done; it cannot be read since 1970-01-01T00:01:00Z, and before that it routed as \
///      step 1 of 2 says"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ClusterSeen {
    /// It was never read, or has no such Rollout.
    Never,
    /// It cannot be read.
    Unreachable {
        /// Since when, by the clock of this cluster.
        since: Time,
        /// How far it was.
        last: Option<Mark>,
    },
    /// It releases another revision: its manifest is older or newer.
    Releases(Revision),
    /// It releases the same revision by other steps.
    OtherSteps,
    /// It has another policy.
    OtherPolicy,
    /// It is in another attempt of the release: it has yet to see a retry.
    OtherAttempt(Attempt),
    /// It is this far.
    At(Mark),
    /// The release failed there, when it was this far.
    Failed(Mark),
    /// The policy does not name it.
    NotNamed,
}

impl ClusterWait {
    /// Creates a wait, in a release of this many steps.
    ///
    /// See [`ClusterWait`] for an example.
    #[must_use]
    pub fn new(cluster: ClusterName, need: Need, seen: ClusterSeen, steps: u32) -> Self {
        Self { cluster, need, seen, steps }
    }

    /// The same wait, for a mark.
    pub(crate) fn needs(&self, mark: Mark) -> Self {
        Self { need: Need::Mark(mark), ..self.clone() }
    }
}

impl fmt::Display for ClusterWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cluster, need, seen, steps } = self;
        let told = |mark: Mark, past: bool| Told { mark, past, steps: *steps };
        write!(f, "waiting until cluster {cluster} ")?;
        match need {
            Need::Mark(mark) => told(*mark, false).fmt(f),
            Need::LetsGo => f.write_str("sends no request to the aborted revision any more"),
            Need::Works => f.write_str("works again"),
            Need::IsNamed => f.write_str("is named by the policy of its Rollout"),
        }?;
        match seen {
            ClusterSeen::NotNamed => Ok(()),
            ClusterSeen::Never => f.write_str("; nothing is known about it, and it may have no such Rollout"),
            ClusterSeen::Unreachable { since, last: None } => write!(f, "; it cannot be read since {since}"),
            ClusterSeen::Unreachable { since, last: Some(last) } => {
                write!(f, "; it cannot be read since {since}, and before that it {}", told(*last, true))
            }
            ClusterSeen::Releases(revision) => write!(f, "; it has another revision: {revision}"),
            ClusterSeen::OtherSteps => f.write_str("; its Rollout has other steps"),
            ClusterSeen::OtherPolicy => f.write_str("; its Rollout has another policy for the clusters"),
            ClusterSeen::OtherAttempt(_) => f.write_str("; it has yet to take part in the retry"),
            ClusterSeen::At(mark) => write!(f, "; it {}", told(*mark, false)),
            ClusterSeen::Failed(mark) => {
                write!(f, "; the release failed there when it {}", told(*mark, true))
            }
        }
    }
}

/// A mark in words, now or in the past.
struct Told {
    mark: Mark,
    past: bool,
    steps: u32,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |now: &'static str, then: &'static str| if self.past { then } else { now };
        let (has, routes) = (word("has", "had"), word("routes", "routed"));
        let steps = self.steps;
        match self.mark {
            Mark::Absent => write!(f, "{has} not begun"),
            Mark::Ready(step) if step >= steps => write!(f, "{has} all pods of the new revision"),
            Mark::Routed(step) if step >= steps => write!(f, "{routes} all requests to the new revision"),
            Mark::Ready(step) => write!(f, "{has} the pods for step {} of {steps}", step.saturating_add(1)),
            Mark::Routed(step) => write!(f, "{routes} as step {} of {steps} says", step.saturating_add(1)),
            Mark::Done => write!(f, "{} done", word("is", "was")),
        }
    }
}
