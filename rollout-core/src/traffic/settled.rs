use crate::Time;
use alloc::{string::String, vec::Vec};
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// Whether every proxy has what was written.
///
/// Outside tests, only implementations of `DataPlane` (feature `backend`) create `Yes`, after comparing versions.
///
/// ```
/// use rollout_core::{Time, traffic::Settled};
/// let not_yet = Settled::NotYet { since: Time::from_secs(0), behind: vec!["web-0.shop".into()] };
/// assert_eq!(not_yet.clone().and(Settled::UNKNOWN), not_yet, "evidence weighs more than ignorance");
/// assert!(matches!(Settled::UNKNOWN, Settled::Unknown { age } if age.is_zero()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "three answers; a fourth would change what every gate means")]
pub enum Settled {
    /// Every proxy has it.
    Yes,
    /// There is evidence that a proxy still has the old state. Pods and selectors stay, without limit.
    NotYet {
        /// Since when the state has not been settled.
        since: Time,
        /// The proxies that are behind; empty if none can be named.
        behind: Vec<String>,
    },
    /// The backend cannot tell.
    Unknown {
        /// How long the written state has been unchanged, by the driver's monotonic clock.
        age: Duration,
    },
}

impl Settled {
    /// Unknown, as of now.
    ///
    /// [`Driver::see`](crate::Driver::see) fills in how long the state has been unchanged:
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::{Driver, Observed, traffic::{Seen, Settled}};
    /// let mut driver = Driver::new("controller-1");
    /// let ages = [0, 7].map(|secs| {
    ///     let mut observed = Observed::new().traffic(Seen::new());
    ///     driver.see(&mut observed, Duration::from_secs(secs));
    ///     observed.traffic.unwrap().routes_settled
    /// });
    /// assert_eq!(ages, [Settled::UNKNOWN, Settled::Unknown { age: Duration::from_secs(7) }]);
    /// ```
    pub const UNKNOWN: Self = Self::Unknown { age: Duration::ZERO };

    /// Returns the worse of two answers: `NotYet` before `Unknown` before `Yes`; of two `Unknown`s, the younger.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::traffic::Settled;
    /// let old = Settled::Unknown { age: Duration::from_secs(9) };
    /// assert_eq!(Settled::Yes.and(old.clone()), old);
    /// assert_eq!(old.and(Settled::UNKNOWN), Settled::UNKNOWN);
    /// ```
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, other) | (other, Self::Yes) => other,
            (Self::NotYet { since, mut behind }, Self::NotYet { since: too, behind: others }) => {
                behind.extend(others);
                behind.sort();
                behind.dedup();
                Self::NotYet { since: since.min(too), behind }
            }
            (not @ Self::NotYet { .. }, Self::Unknown { .. })
            | (Self::Unknown { .. }, not @ Self::NotYet { .. }) => not,
            (Self::Unknown { age }, Self::Unknown { age: other }) => Self::Unknown { age: age.min(other) },
        }
    }
}
