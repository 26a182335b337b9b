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
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the three ways of failure, each with its own consequence")]
pub enum Failure {
    /// Somebody else wrote first. That is to be expected: observe again.
    Conflict,
    /// It was refused, and nothing changed.
    Refused(String),
    /// It may have taken effect, or may still do so.
    Ambiguous(String),
}
