//! What functions make of the samples of a range, as Prometheus does.

use super::Millis;

/// A range of time: its end, and its length.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) end: Millis,
    pub(super) length: Millis,
}

/// The functions of a range that are evaluated.
pub(super) const FUNCTIONS: [&str; 10] = [
    "rate",
    "increase",
    "irate",
    "delta",
    "sum_over_time",
    "avg_over_time",
    "min_over_time",
    "max_over_time",
    "count_over_time",
    "last_over_time",
];

/// Returns what a function makes of these samples; nothing if there are too few.
pub(super) fn apply(function: &str, samples: &[(Millis, f64)], span: Span) -> Option<f64> {
    let values = || samples.iter().map(|(_, value)| *value);
    let count = f64::from(u32::try_from(samples.len()).ok()?);
    if samples.is_empty() {
        return None;
    }
    match function {
        "rate" => Some(increase(samples, span, true)? / seconds(span.length)),
        "increase" => increase(samples, span, true),
        "delta" => increase(samples, span, false),
        "irate" => {
            let [.., (from, before), (to, after)] = samples else { return None };
            let difference = if after < before { *after } else { after - before };
            Some(difference / seconds(to - from))
        }
        "sum_over_time" => Some(values().sum()),
        "avg_over_time" => Some(values().sum::<f64>() / count),
        "min_over_time" => values().reduce(f64::min),
        "max_over_time" => values().reduce(f64::max),
        "count_over_time" => Some(count),
        "last_over_time" => values().next_back(),
        _ => None,
    }
}

/// The difference between the first and the last sample, extended to the edges of the range where the samples seem to
/// go on until there.
fn increase(samples: &[(Millis, f64)], span: Span, is_counter: bool) -> Option<f64> {
    let [(first_at, first), .., (last_at, last)] = samples else { return None };
    let mut difference = last - first;
    if is_counter {
        // A counter that fell began anew.
        let pairs = samples.iter().zip(samples.iter().skip(1));
        difference += pairs.filter(|((_, one), (_, next))| next < one).map(|((_, one), _)| one).sum::<f64>();
    }
    let mut to_start = seconds(first_at - (span.end - span.length));
    let mut to_end = seconds(span.end - last_at);
    let covered = seconds(last_at - first_at);
    let between = covered / f64::from(u32::try_from(samples.len().saturating_sub(1)).ok()?);
    let far = between * 1.1;
    if to_start >= far {
        to_start = between / 2.0;
    }
    if is_counter && difference > 0.0 && *first >= 0.0 {
        // A counter is never below zero.
        to_start = to_start.min(covered * (first / difference));
    }
    if to_end >= far {
        to_end = between / 2.0;
    }
    Some(difference * ((covered + to_start + to_end) / covered))
}

fn seconds(millis: Millis) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let millis = millis as f64;
    millis / 1e3
}
