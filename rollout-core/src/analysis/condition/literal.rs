//! Numbers and texts as conditions write them, and the texts that `asInt` and `asFloat` read.

use super::{
    error::{At, ConditionError, shortened},
    lex::Word,
};
use alloc::{borrow::Cow, format, string::String};

/// Reads a number of a condition: an integer in base 10, 16, 8 or 2, or a float. Underscores separate digits.
pub(super) fn number(text: &str, at: At) -> Result<Word, ConditionError> {
    let digits: String = text.chars().filter(|character| *character != '_').collect();
    let lower = digits.to_ascii_lowercase();
    let based = [("0x", 16), ("0o", 8), ("0b", 2)]
        .into_iter()
        .find_map(|(prefix, base)| lower.strip_prefix(prefix).map(|digits| (digits, base)));
    let read = match based {
        Some((digits, base)) => i64::from_str_radix(digits, base).ok().map(Word::Int),
        None if lower.contains(['.', 'e']) => {
            lower.parse().ok().filter(|n: &f64| n.is_finite()).map(Word::Float)
        }
        None => lower.parse().ok().map(Word::Int),
    };
    read.ok_or_else(|| {
        let what = format!("`{}` is not a number", shortened(text));
        ConditionError::new(at, what, "write digits, such as 0.95, below 9223372036854775808")
    })
}

/// Replaces the escapes of a text in quotes.
pub(super) fn unescape(text: &str, at: At) -> Result<String, ConditionError> {
    let mut out = String::new();
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        let escape = rest.next().unwrap_or_default();
        let code = |rest: &mut core::str::Chars<'_>, first: &str, len: usize, base: u32| {
            let digits: String = first.chars().chain(rest.take(len)).collect();
            u32::from_str_radix(&digits, base).ok().and_then(char::from_u32)
        };
        let plain = match escape {
            'a' => Some('\u{7}'),
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'v' => Some('\u{b}'),
            '\\' | '\'' | '"' => Some(escape),
            'x' => code(&mut rest, "", 2, 16).filter(char::is_ascii),
            'u' => code(&mut rest, "", 4, 16),
            'U' => code(&mut rest, "", 8, 16),
            '0'..='7' => code(&mut rest, escape.encode_utf8(&mut [0; 4]), 2, 8).filter(char::is_ascii),
            _ => None,
        };
        let Some(plain) = plain else {
            let what = format!("`\\{escape}` is not an escape");
            return Err(ConditionError::new(
                at,
                what,
                "write `\\\\` for a backslash, or the text in backquotes",
            ));
        };
        out.push(plain);
    }
    Ok(out)
}

/// Reads the text of a float, as `asFloat` does: decimal or hexadecimal, `inf`, `nan`.
pub(super) fn float(text: &str) -> Option<f64> {
    let (sign, magnitude) = match text.as_bytes().first() {
        Some(b'-') => (-1.0, text.get(1..)?),
        Some(b'+') => (1.0, text.get(1..)?),
        _ => (1.0, text),
    };
    match magnitude.to_ascii_lowercase().as_str() {
        "inf" | "infinity" => return Some(sign * f64::INFINITY),
        "nan" => return (magnitude.len() == text.len()).then_some(f64::NAN),
        lower if lower.starts_with("0x") => {
            let digits = without_underscores(lower.get(2..)?, true)?;
            return hexadecimal(&digits).map(|value| sign * value);
        }
        _ => {}
    }
    let digits =
        |character: char| character.is_ascii_digit() || matches!(character, '.' | 'e' | 'E' | '+' | '-');
    let magnitude = without_underscores(magnitude, false)?;
    if !magnitude.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        || !magnitude.chars().all(digits)
    {
        return None;
    }
    magnitude.parse().ok().filter(|value: &f64| value.is_finite()).map(|value| sign * value)
}

/// Takes the underscores out; each must stand between two digits, or after the prefix.
fn without_underscores(text: &str, hexadecimal: bool) -> Option<Cow<'_, str>> {
    if !text.contains('_') {
        return Some(Cow::Borrowed(text));
    }
    let mut before_is_digit = hexadecimal;
    let mut out = String::new();
    let mut rest = text.chars().peekable();
    let is_digit = |character: char| character.is_digit(if hexadecimal { 16 } else { 10 });
    while let Some(character) = rest.next() {
        if character == '_' {
            let between = before_is_digit && rest.peek().is_some_and(|next| is_digit(*next));
            between.then_some(())?;
        } else {
            out.push(character);
        }
        before_is_digit = is_digit(character);
    }
    Some(Cow::Owned(out))
}

/// Reads `1.8p3`: hexadecimal digits, then an exponent of 2. Digits beyond 60 bits do not change the value.
fn hexadecimal(text: &str) -> Option<f64> {
    let (digits, exponent) = text.split_once('p')?;
    let mut exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut mantissa: u64 = 0;
    for (index, digit) in whole.chars().chain(fraction.chars()).enumerate() {
        let digit = u64::from(digit.to_digit(16)?);
        let is_fraction = index >= whole.len();
        if mantissa >> 56 == 0 {
            mantissa = mantissa << 4 | digit;
            exponent = exponent.checked_sub(if is_fraction { 4 } else { 0 })?;
        } else {
            mantissa |= u64::from(digit != 0);
            exponent = exponent.checked_add(if is_fraction { 0 } else { 4 })?;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "rounded to the nearest float, as Go does")]
    let value = libm::scalbn(mantissa as f64, exponent);
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_read_as_go_reads_them() {
        for (text, value) in [
            ("1e3", 1000.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("-1.5", -1.5),
            ("+2", 2.0),
            ("007", 7.0),
            ("1_000", 1000.0),
            ("0x_1p4", 16.0),
            ("inf", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
            ("0x1.8p1", 3.0),
            ("0x10p-4", 1.0),
        ] {
            assert_eq!(float(text), Some(value), "{text}");
        }
        assert!(float("NaN").is_some_and(f64::is_nan));
        for text in [
            "", " 1", "1 ", "+nan", "1e", "e5", ".", "0x10", "0xp1", "1e400", "1__0", "_1", "1_", "1_.5",
            "--1", "infi",
        ] {
            assert_eq!(float(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_of_conditions_have_bases_and_underscores() {
        let read = |text| number(text, At(1)).ok();
        assert_eq!(read("1_000"), Some(Word::Int(1000)));
        assert_eq!(read("0xFF"), Some(Word::Int(255)));
        assert_eq!(read("0b11"), Some(Word::Int(3)));
        assert_eq!(read("1."), Some(Word::Float(1.0)));
        assert_eq!(read("9223372036854775808"), None);
        assert_eq!(read("1abc"), None);
    }
}
