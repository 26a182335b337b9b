//! The functions and aggregations that are evaluated, and what they take.

use super::{Query, range};

const AGGREGATIONS: [&str; 5] = ["sum", "avg", "min", "max", "count"];
/// Functions of one vector or number.
const OF_ONE: [&str; 10] = ["abs", "ceil", "floor", "sqrt", "exp", "ln", "log2", "log10", "scalar", "absent"];

pub(super) fn is_aggregation(name: &str) -> bool {
    AGGREGATIONS.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Checks that a function is known, and that it gets what it takes.
///
/// # Errors
/// It is not.
pub(super) fn check(function: &str, arguments: &[Query]) -> Result<(), String> {
    let wrong = |takes: &str| Err(format!("`{function}` takes {takes}"));
    let is_range = |query: &Query| matches!(query, Query::Select(selector) if selector.range.is_some());
    let is_of_range = range::FUNCTIONS.contains(&function);
    let is_known = is_of_range
        || OF_ONE.contains(&function)
        || ["vector", "round", "histogram_quantile", "clamp_min", "clamp_max", "clamp", "time"]
            .contains(&function);
    if !is_known {
        return Err(format!("`{function}` is not evaluated in a simulation"));
    }
    if !is_of_range && arguments.iter().any(is_range) {
        return wrong("no range such as [5m]");
    }
    match (function, arguments) {
        (_, [argument]) if is_of_range && is_range(argument) => Ok(()),
        _ if is_of_range => wrong("a selector with a range such as [5m]"),
        ("vector" | "round", [_]) | ("histogram_quantile" | "clamp_min" | "clamp_max" | "round", [_, _]) => {
            Ok(())
        }
        ("clamp", [_, _, _]) | ("time", []) => Ok(()),
        (name, [_]) if OF_ONE.contains(&name) => Ok(()),
        ("histogram_quantile" | "clamp_min" | "clamp_max", _) => wrong("two arguments"),
        ("clamp", _) => wrong("three arguments"),
        ("time", _) => wrong("no argument"),
        _ => wrong("one argument"),
    }
}

/// A function of one number.
pub(super) fn of_number(function: &str, number: f64) -> Option<f64> {
    Some(match function {
        "abs" => number.abs(),
        "ceil" => number.ceil(),
        "floor" => number.floor(),
        "sqrt" => number.sqrt(),
        "exp" => number.exp(),
        "ln" => number.ln(),
        "log2" => number.log2(),
        "log10" => number.log10(),
        _ => return None,
    })
}

/// The value below which this share of a histogram lies. The buckets are cumulative: upper bound and count.
pub(super) fn quantile(share: f64, mut buckets: Vec<(f64, f64)>) -> f64 {
    buckets.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    // A later bucket never holds less.
    let mut most = 0.0_f64;
    for (_, count) in &mut buckets {
        most = most.max(*count);
        *count = most;
    }
    let [first, .., last] = buckets.as_slice() else { return f64::NAN };
    let all = last.1;
    if last.0 != f64::INFINITY || all == 0.0 || share.is_nan() {
        return f64::NAN;
    }
    if share < 0.0 {
        return f64::NEG_INFINITY;
    }
    if share > 1.0 {
        return f64::INFINITY;
    }
    let rank = share * all;
    let at = buckets.iter().position(|(_, count)| *count >= rank).unwrap_or(buckets.len() - 1);
    if at + 1 == buckets.len() {
        return buckets.iter().rev().nth(1).map_or(f64::NAN, |(bound, _)| *bound);
    }
    if at == 0 && first.0 <= 0.0 {
        return first.0;
    }
    let (bound, count) = buckets.get(at).copied().unwrap_or(*first);
    let (from, before) =
        if at == 0 { (0.0, 0.0) } else { buckets.get(at - 1).copied().unwrap_or((0.0, 0.0)) };
    from + (bound - from) * ((rank - before) / (count - before))
}
