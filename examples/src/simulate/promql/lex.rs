//! The words of a query.

/// A word.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A name, or a keyword.
    Name(String),
    Number(f64),
    /// A number with a unit of time, such as `5m`, in milliseconds.
    Time(i64),
    Text(String),
    Sign(&'static str),
}

/// Longer signs first.
const SIGNS: [&str; 23] = [
    "==", "!=", "=~", "!~", ">=", "<=", "(", ")", "{", "}", "[", "]", ",", "+", "-", "*", "/", "%", "^", "<",
    ">", "=", ":",
];

/// The units, in milliseconds.
const UNITS: [(&str, f64); 7] =
    [("ms", 1.0), ("s", 1e3), ("m", 6e4), ("h", 3.6e6), ("d", 8.64e7), ("w", 6.048e8), ("y", 3.1536e10)];

/// Reads the words of a query.
///
/// # Errors
/// A letter that begins no word.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = if first == '#' {
            rest = rest.split_once('\n').map_or("", |(_, after)| after).trim_start();
            continue;
        } else if first.is_ascii_digit() || first == '.' {
            number(rest)?
        } else if first.is_alphabetic() || first == '_' {
            let end =
                rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(rest.len());
            let name = rest.get(..end).unwrap_or_default();
            let token = match name.to_ascii_lowercase().as_str() {
                "inf" => Token::Number(f64::INFINITY),
                "nan" => Token::Number(f64::NAN),
                _ => Token::Name(name.to_owned()),
            };
            (token, end)
        } else if matches!(first, '"' | '\'' | '`') {
            quoted(rest, first)?
        } else {
            let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
            let sign = sign.ok_or_else(|| format!("{first:?} cannot stand in a query"))?;
            (Token::Sign(sign), sign.len())
        };
        tokens.push(token);
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    Ok(tokens)
}

/// A number, or a time such as `1h30m`.
fn number(text: &str) -> Result<(Token, usize), String> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.')).unwrap_or(text.len());
    let mut word = text.get(..end).unwrap_or_default();
    // The sign of an exponent.
    if word.ends_with(['e', 'E']) && !word.starts_with("0x") {
        let tail = text.get(end..).unwrap_or_default();
        let digits = tail
            .strip_prefix(['+', '-'])
            .map_or(0, |tail| 1 + tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len()));
        word = text.get(..end + digits).unwrap_or(word);
    }
    let hexadecimal = word.strip_prefix("0x").and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let token = match (hexadecimal, word.parse::<f64>(), time(word)) {
        (Some(number), ..) => Token::Number(number.into()),
        (_, Ok(number), _) => Token::Number(number),
        (_, _, Some(time)) => Token::Time(time),
        _ => return Err(format!("{word:?} is neither a number nor a time")),
    };
    Ok((token, word.len()))
}

fn time(word: &str) -> Option<i64> {
    let (mut rest, mut sum) = (word, 0.0);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at_checked(end)?;
        let (unit, of) = UNITS.into_iter().find(|(unit, _)| tail.starts_with(unit))?;
        sum += number.parse::<f64>().ok()? * of;
        rest = tail.get(unit.len()..)?;
    }
    #[expect(clippy::cast_possible_truncation, reason = "below a thousand years")]
    (sum < 3e13).then_some(sum as i64)
}

fn quoted(text: &str, quote: char) -> Result<(Token, usize), String> {
    let (mut value, mut letters) = (String::new(), text.char_indices().skip(1));
    while let Some((at, letter)) = letters.next() {
        if letter == quote {
            return Ok((Token::Text(value), at + letter.len_utf8()));
        }
        if letter != '\\' || quote == '`' {
            value.push(letter);
            continue;
        }
        match letters.next() {
            Some((_, 'n')) => value.push('\n'),
            Some((_, 't')) => value.push('\t'),
            Some((_, escaped @ ('\\' | '"' | '\''))) => value.push(escaped),
            Some((_, other)) => return Err(format!("\\{other} is no escape; write \\\\{other}")),
            None => break,
        }
    }
    Err("a quoted text has no end".to_owned())
}
