use core::fmt;
use serde::{Deserialize, Serialize};

/// How far a run, a metric or a measurement is.
///
/// ```
/// use rollout_core::analysis::Phase;
/// assert!(Phase::Inconclusive.is_done());
/// assert_eq!(Phase::read("Failed"), Some(Phase::Failed));
/// assert_eq!(Phase::Error.to_string(), "Error");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "an AnalysisRun has exactly these phases")]
pub enum Phase {
    /// Nothing was measured yet.
    #[default]
    Pending,
    /// More will be measured.
    Running,
    /// The release may go on.
    Successful,
    /// The release is bad.
    Failed,
    /// It could not be measured.
    Error,
    /// The answers say neither; a person decides.
    Inconclusive,
}

impl Phase {
    const ALL: [Self; 6] =
        [Self::Pending, Self::Running, Self::Successful, Self::Failed, Self::Error, Self::Inconclusive];

    /// Returns whether nothing will change any more.
    ///
    /// See [`Phase`] for an example.
    #[must_use]
    pub fn is_done(self) -> bool {
        !matches!(self, Self::Pending | Self::Running)
    }

    /// Returns the phase with this name.
    ///
    /// See [`Phase`] for an example.
    #[must_use]
    pub fn read(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.as_str() == name)
    }

    /// Returns the name, as an `AnalysisRun` has it.
    ///
    /// ```
    /// assert_eq!(rollout_core::analysis::Phase::Running.as_str(), "Running");
    /// ```
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Successful => "Successful",
            Self::Failed => "Failed",
            Self::Error => "Error",
            Self::Inconclusive => "Inconclusive",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
