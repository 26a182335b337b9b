//! `pause.duration`: a number of seconds, or a Go duration.

use super::wire::IntOrText;
use alloc::string::String;

/// The reason why a duration is rejected.
///
/// ```
/// use rollout_core::{argo::wire::IntOrText, conformance::pause_seconds};
/// let error = pause_seconds(&IntOrText::Text("2d".into())).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     r#""2d" is neither a number of seconds nor a duration such as `90s`, `10m` or `1h30m`"#
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidDuration {
    /// The text is neither a number of seconds nor a duration.
    #[error("{0:?} is neither a number of seconds nor a duration such as `90s`, `10m` or `1h30m`")]
    Unreadable(String),
    /// The duration is negative.
    #[error("{0} is below 0")]
    Negative(String),
    /// The duration exceeds 2 147 483 647 s, where Argo Rollouts wraps around, which ends the pause at once or never.
    #[error("{0} is more than 2147483647 seconds (68 years)")]
    TooLong(String),
}

/// Returns the seconds of a `pause.duration`, without the fraction of a second.
///
/// Text of digits is seconds. Other text is a Go duration: one or more pairs of number and unit, without spaces, with
/// the units `ns`, `us`, `ms`, `s`, `m`, `h` (no days). Fractions of a second are rounded **towards zero**, so `300ms`
/// is no pause.
///
/// ```
/// use rollout_core::{argo::wire::IntOrText, conformance::pause_seconds};
/// assert_eq!(pause_seconds(&IntOrText::Text("1h30m".into())), Ok(5400));
/// assert_eq!(pause_seconds(&IntOrText::Int(600)), Ok(600));
/// assert!(pause_seconds(&IntOrText::Text("2d".into())).is_err());
/// ```
///
/// # Errors
/// The value is not a duration, is negative, or exceeds 2 147 483 647 s (where Argo Rollouts wraps around).
pub fn pause_seconds(duration: &IntOrText) -> Result<u32, InvalidDuration> {
    let shown = || alloc::format!("{duration}");
    let seconds = match duration {
        IntOrText::Int(seconds) => i64::from(*seconds),
        IntOrText::Text(text) => match int32(text) {
            Some(seconds) => i64::from(seconds),
            None => {
                nanoseconds(text).ok_or_else(|| InvalidDuration::Unreadable(text.clone()))? / 1_000_000_000
            }
        },
    };
    if seconds < 0 {
        return Err(InvalidDuration::Negative(shown()));
    }
    if seconds > i64::from(i32::MAX) {
        return Err(InvalidDuration::TooLong(shown()));
    }
    u32::try_from(seconds).map_err(|_| InvalidDuration::TooLong(shown()))
}

/// Parses an optional sign and decimal digits, within 32 bits.
fn int32(text: &str) -> Option<i32> {
    text.parse().ok()
}

/// Parses a Go duration into nanoseconds, between −2⁶³ and 2⁶³.
pub(crate) fn nanoseconds(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, text.get(1..)?),
        Some(b'+') => (false, text.get(1..)?),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (part, after) = number_and_unit(rest)?;
        total = total.checked_add(part).filter(|sum| *sum <= LIMIT)?;
        rest = after;
    }
    match (negative, i64::try_from(total)) {
        (true, Ok(total)) => Some(-total),
        (false, Ok(total)) => Some(total),
        // Exactly 2⁶³: the smallest number.
        (true, Err(_)) => Some(i64::MIN),
        (false, Err(_)) => None,
    }
}

const LIMIT: u64 = 1 << 63;

/// Parses the first number with its unit, in nanoseconds; returns the rest of the text as well.
fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let (whole, rest) = digits(text);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => digits(rest),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let end = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
    let (unit, rest) = rest.split_at_checked(end)?;
    let unit = nanoseconds_of(unit)?;
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()? };
    let nanos = whole.checked_mul(unit).filter(|nanos| *nanos <= LIMIT)?;
    Some((nanos.checked_add(part_of(unit, fraction))?, rest))
}

fn digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

fn nanoseconds_of(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        // The micro sign and the Greek letter are two characters that look alike.
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// Returns the nanoseconds of `0.fraction` of a unit, truncated. In floating point, like Go: a third of an hour written
/// with enough digits is 20 minutes and not a nanosecond less. Digits beyond 63 bits are ignored.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "as Go does"
)]
fn part_of(unit: u64, fraction: &str) -> u64 {
    let (mut digits, mut scale) = (0_u64, 1.0_f64);
    for digit in fraction.bytes() {
        let more =
            digits.checked_mul(10).and_then(|ten| ten.checked_add(u64::from(digit.wrapping_sub(b'0'))));
        let Some(more) = more.filter(|more| *more <= LIMIT) else { break };
        digits = more;
        scale *= 10.0;
    }
    (digits as f64 * (unit as f64 / scale)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<i64> {
        nanoseconds(text)
    }

    /// The rules of Go's durations as a table.
    #[test]
    fn as_go_reads_them() {
        let ms = 1_000_000;
        let table = [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("+0", Some(0)),
            ("00", None),
            ("5s", Some(5_000 * ms)),
            ("1478s", Some(1_478_000 * ms)),
            ("-5s", Some(-5_000 * ms)),
            ("5.0s", Some(5_000 * ms)),
            ("5.s", Some(5_000 * ms)),
            (".5s", Some(500 * ms)),
            ("1.004s", Some(1_004 * ms)),
            ("100.00100s", Some(100_001 * ms)),
            ("10ns", Some(10)),
            ("12\u{b5}s", Some(12_000)),
            ("12\u{3bc}s", Some(12_000)),
            ("3h30m", Some(12_600_000 * ms)),
            ("-1m30.5s", Some(-90_500 * ms)),
            ("52763797000ns", Some(52_763_797_000)),
            ("0.3333333333333333333h", Some(1_200_000 * ms)),
            ("9007199254.740993ms", Some((1 << 53) + 1)),
            ("0.9223372036854775807h", Some(3_320_413_933_267)),
            ("0.100000000000000000000h", Some(360_000 * ms)),
            ("9223372036854775807ns", Some(i64::MAX)),
            ("9223372036854775.807us", Some(i64::MAX)),
            ("-9223372036854775808ns", Some(i64::MIN)),
            ("9223372036854775808ns", None),
            ("-9223372036854775809ns", None),
            ("3000000h", None),
            ("", None),
            ("3", None),
            ("-", None),
            ("s", None),
            (".", None),
            ("-.", None),
            (".s", None),
            ("+.s", None),
            ("1d", None),
            ("1h-5m", None),
            ("1h 5m", None),
            ("1.2.3s", None),
            ("1M", None),
            ("\u{85}\u{85}", None),
            ("\u{ffff}", None),
            ("hello \u{ffff} world", None),
            ("99999999999999999999s", None),
        ];
        for (text, want) in table {
            assert_eq!(of(text), want, "{text:?}");
        }
    }

    #[test]
    fn too_long_is_refused_and_not_wrapped_around() {
        let text = |text: &str| pause_seconds(&IntOrText::Text(text.into()));
        assert_eq!(text("2147483647s"), Ok(2_147_483_647));
        assert_eq!(text("596523h14m7.999s"), Ok(2_147_483_647));
        // Argo Rollouts takes these for a negative or a different number of seconds.
        assert!(matches!(text("2147483648s"), Err(InvalidDuration::TooLong(_))));
        assert!(matches!(text("2000000h"), Err(InvalidDuration::TooLong(_))));
        assert!(matches!(text("-5"), Err(InvalidDuration::Negative(_))));
    }
}
