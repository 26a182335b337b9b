//! Quantities of CPU and memory, which the API server normalizes.

/// Returns whether two texts denote the same quantity (`0.5` and `500m`).
pub(super) fn same(one: &str, other: &str) -> bool {
    match (amount(one), amount(other)) {
        (Some(one), Some(other)) => (one - other).abs() <= one.abs().max(other.abs()) * 1e-12,
        _ => false,
    }
}

fn amount(text: &str) -> Option<f64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '+' | '-')).unwrap_or(text.len());
    let (digits, suffix) = text.split_at_checked(end)?;
    let factor = match suffix {
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "" => 1.0,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        "Ti" => 1_099_511_627_776.0,
        "Pi" => 1_125_899_906_842_624.0,
        "Ei" => 1_152_921_504_606_846_976.0,
        exponent => 10_f64.powi(exponent.strip_prefix(['e', 'E'])?.parse().ok()?),
    };
    digits.parse::<f64>().ok().map(|number| number * factor)
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn quantities_are_compared_not_texts() {
        for (one, other) in
            [("0.5", "500m"), ("1", "1000m"), ("1Gi", "1024Mi"), ("1e3", "1k"), ("0.001", "1m")]
        {
            assert!(same(one, other), "{one} {other}");
        }
        for (one, other) in [("1", "2"), ("1M", "1Mi"), ("a", "a"), ("", "0")] {
            assert!(!same(one, other), "{one} {other}");
        }
    }
}
