//! Points in time. The engine never reads a clock: its caller passes the time.

use core::{fmt, time::Duration};
use serde::{Deserialize, Serialize};

const SECOND: i64 = 1_000;
const DAY: i64 = 86_400;

/// A point in time: milliseconds since (or, if negative, before) 1970-01-01T00:00:00 UTC.
///
/// Arithmetic saturates at the ends of the range, so no hand-written time can make a decision panic. The serde form is
/// the number of milliseconds.
///
/// # Example
/// ```
/// use core::time::Duration;
/// use rollout_core::Time;
///
/// let start = Time::from_millis(1_500);
/// assert_eq!(start.ceil_to_second(), Time::from_secs(2));
/// assert_eq!(start + Duration::from_secs(10), Time::from_millis(11_500));
/// assert_eq!(Time::from_secs(0).to_string(), "1970-01-01T00:00:00Z");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Time(i64);

impl Time {
    /// Creates the time `millis` milliseconds after 1970 (before it if negative).
    ///
    /// ```
    /// use rollout_core::Time;
    /// assert_eq!(Time::from_millis(-1).to_string(), "1969-12-31T23:59:59.999Z");
    /// ```
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Creates the time `secs` seconds after 1970 (before it if negative).
    ///
    /// ```
    /// use rollout_core::Time;
    /// assert_eq!(Time::from_secs(1_769_860_800).to_string(), "2026-01-31T12:00:00Z", "UTC");
    /// ```
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(SECOND))
    }

    /// Creates the time that a clock shows, from the time since 1970 (`Ok`) or before it (`Err`). Fractions of a
    /// millisecond are rounded towards the past; a time more than 292 million years away becomes the end of the range.
    ///
    /// The engine has no standard library and reads no clock. Convert the system's time like this:
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::Time;
    /// use std::time::{SystemTime, UNIX_EPOCH};
    ///
    /// fn time(of: SystemTime) -> Time {
    ///     Time::from_unix(of.duration_since(UNIX_EPOCH).map_err(|before| before.duration()))
    /// }
    /// assert!(time(SystemTime::now()) > Time::from_secs(0));
    /// assert_eq!(time(UNIX_EPOCH + Duration::from_micros(2_900)), Time::from_millis(2));
    /// assert_eq!(time(UNIX_EPOCH - Duration::from_micros(2_900)), Time::from_millis(-3));
    /// assert_eq!(Time::from_unix(Ok(Duration::MAX)), Time::from_millis(i64::MAX));
    /// assert_eq!(Time::from_unix(Err(Duration::MAX)), Time::from_millis(i64::MIN));
    /// ```
    #[must_use]
    pub fn from_unix(since_1970: Result<Duration, Duration>) -> Self {
        Self(match since_1970 {
            Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
            Err(before) => {
                let millis = before.as_nanos().div_ceil(1_000_000);
                i64::try_from(millis).map_or(i64::MIN, |millis| -millis)
            }
        })
    }

    /// Returns the time since 1970 (`Ok`) or before it (`Err`): the inverse of [`from_unix`](Self::from_unix).
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::Time;
    /// use std::time::{SystemTime, UNIX_EPOCH};
    ///
    /// /// Returns `None` if the system's clock cannot represent it.
    /// fn system_time(of: Time) -> Option<SystemTime> {
    ///     match of.to_unix() {
    ///         Ok(after) => UNIX_EPOCH.checked_add(after),
    ///         Err(before) => UNIX_EPOCH.checked_sub(before),
    ///     }
    /// }
    /// assert_eq!(system_time(Time::from_secs(0)), Some(UNIX_EPOCH));
    /// assert_eq!(Time::from_millis(-3).to_unix(), Err(Duration::from_millis(3)));
    /// for edge in [Time::from_millis(i64::MIN), Time::from_millis(i64::MAX)] {
    ///     assert_eq!(Time::from_unix(edge.to_unix()), edge);
    /// }
    /// ```
    ///
    /// # Errors
    /// `Err` is not a failure: it holds the time before 1970.
    pub fn to_unix(self) -> Result<Duration, Duration> {
        let millis = Duration::from_millis(self.0.unsigned_abs());
        if self.0 >= 0 { Ok(millis) } else { Err(millis) }
    }

    /// Returns the milliseconds since 1970.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Returns the whole seconds since 1970, rounded towards the past.
    ///
    /// ```
    /// use rollout_core::Time;
    /// assert_eq!(Time::from_millis(1_999).as_secs(), 1);
    /// assert_eq!(Time::from_millis(-1).as_secs(), -1, "towards the past, not towards 0");
    /// ```
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(SECOND)
    }

    /// Rounds up to a whole second.
    ///
    /// Stored times are whole seconds. Starts and deadlines are rounded up, because rounding down would shorten a
    /// pause.
    ///
    /// ```
    /// use rollout_core::Time;
    /// assert_eq!(Time::from_millis(1_001).ceil_to_second(), Time::from_secs(2));
    /// assert_eq!(Time::from_secs(2).ceil_to_second(), Time::from_secs(2));
    /// ```
    #[must_use]
    pub const fn ceil_to_second(self) -> Self {
        match self.0.rem_euclid(SECOND) {
            0 => self,
            part => Self(self.0.saturating_add(SECOND - part)),
        }
    }

    /// Returns how long this time is after `earlier`; zero if it is not later.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::Time;
    /// assert_eq!(Time::from_secs(5).since(Time::from_secs(2)), Duration::from_secs(3));
    /// assert_eq!(Time::from_secs(2).since(Time::from_secs(5)), Duration::ZERO);
    /// ```
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Parses RFC 3339 with a `Z` or a numeric offset; fractions below a millisecond are dropped.
    ///
    /// ```
    /// use rollout_core::Time;
    /// assert_eq!(Time::parse_rfc3339("1970-01-01T01:00:00+01:00"), Some(Time::from_secs(0)));
    /// assert_eq!(Time::parse_rfc3339("yesterday"), None);
    /// ```
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let (date, rest) = text.split_once(['T', 't'])?;
        let mut date = date.split('-');
        let (year, month, day) =
            (digits(date.next()?, 4)?, digits(date.next()?, 2)?, digits(date.next()?, 2)?);
        if date.next().is_some()
            || !(1..=12).contains(&month)
            || !(1..=days_in_month(year, month)).contains(&day)
        {
            return None;
        }
        let zone_at = rest.find(['Z', 'z', '+', '-'])?;
        let (clock, zone) = rest.split_at_checked(zone_at)?;
        let (clock, fraction) =
            clock.split_once('.').map_or((clock, None), |(clock, part)| (clock, Some(part)));
        let mut clock = clock.split(':');
        let (hour, minute, second) =
            (digits(clock.next()?, 2)?, digits(clock.next()?, 2)?, digits(clock.next()?, 2)?);
        if clock.next().is_some() || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let millis = fraction.map_or(Some(0), millis_of_fraction)?;
        let secs = days_from_civil(year, month, day) * DAY + hour * 3600 + minute * 60 + second
            - offset_seconds(zone)?;
        Some(Self(secs * SECOND + millis))
    }
}

impl core::ops::Add<Duration> for Time {
    type Output = Self;

    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// Formats as RFC 3339 in UTC, with milliseconds only if they are not 0.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (secs, millis) = (self.0.div_euclid(SECOND), self.0.rem_euclid(SECOND));
        let (days, of_day) = (secs.div_euclid(DAY), secs.rem_euclid(DAY));
        let (year, month, day) = civil_from_days(days);
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if millis != 0 {
            write!(f, ".{millis:03}")?;
        }
        f.write_str("Z")
    }
}

fn digits(text: &str, len: usize) -> Option<i64> {
    (text.len() == len && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

fn millis_of_fraction(part: &str) -> Option<i64> {
    if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(part.bytes().chain([b'0'; 3]).take(3).fold(0, |sum, b| sum * 10 + i64::from(b - b'0')))
}

fn offset_seconds(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Returns the days since 1970-01-01 in the proleptic Gregorian calendar, counted in eras of 400 years from March.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + era * 400 + i64::from(month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn text_and_back_over_four_centuries() {
        for day in (-200_000..200_000).step_by(97) {
            let time = Time::from_secs(day * DAY + day.rem_euclid(DAY));
            let text = time.to_string();
            if !text.starts_with('-') && text.len() == 20 {
                assert_eq!(Time::parse_rfc3339(&text), Some(time), "{text}");
            }
        }
    }

    #[test]
    fn known_dates() {
        assert_eq!(Time::from_millis(1_795_593_600_123).to_string(), "2026-11-25T08:00:00.123Z");
        assert_eq!(Time::parse_rfc3339("2000-02-29T00:00:00Z").map(Time::as_secs), Some(951_782_400));
        for bad in
            ["", "2026-02-29T00:00:00Z", "2026-01-01", "2026-01-01T25:00:00Z", "2026-01-01T00:00:00", "é"]
        {
            assert_eq!(Time::parse_rfc3339(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_ends_of_the_range_do_not_panic() {
        for edge in [i64::MIN, i64::MAX] {
            let time = Time::from_millis(edge);
            let _ = (time.to_string(), time.ceil_to_second(), time + Duration::MAX, Time::from_secs(edge));
            let _ = (time.since(Time::from_millis(i64::MIN)), time.as_secs());
        }
    }
}
