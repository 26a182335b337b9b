use serde::{Deserialize, Serialize};

/// A attempt of a release: what is true in one says nothing about another. The later one is greater.
///
/// ```
/// use rollout_core::fleet::Attempt;
/// let first = Attempt::default().next_release();
/// assert!(first < first.next_retry() && first.next_retry() < first.next_release());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Attempt {
    /// Rises with each new release, also of a revision that was released before.
    #[serde(default)]
    pub release: u32,
    /// Rises with each retry of the release.
    #[serde(default)]
    pub retry: u32,
}

impl Attempt {
    /// Returns the first attempt of the next release.
    ///
    /// See [`Attempt`] for an example.
    #[must_use]
    pub const fn next_release(self) -> Self {
        Self { release: self.release.saturating_add(1), retry: 0 }
    }

    /// Returns the attempt of a retry.
    ///
    /// See [`Attempt`] for an example.
    #[must_use]
    pub const fn next_retry(self) -> Self {
        Self { release: self.release, retry: self.retry.saturating_add(1) }
    }
}

/// What people have decided about a release, in any cluster.
///
/// [`join`](Self::join) merges two decisions. Its order does not matter and it may be repeated, so every cluster comes to
/// the same decision, whichever way it heard of it.
///
/// ```
/// use rollout_core::fleet::Decision;
/// let mut aborted = Decision::default();
/// aborted.abort = true;
/// let mut passed = Decision::default();
/// passed.passed = Some(3);
/// let both = aborted.join(passed);
/// assert!(both.abort && both.passed == Some(3), "an abort wins");
/// let mut retried = Decision::default();
/// retried.attempt = retried.attempt.next_retry();
/// assert_eq!(both.join(retried), retried, "a retry begins a new attempt");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Decision {
    /// The attempt of the release. Each new release and each retry begins a later one.
    #[serde(default)]
    pub attempt: Attempt,
    /// Whether the attempt was aborted.
    #[serde(default)]
    pub abort: bool,
    /// The last pause that a person has ended, as the index of its step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed: Option<u32>,
}

impl Decision {
    /// Merges two decisions about one release.
    ///
    /// See [`Decision`] for an example.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        match self.attempt.cmp(&other.attempt) {
            core::cmp::Ordering::Less => other,
            core::cmp::Ordering::Greater => self,
            core::cmp::Ordering::Equal => Self {
                attempt: self.attempt,
                abort: self.abort || other.abort,
                passed: self.passed.max(other.passed),
            },
        }
    }
}
