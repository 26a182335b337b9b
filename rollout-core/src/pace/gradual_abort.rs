use crate::{Time, traffic::Weight};
use alloc::{format, string::String};
use core::{fmt, str::FromStr, time::Duration};
use serde::{Deserialize, Serialize};

/// A time between two falls above this is a mistake.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// How an abort takes the traffic from the canary: in several falls instead of one, so that the pods of stable are not
/// hit at once by requests that their caches and connections do not know.
///
/// The first fall comes at once. The canary loses its traffic at once all the same if it has no ready pod, if a newer
/// revision or an undo takes its place, or on the command `proceed`. Managed routes (of `setHeaderRoute` and
/// `setMirrorRoute`) always go at once. The times count from the abort, so a fall that was held up does not delay
/// the others.
///
/// ```
/// use rollout_core::pace::GradualAbort;
/// let gradual: GradualAbort = "20% every 30s".parse()?;
/// assert_eq!((gradual.percent, gradual.every.as_secs()), (20, 30));
/// # Ok::<(), rollout_core::pace::InvalidGradualAbort>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct GradualAbort {
    /// The share of all traffic that goes back with each fall, in percent: 1 to 100.
    pub percent: u32,
    /// The time from one fall to the next.
    pub every: Duration,
}

/// Why a text does not describe a gradual abort, and what to write instead.
///
/// ```
/// use rollout_core::pace::GradualAbort;
/// let error = "slowly".parse::<GradualAbort>().unwrap_err();
/// assert!(error.to_string().starts_with("\"slowly\" is no gradual abort; write "));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}; {}", Self::INSTEAD)]
pub struct InvalidGradualAbort {
    what: String,
}

impl InvalidGradualAbort {
    /// What to write instead.
    pub const INSTEAD: &'static str = "write a share of all traffic and a time, such as \"20% every 30s\"";

    /// Returns what is wrong.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }
}

impl GradualAbort {
    /// Creates a gradual abort. A share outside 1 to 100 becomes the nearest, and a time below a second one second.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::pace::GradualAbort;
    /// assert_eq!(GradualAbort::new(20, Duration::from_secs(30)), "20% every 30s".parse().unwrap());
    /// assert_eq!(GradualAbort::new(0, Duration::ZERO), "1% every 1s".parse().unwrap());
    /// ```
    #[must_use]
    pub fn new(percent: u32, every: Duration) -> Self {
        Self { percent: percent.clamp(1, 100), every: every.max(Duration::from_secs(1)) }
    }

    /// Returns the weight that an aborted canary still keeps at `now`, if it had `before` when it was aborted.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::{Time, pace::GradualAbort, traffic::Weight};
    /// let gradual = GradualAbort::new(20, Duration::from_secs(30));
    /// let at = |secs| gradual.keeps(Weight::new(50, 100), Time::from_secs(0), Time::from_secs(secs)).parts();
    /// assert_eq!([0, 29, 30, 60].map(at), [30, 30, 10, 0]);
    /// ```
    #[must_use]
    pub fn keeps(&self, before: Weight, aborted: Time, now: Time) -> Weight {
        let falls = now.since(aborted).as_millis() / self.every.as_millis().max(1) + 1;
        let fallen = falls.saturating_mul(self.share(before)).div_ceil(100);
        let fallen = u32::try_from(fallen).unwrap_or(u32::MAX);
        Weight::new(before.parts().saturating_sub(fallen), before.of())
    }

    /// Returns the time from which the canary [keeps](Self::keeps) less than `parts`.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::{Time, pace::GradualAbort, traffic::Weight};
    /// let gradual = GradualAbort::new(20, Duration::from_secs(30));
    /// let below = |parts| gradual.keeps_less_than(parts, Weight::new(50, 100), Time::from_secs(0)).as_secs();
    /// assert_eq!([50, 31, 30, 10].map(below), [0, 0, 30, 60]);
    /// ```
    #[must_use]
    pub fn keeps_less_than(&self, parts: u32, before: Weight, aborted: Time) -> Time {
        let less = u128::from(before.parts().saturating_sub(parts));
        let falls_before = less * 100 / self.share(before).max(1);
        let millis = self.every.as_millis().saturating_mul(falls_before);
        aborted + Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
    }

    /// The share of one fall, in hundredths of a part.
    fn share(&self, before: Weight) -> u128 {
        u128::from(self.percent) * u128::from(before.of())
    }
}

/// Reads a share in percent and a time in seconds, minutes or hours: `20% every 30s`.
impl FromStr for GradualAbort {
    type Err = InvalidGradualAbort;

    fn from_str(text: &str) -> Result<Self, InvalidGradualAbort> {
        let invalid = |what: &str| {
            let text: String = text.chars().take(40).collect();
            Err(InvalidGradualAbort { what: format!("{text:?} {what}") })
        };
        let parts = text.split_once(" every ").and_then(|(share, time)| {
            let percent = share.trim().strip_suffix('%')?.parse::<u32>().ok()?;
            let time = time.trim();
            let unit = match time.chars().next_back()? {
                's' => 1,
                'm' => 60,
                'h' => 60 * 60,
                _ => return None,
            };
            let number = time.get(..time.len() - 1)?.parse::<u64>().ok()?;
            Some((percent, Duration::from_secs(number.checked_mul(unit)?)))
        });
        match parts {
            None => invalid("is no gradual abort"),
            Some((0 | 101.., _)) => invalid("has a share that is not between 1% and 100%"),
            Some((_, every)) if every.is_zero() => invalid("has no time between two falls"),
            Some((_, every)) if every > LONGEST => invalid("has more than 24 h between two falls"),
            Some((percent, every)) => Ok(Self { percent, every }),
        }
    }
}

impl fmt::Display for GradualAbort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("{}% every {}s", self.percent, self.every.as_secs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_text_names_a_share_and_a_time() {
        let read = |text: &str| {
            text.parse::<GradualAbort>().map_or_else(|error| error.to_string(), |read| read.to_string())
        };
        for (text, means) in [
            ("20% every 30s", "20% every 30s"),
            ("5%  every 2m ", "5% every 120s"),
            ("100% every 24h", "100% every 86400s"),
        ] {
            assert_eq!(read(text), means);
        }
        for (text, what) in [
            ("", "is no gradual abort"),
            ("20 every 30s", "is no gradual abort"),
            ("20% every 30", "is no gradual abort"),
            ("20% every é", "is no gradual abort"),
            ("20% every 18446744073709551615h", "is no gradual abort"),
            ("0% every 30s", "has a share that is not between 1% and 100%"),
            ("101% every 30s", "has a share that is not between 1% and 100%"),
            ("20% every 0s", "has no time between two falls"),
            ("20% every 25h", "has more than 24 h between two falls"),
        ] {
            assert_eq!(read(text), format!("{text:?} {what}; {}", InvalidGradualAbort::INSTEAD));
        }
    }

    #[test]
    fn a_share_that_is_no_whole_part_is_rounded_up() {
        let gradual = GradualAbort::new(33, Duration::from_secs(10));
        let at = |millis| gradual.keeps(Weight::new(5, 7), Time::from_secs(100), Time::from_millis(millis));
        assert_eq!([at(0), at(100_000), at(109_999), at(110_000)].map(Weight::parts), [2, 2, 2, 0]);
        let below = |parts| gradual.keeps_less_than(parts, Weight::new(5, 7), Time::from_secs(100));
        assert_eq!([5, 3, 2, 1].map(below).map(Time::as_secs), [100, 100, 110, 110]);
    }
}
