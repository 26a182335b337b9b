use alloc::string::String;

/// How something that a driver was asked to do succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the two ways of success")]
pub enum Outcome {
    /// Something was written.
    Changed,
    /// Nothing had to be written: it was so already. No event says that it happened.
    Unchanged,
}

impl Outcome {
    /// What two things come to together: `Changed` if either changed something.
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

/// How something that a driver was asked to do failed.
///
/// ```
/// use rollout_core::Failure;
/// assert_eq!(Failure::Refused("quota exceeded".into()).to_string(), "quota exceeded");
/// assert!(Failure::Conflict.to_string().starts_with("somebody else wrote first"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(clippy::exhaustive_enums, reason = "the three ways of failure, each with its own consequence")]
pub enum Failure {
    /// Somebody else wrote first. That is to be expected: observe again.
    #[error("somebody else wrote first; it is read and decided again")]
    Conflict,
    /// It was refused, and nothing changed. Why, for a person.
    #[error("{0}")]
    Refused(String),
    /// It may have taken effect, or may still do so. What went wrong, for a person.
    #[error("{0}")]
    Ambiguous(String),
}
