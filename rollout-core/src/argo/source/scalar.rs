//! The meaning of unquoted words, as in kubectl's YAML reader.

use alloc::string::{String, ToString};
use serde_json::{Number, Value};

/// Returns the value of an unquoted word; `None` if JSON has no such number.
pub(super) fn plain(text: &str) -> Option<Value> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Value::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Value::Bool(false)
        }
        ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf"
        | "-.Inf" | "-.INF" => return None,
        _ => number(text).map_or_else(|| Value::String(text.into()), Value::Number),
    })
}

/// Returns the name that an unquoted word makes in a map; `None` for `null` and values without text.
pub(super) fn key(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn number(text: &str) -> Option<Number> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return None;
    }
    let digits = text.replace('_', "");
    integer(&digits).or_else(|| float(&digits))
}

/// Parses whole numbers within 64 bits, including `0x`, `0o`, `0b`, and octal with a leading 0.
fn integer(text: &str) -> Option<Number> {
    let (sign, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (text.get(..1)?, digits),
        None => ("", text),
    };
    let (radix, digits) = match digits.get(..2) {
        Some("0x" | "0X") => (16, digits.get(2..)?),
        Some("0o" | "0O") => (8, digits.get(2..)?),
        Some("0b" | "0B") => (2, digits.get(2..)?),
        _ if digits.len() > 1 && digits.starts_with('0') => (8, digits.get(1..)?),
        _ => (10, digits),
    };
    if !digits.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let size = u64::from_str_radix(digits, radix).ok()?;
    match sign {
        "" => Some(size.into()),
        "-" => 0_i64.checked_sub_unsigned(size).map(Number::from),
        _ => i64::try_from(size).ok().map(Number::from),
    }
}

/// Parses digits with at most one dot and an optional exponent. A whole number becomes an integer, as it would through
/// JSON.
fn float(text: &str) -> Option<Number> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).map_or((text, None), |(m, e)| (m, Some(e)));
    let unsigned =
        |text: &str| -> Option<String> { Some(text.strip_prefix(['+', '-']).unwrap_or(text).into()) };
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let mantissa = unsigned(mantissa)?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((&mantissa, ""));
    let is_number = all_digits(whole) && (fraction.is_empty() || all_digits(fraction))
        || whole.is_empty() && all_digits(fraction);
    if !is_number || exponent.is_some_and(|exponent| !unsigned(exponent).is_some_and(|e| all_digits(&e))) {
        return None;
    }
    let float: f64 = text.parse().ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "the next line checks whether anything was lost")]
    let whole = float as i64;
    #[expect(clippy::cast_precision_loss, reason = "beyond 53 bits the number is unchanged")]
    let is_whole = float.abs() < 9_007_199_254_740_992.0 && (whole as f64).to_bits() == float.to_bits();
    if is_whole { Some(whole.into()) } else { Number::from_f64(float) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn as_kubectl_reads_them() {
        let table = [
            ("5", json!(5)),
            ("-5", json!(-5)),
            ("+5", json!(5)),
            ("1_000", json!(1000)),
            ("010", json!(8)),
            ("08", json!(8)),
            ("0o14", json!(12)),
            ("0x1F", json!(31)),
            ("0b11", json!(3)),
            ("5.0", json!(5)),
            ("0.5", json!(0.5)),
            (".5", json!(0.5)),
            ("5.", json!(5)),
            ("1e3", json!(1000)),
            ("1E-3", json!(0.001)),
            ("18446744073709551615", json!(u64::MAX)),
            ("18446744073709551616", json!(18_446_744_073_709_551_616.0)),
            ("-9223372036854775808", json!(i64::MIN)),
            ("1e999", json!("1e999")),
            ("yes", json!(true)),
            ("Off", json!(false)),
            ("y", json!(true)),
            ("~", json!(null)),
            ("10m", json!("10m")),
            ("1.2.3", json!("1.2.3")),
            ("2026-01-31", json!("2026-01-31")),
            ("0x", json!("0x")),
            ("+", json!("+")),
            ("-", json!("-")),
            (".", json!(".")),
            ("--5", json!("--5")),
            ("0x-5", json!("0x-5")),
            ("1e", json!("1e")),
            ("infinity", json!("infinity")),
            ("-inf", json!("-inf")),
            ("None", json!("None")),
        ];
        for (text, want) in table {
            assert_eq!(plain(text), Some(want), "{text:?}");
        }
        assert_eq!(plain(".inf"), None);
        assert_eq!(plain(&"9".repeat(100_000)), Some(json!("9".repeat(100_000))));
    }
}
