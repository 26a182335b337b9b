use alloc::string::String;

/// The outcome of an operation that succeeded.
///
/// ```
/// use rollout_core::{Driver, Next, Observed, Outcome, Resume, Spec, Status, Strategy, Time};
/// # let spec = Spec::new(Strategy::builder().build()?, "v1".into()).replicas(0);
/// # let (mut driver, mut status) = (Driver::new("controller-1"), Status::default());
/// # (status.stable, status.canary) = (Some("v1".into()), Some("v1".into()));
/// # let observed = Observed::new();
/// let mut turn = driver.begin(&spec, &status, &observed, Time::from_secs(0));
/// while turn.next() != Next::Done {
///     turn.done(Ok(Outcome::Unchanged)); // Counts that were right already, for example.
/// }
/// assert!(!matches!(driver.end(turn, Default::default()), Resume::Now { .. }), "nothing to observe again");
/// # Ok::<(), rollout_core::InvalidStrategy>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "an operation succeeds in exactly two ways")]
pub enum Outcome {
    /// The operation wrote something.
    Changed,
    /// The object was already as wanted: nothing was written, and no event reports a change.
    Unchanged,
}

impl Outcome {
    /// Combines two outcomes: `Changed` if either operation wrote something.
    ///
    /// ```
    /// use rollout_core::Outcome;
    /// assert_eq!(Outcome::Unchanged.or(Outcome::Changed), Outcome::Changed);
    /// assert_eq!(Outcome::Unchanged.or(Outcome::Unchanged), Outcome::Unchanged);
    /// ```
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if self == Self::Changed { self } else { other }
    }
}

/// The outcome of an operation that failed.
///
/// ```
/// use rollout_core::Failure;
/// assert_eq!(Failure::Refused("quota exceeded".into()).to_string(), "quota exceeded");
/// assert!(Failure::Conflict.to_string().starts_with("another client wrote first"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(clippy::exhaustive_enums, reason = "exactly three kinds of failure, each with its own consequence")]
pub enum Failure {
    /// Another client wrote first. This is expected: observe again.
    #[error("another client wrote first; the rollout is read and decided again")]
    Conflict,
    /// The operation was refused and nothing changed. The text says why, for people.
    #[error("{0}")]
    Refused(String),
    /// The operation may have taken effect, or may still do so. The text says what went wrong, for people.
    #[error("{0}")]
    Ambiguous(String),
}
