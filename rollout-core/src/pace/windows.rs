use crate::Time;
use alloc::{format, string::String, vec::Vec};
use core::{ops::Range, str::FromStr, time::Duration};
use serde::{Deserialize, Serialize};

const MINUTES_A_DAY: u32 = 24 * 60;
const MINUTES_A_WEEK: u32 = 7 * MINUTES_A_DAY;
const MILLIS_A_MINUTE: i64 = 60_000;
/// 1970-01-01 was a Thursday; a week begins on Monday.
const MONDAY_TO_THURSDAY: i64 = 3 * 24 * 60 * MILLIS_A_MINUTE;
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/// Enough for several windows on each day.
const MOST: usize = 50;

/// The times of the week at which steps may begin.
///
/// Outside these windows no release begins, no step other than a pause begins, and no pause ends. A step that has begun
/// goes on, and so does a first deploy. An abort, an undo and a full promotion never wait for a window, and an operator
/// can begin the next step early: with `promote` in a pause, or with `skip`.
///
/// A controller with another rule, such as a change freeze in a calendar, sets [`Windows::never`] while the rule
/// forbids steps, and decides again when that changes.
///
/// ```
/// use rollout_core::{Time, pace::{Opening, Windows}};
/// let windows: Windows = "Mon-Fri 09:00-17:00".parse()?;
/// let saturday = Time::parse_rfc3339("2026-01-31T12:00:00Z").unwrap();
/// let monday = Time::parse_rfc3339("2026-02-02T09:00:00Z").unwrap();
/// assert_eq!(windows.opening(saturday), Opening::At(monday));
/// assert_eq!(windows.opening(monday), Opening::Now);
/// # Ok::<(), rollout_core::pace::InvalidWindows>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Windows {
    /// When no step may begin, in minutes after Monday 00:00 UTC; sorted, and not touching each other.
    closed: Vec<Range<u32>>,
}

/// Whether steps may begin, or when.
///
/// See [`Windows`] for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "all there is")]
pub enum Opening {
    /// Steps may begin now.
    Now,
    /// Steps may begin from this time on.
    At(Time),
    /// No time of the week is open.
    Never,
}

/// Why a text does not name windows, and what to write instead.
///
/// ```
/// use rollout_core::pace::Windows;
/// let error = "Mon-Fri 9-17".parse::<Windows>().unwrap_err();
/// assert!(error.to_string().starts_with("\"9-17\" is no span of time; write windows such as "));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}; {}", Self::INSTEAD)]
pub struct InvalidWindows {
    what: String,
}

impl InvalidWindows {
    /// What to write instead.
    pub const INSTEAD: &'static str =
        "write windows such as \"Mon-Fri 09:00-17:00; Sat 10:00-12:00 +01:00\" (UTC without an offset)";

    /// Returns what is wrong.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }
}

impl Default for Windows {
    fn default() -> Self {
        Self::always()
    }
}

impl Windows {
    /// Steps may begin at any time. This is the default.
    ///
    /// ```
    /// use rollout_core::{Time, pace::{Opening, Windows}};
    /// assert_eq!(Windows::always().opening(Time::from_secs(0)), Opening::Now);
    /// ```
    #[must_use]
    pub fn always() -> Self {
        Self { closed: Vec::new() }
    }

    /// Returns whether steps may begin at any time.
    pub(crate) fn is_always(&self) -> bool {
        self.closed.is_empty()
    }

    /// No step may begin.
    ///
    /// ```
    /// use rollout_core::{Time, pace::{Opening, Windows}};
    /// assert_eq!(Windows::never().opening(Time::from_secs(0)), Opening::Never);
    /// ```
    #[must_use]
    pub fn never() -> Self {
        Self { closed: core::iter::once(0..MINUTES_A_WEEK).collect() }
    }

    /// Returns whether steps may begin at `now`, or when they next may.
    ///
    /// ```
    /// use rollout_core::{Time, pace::{Opening, Windows}};
    /// let nightly: Windows = "22:00-04:00".parse()?;
    /// assert_eq!(nightly.opening(Time::from_secs(3 * 3600)), Opening::Now, "it ends on the next day");
    /// assert_eq!(nightly.opening(Time::from_secs(4 * 3600)), Opening::At(Time::from_secs(22 * 3600)));
    /// # Ok::<(), rollout_core::pace::InvalidWindows>(())
    /// ```
    #[must_use]
    pub fn opening(&self, now: Time) -> Opening {
        let week = i64::from(MINUTES_A_WEEK) * MILLIS_A_MINUTE;
        let since_monday = now.as_millis().saturating_add(MONDAY_TO_THURSDAY).rem_euclid(week);
        let millis = |minute: u32| i64::from(minute) * MILLIS_A_MINUTE;
        let holds = |span: &&Range<u32>| (millis(span.start)..millis(span.end)).contains(&since_monday);
        let Some(span) = self.closed.iter().find(holds) else { return Opening::Now };
        let begins = match self.closed.first() {
            _ if span.end < MINUTES_A_WEEK => millis(span.end),
            // The week goes on on Monday.
            Some(first) if first.start == 0 && first.end == MINUTES_A_WEEK => return Opening::Never,
            Some(first) if first.start == 0 => millis(first.end) + week,
            _ => week,
        };
        Opening::At(now + Duration::from_millis(u64::try_from(begins - since_monday).unwrap_or(0)))
    }

    /// Sorts spans of minutes, which may begin before Monday or end after Sunday, and joins those that touch.
    fn of(spans: impl IntoIterator<Item = Range<i64>>) -> Self {
        let week = i64::from(MINUTES_A_WEEK);
        let mut open = Vec::new();
        for span in spans {
            let (start, length) = (span.start.rem_euclid(week), span.end - span.start);
            let end = (start + length).min(week);
            open.push(start..end);
            if start + length > week {
                open.push(0..start + length - week);
            }
        }
        open.sort_by_key(|span| span.start);
        let mut joined: Vec<Range<u32>> = Vec::new();
        for span in open {
            let (start, end) = (minute(span.start), minute(span.end));
            match joined.last_mut() {
                Some(last) if start <= last.end => last.end = last.end.max(end),
                _ => joined.push(start..end),
            }
        }
        Self { closed: others(&joined) }
    }

    fn open(&self) -> Vec<Range<u32>> {
        others(&self.closed)
    }
}

/// Returns the rest of the week.
fn others(spans: &[Range<u32>]) -> Vec<Range<u32>> {
    let starts = core::iter::once(0).chain(spans.iter().map(|span| span.end));
    let ends = spans.iter().map(|span| span.start).chain(core::iter::once(MINUTES_A_WEEK));
    starts.zip(ends).filter(|(start, end)| start < end).map(|(start, end)| start..end).collect()
}

fn minute(of_the_week: i64) -> u32 {
    u32::try_from(of_the_week).unwrap_or(0).min(MINUTES_A_WEEK)
}

/// Reads windows separated by `;`, each of which is days (`Mon`, `Mon-Fri`, `Mon,Wed`; every day if there are none) and
/// a span of time (`09:00-17:00`; one whose end is not after its begin ends on the next day). An offset from UTC
/// (`+01:00`) at the very end is that of all windows.
impl FromStr for Windows {
    type Err = InvalidWindows;

    fn from_str(text: &str) -> Result<Self, InvalidWindows> {
        let (windows, offset) = match text.trim_end().rsplit_once(char::is_whitespace) {
            Some((windows, zone)) if zone == "UTC" || zone.contains('/') || zone.starts_with(['+', '-']) => {
                (windows, offset(zone)?)
            }
            _ => (text, 0),
        };
        let mut spans = Vec::new();
        for (number, window) in windows.split(';').enumerate() {
            if number >= MOST {
                return Err(InvalidWindows { what: format!("there are more than {MOST} windows") });
            }
            let window = window.trim();
            let (days, times) = match window.rsplit_once(char::is_whitespace) {
                Some((days, times)) => (self::days(days.trim())?, times),
                None => ([true; 7], window),
            };
            let (from, until) = self::times(times)?;
            let of_days = (0_i64..).zip(days).filter(|(_, is_open)| *is_open);
            spans.extend(of_days.map(|(day, _)| {
                let midnight = day * i64::from(MINUTES_A_DAY) - offset;
                midnight + from..midnight + until
            }));
        }
        Ok(Self::of(spans))
    }
}

fn invalid(text: &str, what: &str) -> InvalidWindows {
    let text = text.chars().take(40).collect::<String>();
    InvalidWindows { what: format!("{text:?} {what}") }
}

/// Which days, from Monday.
fn days(text: &str) -> Result<[bool; 7], InvalidWindows> {
    let number = |day: &str| {
        let found = DAYS.iter().position(|known| known.eq_ignore_ascii_case(day.trim()));
        found.ok_or_else(|| invalid(day, &format!("is no day of the week ({})", DAYS.join(", "))))
    };
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (number(first)?, number(last)?);
        for (day, is_open) in days.iter_mut().enumerate() {
            // From Friday to Monday is the weekend and its neighbours.
            *is_open |=
                if first <= last { (first..=last).contains(&day) } else { day >= first || day <= last };
        }
    }
    Ok(days)
}

/// A span of time, in minutes; the end may be on the next day.
fn times(text: &str) -> Result<(i64, i64), InvalidWindows> {
    let span = text.split_once('-').and_then(|(from, until)| Some((clock(from)?, clock(until)?)));
    let Some((from, until)) = span.filter(|(from, _)| *from < MINUTES_A_DAY.into()) else {
        return Err(invalid(text, "is no span of time"));
    };
    if from == until {
        return Err(invalid(text, "is empty (a whole day is 00:00-24:00)"));
    }
    Ok((from, if until < from { until + i64::from(MINUTES_A_DAY) } else { until }))
}

fn offset(text: &str) -> Result<i64, InvalidWindows> {
    let minutes = match text.split_at_checked(1).unwrap_or_default() {
        (_, "TC") => Some(0),
        ("-", time) => clock(time).map(|minutes| -minutes),
        ("+", time) => clock(time),
        _ => None,
    };
    minutes.filter(|minutes| minutes.abs() <= 14 * 60).ok_or_else(|| invalid(text, "is no offset from UTC"))
}

/// Minutes after midnight, for `00:00` to `24:00`.
fn clock(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str| {
        let is_plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_plain.then(|| text.parse::<i64>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (minutes < 60 && hours * 60 + minutes <= MINUTES_A_DAY.into()).then_some(hours * 60 + minutes)
}

impl core::fmt::Display for Windows {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let open = self.open();
        if open.is_empty() {
            return f.write_str("never");
        }
        if *self == Self::always() {
            return f.write_str("always");
        }
        let at = |minute: u32| {
            let day = DAYS.get((minute / MINUTES_A_DAY) as usize % DAYS.len()).copied().unwrap_or_default();
            format!("{day} {:02}:{:02}", minute % MINUTES_A_DAY / 60, minute % 60)
        };
        for (number, span) in open.iter().enumerate() {
            let and = if number == 0 { "" } else { ", " };
            write!(f, "{and}{} to {}", at(span.start), at(span.end))?;
        }
        f.write_str(" UTC")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn read(text: &str) -> String {
        text.parse::<Windows>().map_or_else(|error| error.to_string(), |windows| windows.to_string())
    }

    #[test]
    fn a_text_names_spans_of_the_week() {
        let workdays = "Mon 09:00 to Mon 17:00, Tue 09:00 to Tue 17:00 UTC";
        for (text, means) in [
            ("Mon-Tue 09:00-17:00", workdays),
            ("mon,TUE 09:00-17:00 UTC", workdays),
            ("Mon-Tue 10:00-18:00 +01:00", workdays),
            ("Mon 09:00-12:00; Mon 11:00-17:00;Tue  09:00-17:00 ", workdays),
            ("00:00-24:00", "always"),
            ("Mon-Fri 00:00-24:00; Sat-Sun 00:00-24:00", "always"),
            ("Sun 22:00-04:00", "Mon 00:00 to Mon 04:00, Sun 22:00 to Mon 00:00 UTC"),
            ("Mon 00:00-02:00 +03:00", "Sun 21:00 to Sun 23:00 UTC"),
            (
                "Fri-Mon 09:00-10:00; Sun 10:00-11:00",
                "Mon 09:00 to Mon 10:00, Fri 09:00 to Fri 10:00, \
              Sat 09:00 to Sat 10:00, Sun 09:00 to Sun 11:00 UTC",
            ),
        ] {
            assert_eq!(read(text), means, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_an_error_that_shows_the_form() {
        let long = "x".repeat(5_000);
        let many = "09:00-10:00;".repeat(MOST + 1);
        for (text, what) in [
            ("", "\"\" is no span of time"),
            ("Mon", "\"Mon\" is no span of time"),
            ("Mon 9:00-17:00", "\"9:00-17:00\" is no span of time"),
            ("Mon 09:00-24:01", "\"09:00-24:01\" is no span of time"),
            ("24:00-25:00", "\"24:00-25:00\" is no span of time"),
            ("Mon 09:00-09:00", "\"09:00-09:00\" is empty (a whole day is 00:00-24:00)"),
            ("Moonday 09:00-10:00", "\"Moonday\" is no day of the week (Mon, Tue, Wed, Thu, Fri, Sat, Sun)"),
            ("Mon 09:00-10:00 +25:00", "\"+25:00\" is no offset from UTC"),
            ("Mon 09:00-10:00 Europe/Berlin", "\"Europe/Berlin\" is no offset from UTC"),
            (&long, &format!("{:?} is no span of time", "x".repeat(40))),
            (&many, "there are more than 50 windows"),
        ] {
            assert_eq!(read(text), format!("{what}; {}", InvalidWindows::INSTEAD), "{text}");
        }
    }

    #[test]
    fn the_next_opening_may_be_in_the_next_week() {
        let windows: Windows = "Mon 09:00-17:00".parse().unwrap();
        let at = |text: &str| Time::parse_rfc3339(text).unwrap();
        for (now, opening) in [
            ("2026-02-02T08:59:59.999Z", Opening::At(at("2026-02-02T09:00:00Z"))),
            ("2026-02-02T09:00:00Z", Opening::Now),
            ("2026-02-02T16:59:59.999Z", Opening::Now),
            ("2026-02-02T17:00:00Z", Opening::At(at("2026-02-09T09:00:00Z"))),
            ("1969-12-29T09:00:00Z", Opening::Now),
        ] {
            assert_eq!(windows.opening(at(now)), opening, "{now}");
        }
        assert_ne!(windows.opening(Time::from_millis(i64::MAX)), Opening::Never);
        assert_ne!(windows.opening(Time::from_millis(i64::MIN)), Opening::Never);
        assert_eq!(Windows::always().to_string(), "always");
        assert_eq!(Windows::never().to_string(), "never");
    }
}
