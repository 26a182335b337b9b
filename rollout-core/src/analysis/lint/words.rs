//! Times and shares in words.

use alloc::{format, string::String};
use core::time::Duration;

/// A time, rounded to what a person would say.
pub(super) fn span(time: Duration) -> String {
    seconds(time.as_secs_f64())
}

/// A number of seconds, rounded to what a person would say.
pub(super) fn seconds(seconds: f64) -> String {
    let (number, unit) = if seconds < 90.0 {
        (seconds, "second")
    } else if seconds < 10_800.0 {
        (seconds / 60.0, "minute")
    } else if seconds < 172_800.0 {
        (seconds / 3600.0, "hour")
    } else {
        (seconds / 86_400.0, "day")
    };
    let number = libm::round(number);
    let many = if libm::fabs(number - 1.0) < 0.5 { "" } else { "s" };
    format!("{number} {unit}{many}")
}

/// A share, such as `5 %`.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", digits(share * 100.0))
}

/// A number with two digits that count.
pub(super) fn digits(number: f64) -> String {
    if !(number > 0.0 && number.is_finite()) {
        return format!("{number}");
    }
    let scale = libm::pow(10.0, libm::floor(libm::log10(number)) - 1.0);
    let rounded = libm::round(number / scale) * scale;
    if rounded >= 10.0 { format!("{rounded:.0}") } else { format!("{}", libm::round(rounded * 1e6) / 1e6) }
}

/// How many times as much, as an adjective.
pub(super) fn fold(times: f64) -> String {
    let known = [(2.0, "twofold"), (3.0, "threefold"), (5.0, "fivefold"), (10.0, "tenfold")];
    let known = known.iter().find(|(known, _)| libm::fabs(known - times) < 1e-9);
    known.map_or_else(|| format!("{}-fold", digits(times)), |(_, word)| String::from(*word))
}
