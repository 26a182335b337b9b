//! The words of a Prometheus query.

use crate::analysis::spec::duration;
use alloc::{string::String, vec::Vec};
use core::time::Duration;

/// A word of a query, without what is in its strings, braces and comments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    Number,
    Name(String),
    Text,
    /// `{…}`
    Selector,
    /// `[…]`, with its length if it can be read.
    Range(Option<Duration>),
    Sign(char),
}

/// Splits a query into words; `None` if something is not closed.
pub(super) fn words(text: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let word;
        (word, rest) = match first {
            '#' => (None, rest.split_once('\n').map_or("", |(_, after)| after)),
            '"' | '\'' | '`' => (Some(Word::Text), after_text(rest, first)?),
            '{' => (Some(Word::Selector), after_selector(rest.get(1..)?)?),
            '[' => {
                let (range, after) = rest.get(1..)?.split_once(']')?;
                (Some(Word::Range(length(range))), after)
            }
            _ if first.is_ascii_digit() || first == '.' => (Some(Word::Number), after_number(rest)),
            _ if is_of_name(first) => {
                let (name, after) = rest.split_at(rest.find(|c| !is_of_name(c)).unwrap_or(rest.len()));
                let is_number = ["inf", "nan"].contains(&name.to_ascii_lowercase().as_str());
                (Some(if is_number { Word::Number } else { Word::Name(name.into()) }), after)
            }
            _ => (Some(Word::Sign(first)), rest.get(first.len_utf8()..)?),
        };
        words.extend(word);
        rest = rest.trim_start();
    }
    Some(words)
}

fn is_of_name(character: char) -> bool {
    character.is_alphanumeric() || "_:$".contains(character)
}

fn after_number(text: &str) -> &str {
    let mut before = ' ';
    let end = text.find(|character: char| {
        let is_exponent = "+-".contains(character) && matches!(before, 'e' | 'E');
        before = character;
        !(character.is_ascii_alphanumeric() || character == '.' || is_exponent)
    });
    text.get(end.unwrap_or(text.len())..).unwrap_or_default()
}

/// What stands after a text in quotes.
fn after_text(text: &str, quote: char) -> Option<&str> {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, character)| {
        let ends = *character == quote && !escaped;
        escaped = *character == '\\' && !escaped && quote != '`';
        ends
    });
    text.get(end?.0.saturating_add(1)..)
}

fn after_selector(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        let at = rest.find(['}', '"', '\'', '`'])?;
        rest = rest.get(at..)?;
        let first = rest.chars().next()?;
        if first == '}' {
            return rest.get(1..);
        }
        rest = after_text(rest, first)?;
    }
}

/// Reads the length of `[5m]`, or of `[1h:1m]`.
fn length(range: &str) -> Option<Duration> {
    let range = range.split_once(':').map_or(range, |(range, _)| range).trim();
    let days = |unit: char, days: u64| {
        let number: u64 = range.strip_suffix(unit)?.parse().ok()?;
        Some(Duration::from_secs(number.saturating_mul(days.saturating_mul(86_400))))
    };
    duration(range).or_else(|| days('d', 1)).or_else(|| days('w', 7))
}
