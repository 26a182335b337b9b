use super::{Attempt, Decision, Mark};
use crate::{Revision, Time};
use serde::{Deserialize, Serialize};

/// What a cluster stores about its own part in a release of several clusters.
///
/// It is part of the [`Status`](crate::Status), so nothing that the others may rely on is told before it is stored. Marks
/// are stored, although the observation shows most of them: a pod that fails later does not undo what others have
/// already relied on.
///
/// ```
/// use rollout_core::fleet::{Mark, Member};
/// let member = Member::default();
/// assert_eq!((member.reached, member.may_route), (Mark::Absent, None));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Member {
    /// The attempt of the release: it never falls.
    #[serde(default, skip_serializing_if = "is_default")]
    pub attempt: Attempt,
    /// Whether the clusters of the earlier waves have let this one begin.
    #[serde(default, skip_serializing_if = "is_default")]
    pub begun: bool,
    /// The furthest mark reached in this attempt.
    #[serde(default, skip_serializing_if = "is_default")]
    pub reached: Mark,
    /// When that was. Whole seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// The last step that the routes were allowed to follow in this attempt: they stay as this step says until the other
    /// clusters allow the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub may_route: Option<u32>,
    /// The last step that a person has ended: of a pause, in any cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed: Option<u32>,
    /// The step that is over here, so that only the other clusters are waited for: its pause has ended, or a person has
    /// skipped it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<u32>,
    /// The revision to which the routes may lead requests besides stable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leads_to: Option<Revision>,
    /// When all earlier waves were first seen done. Whole seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soaks_since: Option<Time>,
}

impl Member {
    /// Begins another attempt.
    ///
    /// ```
    /// use rollout_core::fleet::{Mark, Member};
    /// let mut member = Member::default();
    /// (member.reached, member.passed) = (Mark::Routed(2), Some(1));
    /// let next = member.attempt.next_retry();
    /// member.begin(next);
    /// assert_eq!((member.attempt, member.reached, member.passed), (next, Mark::Absent, None));
    /// ```
    pub fn begin(&mut self, attempt: Attempt) {
        *self = Self { attempt, leads_to: self.leads_to.take(), ..Self::default() };
    }

    /// Records that a mark was reached at `now`; a mark that is not further changes nothing.
    pub(crate) fn reach(&mut self, mark: Mark, now: Time) {
        if mark > self.reached {
            (self.reached, self.since) = (mark, Some(now.ceil_to_second()));
        }
    }

    /// Returns whether a person has ended this pause, in any cluster.
    pub(crate) fn is_passed(&self, step: u32) -> bool {
        self.passed.is_some_and(|passed| passed >= step)
    }

    /// Returns what a cluster stores whose Rollout becomes part of a fleet: an update that is under way goes on from where
    /// it is.
    pub(crate) fn joining(step: u32, is_routed: bool) -> Self {
        let reached = step.checked_sub(1).map_or(Mark::Absent, Mark::Routed);
        let begun = is_routed || step > 0;
        Self { begun, reached, may_route: begun.then_some(step), ..Self::default() }
    }

    pub(super) fn decision(&self, abort: bool) -> Decision {
        Decision { attempt: self.attempt, abort, passed: self.passed }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
