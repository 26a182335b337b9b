use crate::{Spec, Status};
use core::fmt;

/// The health of a rollout, in one word.
///
/// ```
/// use rollout_core::{Health, Spec, Status, Strategy, Time};
/// let spec = Spec::new(Strategy::builder().build()?, "v2".into());
/// let mut status = Status::default();
/// (status.stable, status.canary) = (Some("v1".into()), Some("v2".into()));
/// assert_eq!(Health::of(&spec, &status), Health::Progressing);
/// status.paused_at = Some(Time::from_secs(0));
/// assert_eq!(Health::of(&spec, &status).to_string(), "paused");
/// # Ok::<(), rollout_core::InvalidStrategy>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Health {
    /// The target revision carries all traffic; or it is stable and the user asks for no pods.
    Healthy,
    /// An update is in progress.
    Progressing,
    /// The rollout is paused until an operator acts or a time passes.
    Paused,
    /// The update was aborted.
    Aborted,
    /// The pods make no progress.
    Degraded,
}

impl Health {
    /// Returns the health of a rollout with this spec and status.
    ///
    /// ```
    /// use rollout_core::{Health, Spec, Status, Strategy};
    /// let spec = Spec::new(Strategy::builder().build()?, "v2".into());
    /// let mut status = Status::default();
    /// (status.stable, status.canary) = (Some("v1".into()), Some("v1".into()));
    /// assert_eq!(Health::of(&spec, &status), Health::Progressing, "the update to v2 has yet to start");
    /// status.canary = Some("v2".into());
    /// status.stable = status.canary.clone();
    /// assert_eq!(Health::of(&spec, &status), Health::Healthy);
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    #[must_use]
    pub fn of(spec: &Spec, status: &Status) -> Self {
        if status.aborted.is_some() {
            Self::Aborted
        } else if status.progress.as_ref().is_some_and(|progress| progress.exceeded) {
            Self::Degraded
        } else if spec.paused || status.paused_at.is_some() {
            Self::Paused
        } else if status.is_done()
            && status.stable.as_ref() == Some(&spec.target)
            && (!status.scaled_to_zero || spec.replicas == 0)
        {
            Self::Healthy
        } else {
            Self::Progressing
        }
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Healthy => "healthy",
            Self::Progressing => "progressing",
            Self::Paused => "paused",
            Self::Aborted => "aborted",
            Self::Degraded => "degraded",
        })
    }
}
